"""What the past says: a written-out example, a naive oracle, and its window."""

import numpy as np
import pytest

from domain.clock import HOUR_MS, MINUTE_MS
from domain.events import Kind
from models.intent.past import ECHOES, PAST, PRIOR, echoes_of, prior_of
from models.intent.renown import unheard

OWN = ECHOES[: ECHOES.index("item_kept")]
GAP = 30 * MINUTE_MS
CLICK, ADD, REMOVE, BUY, MARK = (
    int(kind)
    for kind in (
        Kind.click,
        Kind.add_to_cart,
        Kind.remove_from_cart,
        Kind.purchase,
        Kind.custom,
    )
)


def prior(kinds, items, categories, values, ats, first):
    out = np.zeros(len(PRIOR))
    prior_of(*columns(kinds, items, categories, values, ats), first, GAP, out)
    return dict(zip(PRIOR, out.tolist(), strict=True))


def echoes(kinds, items, categories, ats, first):
    kinds, items, categories, _, ats = columns(kinds, items, categories, [0] * len(ats), ats)
    out = np.zeros((len(ats) - first, len(ECHOES)))
    echoes_of(kinds, items, categories, ats, (first, len(ats)), unheard(), out)
    return [dict(zip(OWN, row[: len(OWN)], strict=True)) for row in out.tolist()]


def columns(kinds, items, categories, values, ats):
    return (
        np.array(kinds, np.int8),
        np.array(items, np.uint64),
        np.array(categories, np.int32),
        np.array(values, np.int64),
        np.array(ats, np.int64),
    )


#        day one ------------------------  later ------------  now
KINDS = [CLICK, ADD, BUY, MARK, ADD, CLICK, CLICK]
ITEMS = [1, 1, 1, 2, 3, 0, 3]
CODES = [5, 5, 5, 5, 6, 0, 6]
VALUES = [0, 0, 12_000_000, 0, 0, 0, 0]
HOURS = [0, 0.1, 0.2, 0.3, 40, 40.25, 50]
ATS = [round(hour * HOUR_MS) for hour in HOURS]


def test_a_written_out_prior():
    assert prior(KINDS, ITEMS, CODES, VALUES, ATS, 6) == pytest.approx(
        {
            "past_events": 6,
            "past_sessions": 2,
            "past_purchases": 1,
            "past_carts": 2,
            "past_marks": 1,
            "past_items": 3,
            "past_categories": 2,
            "past_hours": 50,
            "hours_since_event": 9.75,
            "hours_since_purchase": 49.8,
            "hours_since_cart": 10,
            "events_last_day": 2,
            "purchases_last_day": 0,
            "carts_last_day": 1,
            "events_last_session": 2,
            "purchases_last_session": 0,
            "carts_last_session": 1,
            "buying_session_share": 0.5,
            "purchases_per_event": 1 / 6,
            "carts_per_event": 1 / 3,
            "open_carts": 1,
            "hours_since_open_cart": 10,
            "session_events_mean": 3,
            "purchase_value_mean": 12,
            "top_category_share": 4 / 6,
        }
    )


def test_without_a_past_nothing_is_known():
    assert all(value != value for value in prior(KINDS, ITEMS, CODES, VALUES, ATS, 0).values())
    assert all(
        value != value for row in echoes(KINDS, ITEMS, CODES, ATS, 0) for value in row.values()
    )


def test_what_never_was_has_no_time():
    found = prior([CLICK, CLICK], [1, 1], [1, 1], [0, 0], [0, HOUR_MS], 1)
    never = {name for name, value in found.items() if value != value}
    assert never == {
        "hours_since_purchase",
        "hours_since_cart",
        "hours_since_open_cart",
        "purchase_value_mean",
    }


def test_a_written_out_echo():
    (row,) = echoes(KINDS, ITEMS, CODES, ATS, 6)
    assert row == pytest.approx(
        {
            "item_seen": 1,
            "hours_since_item": 10,
            "item_carted": 1,
            "item_open": 1,
            "item_bought": 0,
            "category_seen": 1,
            "hours_since_category": 10,
            "category_carted": 1,
            "category_bought": 0,
        }
    )


