"""Rows after every event: a written-out session, causality, a naive oracle."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.clock import HOUR_MS, MINUTE_MS
from domain.events import Kind
from models.intent.features import NAMES, fill, rows
from models.intent.past import ECHOES, PRIOR

MONDAY_NOON = 1_704_715_200_000
"""2024-01-08 12:00 UTC."""
CLICK, ADD, REMOVE, BUY, MARK = 2, 3, 4, 5, 14


def session(kinds, items, codes, values, ats):
    return (
        np.array(kinds, np.int8),
        np.array(items, np.uint64),
        np.array(codes, np.int32),
        np.array(values, np.int64),
        np.array(ats, np.int64),
    )


def table(columns, prior=None, echoes=None):
    """Answer one dict a row."""
    n = len(columns[0])
    prior = np.full(len(PRIOR), np.nan) if prior is None else prior
    echoes = np.full((n, len(ECHOES)), np.nan) if echoes is None else echoes
    out = np.zeros((n, len(NAMES)))
    fill(*columns, prior, echoes, out)
    return [dict(zip(NAMES, row, strict=True)) for row in out.tolist()]


def a_visit():
    ats = [MONDAY_NOON + minute * MINUTE_MS for minute in (0, 1, 1, 5, 15)]
    return session(
        [CLICK, CLICK, ADD, MARK, REMOVE],
        [1, 2, 2, 1, 2],
        [7, 7, 7, 0, 7],
        [2_000_000, 0, 4_000_000, 0, 4_000_000],
        ats,
    )


def pick(row, *names):
    return [row[name] for name in names]


def test_names_are_distinct():
    assert len(set(NAMES)) == len(NAMES)


def test_kinds_of_a_written_out_session():
    seen = table(a_visit())
    assert pick(seen[2], "events_click", "events_add_to_cart", "events_purchase") == [2, 1, 0]
    assert pick(seen[2], "kind_last", "kind_second_last", "kind_third_last") == [ADD, CLICK, CLICK]
    assert np.isnan(seen[0]["kind_second_last"])
    assert np.isnan(seen[1]["events_since_cart"])
    assert pick(seen[4], "events_since_cart", "minutes_since_cart") == [2, 14]
    assert [row["cart_items"] for row in seen] == [0, 0, 1, 1, 0]


def test_tempo_of_a_written_out_session():
    seen = table(a_visit())
    assert pick(seen[0], "position", "minutes_since_start", "hour", "weekday") == [1, 0, 12, 0]
    assert np.isnan(seen[0]["gap_last"])
    assert pick(seen[3], "gap_last", "gap_longest") == [4, 4]
    assert seen[3]["gap_mean"] == pytest.approx(5 / 3)
    assert seen[3]["gap_last_over_mean"] == pytest.approx(12 / 5)
    assert seen[4]["hour"] == pytest.approx(12.25)


def test_things_of_a_written_out_session():
    seen = table(a_visit())
    assert [row["items"] for row in seen] == [1, 2, 2, 2, 2]
    assert [row["categories"] for row in seen] == [1, 1, 1, 1, 1]
    assert [row["item_times"] for row in seen] == [1, 1, 2, 2, 3]
    assert [row["item_same_as_last"] for row in seen[1:]] == [0, 1, 0, 0]
    assert [row["category_same_as_last"] for row in seen[1:]] == [1, 1, 0, 0]
    assert [row["category_run"] for row in seen[:3]] == [1, 2, 3]
    assert np.isnan(seen[3]["category_run"])
    assert pick(seen[4], "category_run", "category_times", "category_top", "item_top") == [
        1,
        4,
        4,
        3,
    ]
    assert seen[4]["items_per_event"] == pytest.approx(2 / 5)


def test_money_of_a_written_out_session():
    seen = table(a_visit())
    assert pick(seen[1], "value_last", "value_mean", "value_highest", "value_in_cart") == [
        2,
        2,
        2,
        0,
    ]
    assert pick(seen[3], "value_mean", "value_highest", "value_in_cart") == [3, 4, 4]
    assert seen[4]["value_in_cart"] == 0
    without = table(session([CLICK], [1], [1], [0], [MONDAY_NOON]))
    assert np.isnan(without[0]["value_last"])


def test_what_the_past_says_is_carried_on():
    prior = np.arange(1.0, len(PRIOR) + 1)
    echoes = np.full((5, len(ECHOES)), np.nan)
    echoes[:, [0, 3, 4]] = [[1, 0, 0], [0, 0, 0], [0, 1, 1], [3, 0, 0], [0, 0, 0]]
    echoes[:, [5, 8]] = [[2, 1], [2, 0], [2, 0], [np.nan, np.nan], [0, 0]]
    seen = table(a_visit(), prior, echoes)
    assert [row["items_seen_before"] for row in seen] == [1, 1, 1, 2, 2]
    assert [row["items_in_old_cart"] for row in seen] == [0, 0, 1, 1, 1]
    assert [row["items_bought_before"] for row in seen] == [0, 0, 1, 1, 1]
    assert [row["categories_seen_before"] for row in seen] == [1, 2, 3, 3, 3]
    assert seen[4]["categories_bought_before"] == 1
    assert seen[4]["seen_before_share"] == pytest.approx(3 / 5)
    assert seen[3]["now_item_seen"] == 3
    assert pick(seen[2], *PRIOR) == prior.tolist()


def test_renown_is_carried_on():
    echoes = np.full((5, len(ECHOES)), np.nan)
    rates = [ECHOES.index(name) for name in ("category_buy_rate", "category_cart_rate")]
    echoes[[0, 2], rates[0]] = [0.1, 0.3]
    echoes[[0, 2], rates[1]] = [0.5, 0.7]
    echoes[:, ECHOES.index("item_share")] = [1, 2, 3, np.nan, np.nan]
    seen = table(a_visit(), None, echoes)
    names = ("category_buy_rate_mean", "category_buy_rate_highest", "category_cart_rate_mean")
    assert pick(seen[1], *names) == pytest.approx([0.1, 0.1, 0.5])
    assert pick(seen[4], *names) == pytest.approx([0.2, 0.3, 0.6])
    assert [row["item_share_mean"] for row in seen] == pytest.approx([1, 1.5, 2, 2, 2])
    unknown = table(a_visit())[4]
    assert all(unknown[name] != unknown[name] for name in (*names, "item_share_mean"))


def test_without_a_past_its_columns_are_unknown():
    row = table(a_visit())[4]
    unknown = {name for name, value in row.items() if value != value}
    assert {*PRIOR, "now_item_seen", "items_seen_before", "seen_before_share"} <= unknown


@st.composite
def sessions(draw):
    n = draw(st.integers(1, 30))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return (
        rng.integers(0, 15, n).astype(np.int8),
        rng.integers(0, 5, n).astype(np.uint64),
        rng.integers(0, 4, n).astype(np.int32),
        rng.integers(0, 3, n) * 1_500_000,
        MONDAY_NOON + np.cumsum(rng.integers(0, 20 * MINUTE_MS, n)),
    )


def _past(n, seed=0):
    rng = np.random.default_rng(seed)
    return rng.random(len(PRIOR)), rng.integers(0, 3, (n, len(ECHOES))).astype(np.float64)


@settings(max_examples=60, deadline=None)
@given(sessions(), sessions(), st.integers(0, 29))
def test_what_comes_after_an_event_does_not_change_its_row(one, other, k):
    n = len(one[0])
    k = min(k, n - 1)
    prior, echoes = _past(n)
    _, strange = _past(len(other[0]), 1)
    shift = one[4][k] - other[4][0]
    later = (*other[:4], other[4] + shift)
    mixed = tuple(np.concatenate([a[: k + 1], b]) for a, b in zip(one, later, strict=True))
    whole = rows(np.array([0, n]), one, prior[None], echoes)
    cut = rows(np.array([0, k + 1]), tuple(a[: k + 1] for a in one), prior[None], echoes[: k + 1])
    grown = rows(
        np.array([0, len(mixed[0])]),
        mixed,
        prior[None],
        np.concatenate([echoes[: k + 1], strange]),
    )
    assert whole[: k + 1].tobytes() == cut.tobytes() == grown[: k + 1].tobytes()


@settings(max_examples=40, deadline=None)
@given(sessions())
def test_rows_equal_a_naive_reading(columns):
    kinds, items, codes, values, ats = columns
    seen = table(columns)
    for k, row in enumerate(seen):
        so_far = items[: k + 1]
        assert row["items"] == len(set(so_far[so_far > 0].tolist()))
        assert row["categories"] == len(set(codes[: k + 1][codes[: k + 1] > 0].tolist()))
        for kind in Kind:
            assert row[f"events_{kind.name}"] == (kinds[: k + 1] == kind).sum()
        if k:
            gaps = np.diff(ats[: k + 1]) / MINUTE_MS
            assert row["gap_mean"] == pytest.approx(gaps.mean())
            assert row["gap_longest"] == pytest.approx(gaps.max())
        some = values[: k + 1][values[: k + 1] > 0]
        assert (row["value_mean"] == pytest.approx(some.mean() / 1e6)) if len(some) else True
        assert row["hour"] == pytest.approx((ats[k] / HOUR_MS) % 24)


def test_sessions_do_not_touch_each_other():
    one = a_visit()
    both = tuple(np.concatenate([a, a]) for a in one)
    prior, echoes = _past(5)
    made = rows(np.array([0, 5, 10]), both, np.stack([prior, prior]), np.tile(echoes, (2, 1)))
    assert made[:5].tobytes() == made[5:].tobytes()


def test_a_session_of_one_event_and_of_none():
    assert len(table(session([CLICK], [0], [0], [0], [MONDAY_NOON]))) == 1
    assert table(session([], [], [], [], [])) == []
