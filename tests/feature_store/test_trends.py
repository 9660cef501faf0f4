"""Trends: decay by event time, packing, bounds."""

import math
import random
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.events import Kind
from domain.ids import hash64
from feature_store.trends import (
    FEWEST,
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

Row = tuple[str, Kind, int, int]
"""Item, kind, when, and whose."""


def _add(tally: Tally, rows: list[Row]) -> bool:
    return tally.add(*_columns(rows)) is not None


def _columns(rows: list[Row]) -> tuple[list[str], Any, Any, Any]:
    return (
        [row[0] for row in rows],
        np.array([row[1] for row in rows], np.uint8),
        np.array([row[2] for row in rows], np.int64),
        np.array([row[3] for row in rows], np.uint64),
    )


def _remember(tally: Tally, rows: list[Row]) -> None:
    items, kinds, ats, people = _columns(rows)
    hashes = np.array([hash64(item) if item else 0 for item in items], np.uint64)
    tally.remember(hashes, kinds, ats, people)


def _by_person(rows: list[Row], half_life: float) -> dict[str, dict[int, float]]:
    """Answer what each person says of each item: the most that any of their events is worth."""
    latest = max(row[2] for row in rows)
    said: dict[str, dict[int, float]] = {}
    for item, kind, at, person in rows:
        worth = KIND_WEIGHTS[kind] * 0.5 ** ((latest - at) / half_life)
        mine = said.setdefault(item, {})
        mine[person] = max(mine.get(person, 0.0), worth)
    return said


def _shown(trends: Trends) -> dict[str, float]:
    return dict(zip(trends.items, trends.rising[0].tolist(), strict=True))


def test_a_half_life_halves() -> None:
    tally = Tally()
    _add(tally, [("tea", Kind.click, T0, 1)])
    _add(tally, [("pot", Kind.purchase, T0 + DAY, 1)])
    trends = tally.snapshot()
    assert trends.as_of == T0 + DAY
    score = dict(zip(trends.items, trends.trending[0].tolist(), strict=True))
    assert score == pytest.approx({"tea": 0.5, "pot": 5.0})
    popular = dict(zip(trends.items, trends.popular.tolist(), strict=True))
    assert popular == pytest.approx({"tea": 1, "pot": 5})
    assert trends.hashes.tolist() == [hash64(item) for item in trends.items]


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["tea", "pot", "cup"]),
        st.sampled_from(list(KIND_WEIGHTS)),
        st.integers(T0, T0 + 60 * DAY),
        st.integers(1, 4),
    ),
    min_size=1,
    max_size=30,
)


@given(rows=ROWS, seed=st.integers(0, 9), cut=st.integers(0, 30))
def test_scores_equal_the_formula_in_any_order_and_across_restarts(
    rows: list[Row], seed: int, cut: int
) -> None:
    shuffled = rows.copy()
    random.Random(seed).shuffle(shuffled)
    tally = Tally()
    if shuffled[:cut]:
        _add(tally, shuffled[:cut])
    tally = Tally(parse(pack(tally.snapshot())))
    _remember(tally, shuffled[:cut])
    if shuffled[cut:]:
        _add(tally, shuffled[cut:])
    trends = tally.snapshot()
    for half_life, summed, shown in zip(
        (*HALF_LIVES_MS, math.inf),
        (*trends.trending, trends.popular),
        (*trends.rising, trends.wanted),
        strict=True,
    ):
        expected = _by_person(rows, half_life)
        assert set(trends.items) == set(expected)
        assert trends.people is not None
        for item, score, led, people in zip(
            trends.items, summed, shown, trends.people, strict=True
        ):
            said = expected[item].values()
            assert score == pytest.approx(sum(said), rel=1e-9)
            left = sum(said) - max(said)
            few = half_life < math.inf and people <= FEWEST
            assert led == pytest.approx(0.0 if few else left, rel=1e-6, abs=1e-8 * sum(said))
            assert (led == 0) == (few or len(said) == 1) or left < 1e-8 * sum(said)