def test_an_event_without_item_or_category_has_no_echo():
    (row,) = echoes([CLICK, CLICK], [1, 0], [1, 0], [0, HOUR_MS], 1)
    assert all(value != value for value in row.values())


def test_what_the_session_met_last():
    kinds, items, codes, _, ats = columns(
        [CLICK] * 6, [9, 1, 0, 1, 2, 2], [3, 5, 0, 5, 5, 6], [0] * 6, range(6)
    )
    out = np.zeros((5, len(ECHOES)))
    echoes_of(kinds, items, codes, ats, (1, 6), unheard(), out)
    kept = [ECHOES.index("item_kept"), ECHOES.index("category_kept")]
    expected = [[np.nan, np.nan], [np.nan, np.nan], [1, 1], [0, 1], [1, 0]]
    assert np.array_equal(out[:, kept], expected, equal_nan=True)


def test_an_item_never_touched_was_seen_zero_times():
    (row,) = echoes([CLICK, CLICK], [1, 2], [1, 1], [0, HOUR_MS], 1)
    assert row["item_seen"] == 0
    assert row["hours_since_item"] != row["hours_since_item"]
    assert row["category_seen"] == 1


@pytest.mark.parametrize("end", [BUY, REMOVE])
def test_what_was_bought_or_taken_out_is_in_no_cart(end):
    kinds, items = [ADD, ADD, end, CLICK], [1, 2, 1, 1]
    ats = [0, 1, 2, HOUR_MS]
    found = prior(kinds, items, [0] * 4, [0] * 4, ats, 3)
    assert found["open_carts"] == 1
    assert echoes(kinds, items, [0] * 4, ats, 3)[0]["item_open"] == 0


def test_only_the_last_of_the_past_is_looked_at():
    n = PAST + 10
    kinds = [BUY] * 10 + [CLICK] * (PAST + 1)
    found = prior(kinds, [1] * (n + 1), [1] * (n + 1), [0] * (n + 1), range(n + 1), n)
    assert found["past_events"] == PAST
    assert found["past_purchases"] == 0
    row = echoes(kinds, [1] * (n + 1), [1] * (n + 1), range(n + 1), n)[0]
    assert row["item_seen"] == PAST
    assert row["item_bought"] == 0


@pytest.mark.parametrize("seed", range(20))
def test_counts_equal_those_of_a_naive_reading(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(5, 80))
    kinds = rng.choice([CLICK, CLICK, ADD, REMOVE, BUY, MARK], n)
    items, codes = rng.integers(0, 6, n), rng.integers(0, 3, n)
    ats = np.cumsum(rng.choice([MINUTE_MS, 20 * MINUTE_MS, 3 * HOUR_MS], n))
    first = int(rng.integers(1, n))
    found = prior(kinds, items, codes, rng.integers(0, 10**9, n), ats, first)
    past = list(zip(kinds[:first], items[:first], codes[:first], ats[:first], strict=True))
    cart = {}
    for place, (kind, item, _, _) in enumerate(past):
        if item and kind == ADD:
            cart[item] = place
        elif kind in (BUY, REMOVE):
            cart.pop(item, None)
    starts = [0, *(np.flatnonzero(np.diff(ats[:first]) > GAP) + 1).tolist()]
    parts = np.split(kinds[:first], starts[1:])
    assert found["past_items"] == len({item for _, item, _, _ in past if item})
    assert found["past_categories"] == len({code for _, _, code, _ in past if code})
    assert found["open_carts"] == len(cart)
    assert found["past_sessions"] == len(parts)
    assert found["buying_session_share"] == np.mean([BUY in part for part in parts])
    assert found["events_last_session"] == len(parts[-1])
    assert found["events_last_day"] == sum(ats[first] - at <= 24 * HOUR_MS for *_, at in past)
    rows = echoes(kinds, items, codes, ats, first)
    for row, item, code in zip(rows, items[first:], codes[first:], strict=True):
        if item:
            assert row["item_seen"] == sum(one == item for _, one, _, _ in past)
            assert row["item_open"] == (item in cart)
        if code:
            mine = [kind for kind, _, one, _ in past if one == code]
            assert row["category_bought"] == mine.count(BUY)
