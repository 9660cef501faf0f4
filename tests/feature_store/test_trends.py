"""Trends: decay by event time, packing, bounds."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.events import Kind
from domain.ids import hash64
from feature_store.trends import (
    HALF_LIVES_MS,
    KIND_WEIGHTS,
    NO_TRENDS,
    TOP,
    Tally,
    Trends,
    pack,
    parse,
)
from tests.feature_store.making import DAY, T0


def _add(tally: Tally, rows: list[tuple[str, Kind, int]]) -> bool:
    return tally.add(
        [item for item, _, _ in rows],
        np.array([kind for _, kind, _ in rows], np.uint8),
        np.array([at for _, _, at in rows], np.int64),
    )


def _naive(rows: list[tuple[str, Kind, int]], half_life: float) -> dict[str, float]:
    latest = max(at for _, _, at in rows)
    scores: dict[str, float] = {}
    for item, kind, at in rows:
        scores[item] = scores.get(item, 0) + KIND_WEIGHTS[kind] * 0.5 ** ((latest - at) / half_life)
    return scores


def test_a_half_life_halves() -> None:
    tally = Tally()
    _add(tally, [("tea", Kind.click, T0)])
    _add(tally, [("pot", Kind.purchase, T0 + DAY)])
    trends = tally.snapshot()
    assert trends.as_of == T0 + DAY
    score = dict(zip(trends.items, trends.trending[0].tolist(), strict=True))
    assert score == {"tea": 0.5, "pot": 5.0}
    assert dict(zip(trends.items, trends.popular.tolist(), strict=True)) == {"tea": 1, "pot": 5}
    assert trends.hashes.tolist() == [hash64(item) for item in trends.items]


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["tea", "pot", "cup"]),
        st.sampled_from(list(KIND_WEIGHTS)),
        st.integers(T0, T0 + 60 * DAY),
    ),
    min_size=1,
    max_size=30,
)


@given(rows=ROWS, seed=st.integers(0, 9), cut=st.integers(0, 30))
def test_scores_equal_the_formula_in_any_order_and_across_restarts(
    rows: list[tuple[str, Kind, int]], seed: int, cut: int
) -> None:
    shuffled = rows.copy()
    random.Random(seed).shuffle(shuffled)
    tally = Tally()
    if shuffled[:cut]:
        _add(tally, shuffled[:cut])
    tally = Tally(parse(pack(tally.snapshot())))
    if shuffled[cut:]:
        _add(tally, shuffled[cut:])
    trends = tally.snapshot()
    for h, half_life in enumerate(HALF_LIVES_MS):
        expected = _naive(rows, half_life)
        assert set(trends.items) == set(expected)
        for item, score in zip(trends.items, trends.trending[h], strict=True):
            assert score == pytest.approx(expected[item], rel=1e-9)


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in KIND_WEIGHTS])
def test_what_was_shown_adds_nothing(kind: Kind) -> None:
    tally = Tally()
    assert not _add(tally, [("tea", kind, T0), ("", Kind.purchase, T0)])
    assert tally.snapshot().items == ()


def test_a_link_row_adds_nothing() -> None:
    tally = Tally()
    assert not tally.add([""], np.array([255], np.uint8), np.array([T0], np.int64))


def test_the_best_are_kept_and_no_more() -> None:
    tally = Tally()
    for start in range(0, 9 * TOP, TOP):
        _add(tally, [(f"i{n}", Kind.click, T0) for n in range(start, start + TOP)])
        _add(tally, [("star", Kind.purchase, T0)] * 3)
    _add(tally, [("new", Kind.click, T0 + 30 * DAY)])
    trends = tally.snapshot()
    assert len(trends.items) == TOP
    assert set(trends.items[:2]) == {"star", "new"}
    assert len(tally._items) <= 8 * TOP + 1
    assert len(pack(trends)) < 250_000


def test_ids_positions_and_numbers_read_back() -> None:
    trends = Trends(
        T0, ("tea", "グラス", "x" * 256), np.arange(6.0).reshape(2, 3), np.arange(3.0),
        {0: (5, 1), 63: (2**45, 2**31)},
    )  # fmt: skip
    back = parse(pack(trends))
    assert (back.as_of, back.items, back.positions) == (T0, trends.items, trends.positions)
    assert np.array_equal(back.trending, trends.trending)
    assert np.array_equal(back.popular, trends.popular)


def test_nothing_stored_is_no_trends() -> None:
    assert parse(None) is NO_TRENDS
    assert parse(pack(NO_TRENDS)).items == ()


@given(st.data())
def test_bytes_cut_short_are_refused(data: st.DataObject) -> None:
    whole = pack(Trends(T0, ("tea", "pot"), np.ones((2, 2)), np.ones(2), {1: (2, 3)}))
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(ValueError, match=r"."):
        parse(whole[:cut])
    with pytest.raises(ValueError, match=r"."):
        parse(whole + b"\0")
    with pytest.raises(ValueError, match="format"):
        parse(b"JUNK" + whole[4:])


@given(rows=ROWS, cut=st.integers(0, 30))
def test_clicks_and_purchases_are_counted_as_they_are_and_across_restarts(
    rows: list[tuple[str, Kind, int]], cut: int
) -> None:
    tally = Tally()
    if rows[:cut]:
        _add(tally, rows[:cut])
    tally = Tally(parse(pack(tally.snapshot())))
    if rows[cut:]:
        _add(tally, rows[cut:])
    trends = tally.snapshot()
    assert trends.deeds is not None
    for counted, kind in zip(trends.deeds.tolist(), (Kind.click, Kind.purchase), strict=True):
        expected = [sum(row[:2] == (item, kind) for row in rows) for item in trends.items]
        assert counted == expected


def test_a_snapshot_from_before_deeds_were_counted_is_still_read() -> None:
    whole = pack(Trends(T0, ("tea",), np.array([[1.0], [2.0]]), np.array([3.0]), {4: (5, 6)}))
    head, scores, rest = whole[:24], whole[24:48], whole[48 + 16 :]
    old = head[:4] + (1).to_bytes(2, "little") + head[6:] + scores + rest
    found = parse(old)
    assert (found.items, found.positions, found.deeds) == (("tea",), {4: (5, 6)}, None)
    assert found.popular.tolist() == [3.0]
    tally = Tally(found)
    _add(tally, [("tea", Kind.click, T0)])
    counted = tally.snapshot().deeds
    assert counted is not None
    assert counted.tolist() == [[1.0], [0.0]]