def test_one_user_with_ten_thousand_clicks_does_not_lead() -> None:
    """Nor with purchases, nor spread over all days of a year, nor where nothing else is new."""
    crowd = [("honest", Kind.click, T0 + n, n) for n in range(4)]
    crowd += [("loved", Kind.purchase, T0 - 200 * DAY, n) for n in range(50)]
    clicks = [("pushed", Kind.click, T0 + n, 99) for n in range(10_000)]
    bought = [("bought", Kind.purchase, T0 - n * DAY, 99) for n in range(365)]
    shared = [("shared", Kind.click, T0, n) for n in (1, 2)]
    shared += [("shared", Kind.purchase, T0 + n, 99) for n in range(1_000)]
    tally = Tally()
    for row in (crowd, clicks, bought, shared):
        _add(tally, row)
    shown = _shown(tally.snapshot())
    assert shown["pushed"] == shown["bought"] == 0
    assert 0 < shown["shared"] <= 2 < shown["honest"]
    wanted = dict(zip(tally.snapshot().items, tally.snapshot().wanted.tolist(), strict=True))
    assert wanted["pushed"] == wanted["bought"] == 0
    assert max(wanted, key=lambda item: wanted[item]) == "loved"


def test_old_trends_that_have_faded_leave_room_for_nobody_alone() -> None:
    tally = Tally()
    _add(tally, [("old", Kind.click, T0, n) for n in range(9)])
    _add(tally, [("mine", Kind.click, T0 + 90 * DAY, 1)])
    assert set(_shown(tally.snapshot()).values()) == {0.0}
    _add(tally, [("mine", Kind.click, T0 + 90 * DAY, n) for n in (2, 3)])
    assert _shown(tally.snapshot()) == pytest.approx({"mine": 2.0, "old": 0.0})


def test_a_new_tally_that_was_told_counts_nobody_again() -> None:
    rows = [("tea", Kind.click, T0, n) for n in range(3)]
    tally = Tally()
    _add(tally, rows)
    before = tally.snapshot()
    again = Tally(parse(pack(before)))
    _remember(again, [*rows, ("tea", Kind.impression, T0, 9), ("", Kind.click, T0, 9)])
    _add(again, rows)
    assert again.snapshot().popular.tolist() == before.popular.tolist()
    _add(again, [("tea", Kind.click, T0, 9)])
    assert again.snapshot().popular.tolist() == pytest.approx([4.0])


def test_invented_names_push_nothing_out() -> None:
    tally = Tally()
    _add(tally, [("tea", Kind.click, T0, n) for n in range(3)])
    flood = [(f"x{n}", Kind.purchase, T0 + DAY, 9) for n in range(9 * TOP)]
    _add(tally, flood)
    assert tally.snapshot().items[0] == "tea"


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in KIND_WEIGHTS])
def test_what_was_shown_adds_nothing(kind: Kind) -> None:
    tally = Tally()
    assert not _add(tally, [("tea", kind, T0, 1), ("", Kind.purchase, T0, 1)])
    assert tally.snapshot().items == ()


def test_a_link_row_adds_nothing() -> None:
    tally = Tally()
    assert not _add(tally, [("", 255, T0, 1)])  # pyright: ignore[reportArgumentType]


def test_the_best_are_kept_and_no_more() -> None:
    tally = Tally()
    for start in range(0, 9 * TOP, TOP):
        _add(tally, [(f"i{n}", Kind.click, T0, 1) for n in range(start, start + TOP)])
        _add(tally, [("star", Kind.purchase, T0, n) for n in range(3)])
    _add(tally, [("new", Kind.click, T0 + 10 * DAY, n) for n in range(3)])
    trends = tally.snapshot()
    assert len(trends.items) == TOP
    assert set(trends.items[:2]) == {"star", "new"}
    assert len(tally.whole.items) <= 8 * TOP + 1
    assert len(pack(trends)) < 450_000


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
    rows: list[Row], cut: int
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


@pytest.mark.parametrize("version", [1, 2])
def test_a_snapshot_from_before_people_were_counted_is_still_read(version: int) -> None:
    scores = np.array([1.0, 2.0, 3.0, 7.0, 8.0][: 3 if version == 1 else 5]).tobytes()
    head = struct.pack("<4sHHqII", b"SNDT", version, 2, T0, 1, 1)
    found = parse(head + scores + struct.pack("<Iqq", 4, 5, 6) + b"\x03\x00tea")
    assert (found.items, found.positions) == (("tea",), {4: (5, 6)})
    assert (found.deeds is None) == (version == 1)
    assert found.popular.tolist() == [3.0]
    assert found.rising.tolist() == [[0.0], [0.0]]
    tally = Tally(found)
    _add(tally, [("tea", Kind.click, T0, n) for n in range(3)])
    trends = tally.snapshot()
    assert trends.deeds is not None
    assert trends.deeds.tolist() == [[3.0], [0.0]] if version == 1 else [[10.0], [8.0]]
    assert trends.rising[0].tolist() == pytest.approx([3.0])
