"""What each notice says, and that what cannot be true says nothing, or only what is certain."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.bidding.feedback import Kind
from models.bidding.tidings import (
    BILL,
    LOSS,
    MOST_TIMES,
    PRICE_LOSSES,
    STEP,
    WIN,
    WORDS,
    Lessons,
    draw,
    price_told,
    reward_of,
)
from tests.models.bidding.schooling import FEATURES, MEMO, told

BID = 1_000_000
EXACT, WON, LOST, MINIMUM = Kind.exact, Kind.won, Kind.lost, Kind.minimum
FIRST = {"at": 1}


@pytest.mark.parametrize(
    ("notice", "said"),
    [
        # A second price above the floor (half of the value, so one unit) is what was to be beaten.
        (told(WIN, 1_200_000, bid=1_500_000), (EXACT, 1_200_000, 1_200_000)),
        (told(WIN, 1_000_000, bid=1_500_000), (WON, 1_000_000, 1_000_000)),
        (told(WIN, BID), (WON, BID, BID)),
        (told(WIN), (WON, BID, BID)),
        (told(WIN, 700_000, 650_000, **FIRST), (MINIMUM, 650_000 - STEP, 650_000)),
        (told(WIN, 700_000, **FIRST), (WON, BID, BID)),
        (told(WIN, 700_000, STEP // 2, **FIRST), (MINIMUM, 1, STEP // 2)),
        (told(LOSS), (LOST, BID, BID)),
        (told(LOSS, reason=102), (LOST, BID, BID)),
        (told(LOSS, None, 1_300_000), (MINIMUM, 1_300_000 - STEP, 1_300_000)),
        (told(LOSS, None, BID + 5), (MINIMUM, BID, BID + 5)),
        (told(LOSS, 1_400_000, **FIRST), (EXACT, 1_400_000, 1_400_000)),
        (told(LOSS, 1_400_000), (LOST, 1_400_000, 1_400_000)),
    ],
)
def test_four_kinds_of_feedback(notice, said):
    assert price_told(notice) == said


@pytest.mark.parametrize(
    "notice",
    [
        told(WIN, 600_000, at=3),
        told(LOSS, at=3),
        told(WIN, bid=0),
        *[told(LOSS, reason=reason) for reason in (1, 2, 3, 103, 104, 200, 205, 500, 99_999)],
    ],
)
def test_what_says_nothing_of_prices(notice):
    assert price_told(notice) is None


@pytest.mark.parametrize("absurd", [0, 1, BID - 1, BID, int(BID * MOST_TIMES) + 1, 10**15])
@pytest.mark.parametrize("field", ["price", "to_win"])
def test_an_absurd_price_of_a_loss_only_says_that_it_was_lost(field, absurd):
    for at in (1, 2):
        notice = told(LOSS, at=at)._replace(**{field: absurd})
        assert price_told(notice) == (LOST, BID, BID)


@pytest.mark.parametrize("absurd", [0, BID + 1, 10**15])
def test_an_absurd_price_of_a_win_only_says_that_it_was_won(absurd):
    for at in (1, 2):
        for field in ("price", "to_win"):
            notice = told(WIN, at=at)._replace(**{field: absurd})
            assert price_told(notice) == (WON, BID, BID)


def test_the_reward_is_the_share_of_the_value_that_was_kept():
    assert reward_of(told(WIN, 500_000)) == 0.75
    assert reward_of(told(WIN)) == 0.5
    assert reward_of(told(WIN, 10**15)) == 0.5, "never more than was bid"
    assert reward_of(told(LOSS)) == 0.0
    assert reward_of(told(LOSS, reason=200)) is None
    assert reward_of(told(WIN, memo=MEMO._replace(value=0))) is None
    assert reward_of(told(WIN, memo=None)) is None
    assert reward_of(told(WIN, memo=MEMO._replace(value=900_000))) == pytest.approx(-1 / 9)
    assert reward_of(told(WIN, memo=MEMO._replace(value=1))) == -1.0


def lessons(*notices, bills_are_wins=False):
    into = Lessons()
    for notice in notices:
        draw(notice, into, bills_are_wins=bills_are_wins)
    return into


def test_a_win_teaches_prices_and_multipliers():
    found = lessons(told(WIN, 600_000, arm=7))
    (price,), (tried,) = found.prices, found.tried
    assert (price.memo, price.kind, price.high) == (MEMO, WON, math.log(600_000))
    assert tried == ("north", "c1", 2, FEATURES, 0.7)
    assert found.heard == [("north", WORDS.index(WIN))]
    assert not found.impressions
    assert len(found) == 3


def test_a_bill_teaches_an_impression_and_spend():
    found = lessons(told(BILL, 600_000, spent=600))
    assert found.impressions == [("c1", "cr", FEATURES, 0.01, 600, False)]
    assert not found.prices
    assert not found.tried
    found = lessons(told(BILL, spent=600, memo=MEMO._replace(greedy=False)))
    assert found.impressions[0].explores
    blank = lessons(told(BILL, spent=600, memo=None))
    assert blank.impressions == [("c1", "cr", (), 0.0, 600, False)]
    assert blank.refused == 0


def test_where_only_bills_are_told_they_are_wins():
    found = lessons(told(BILL, 600_000, spent=600), bills_are_wins=True)
    assert (len(found.prices), len(found.tried), len(found.impressions)) == (1, 1, 1)


def test_without_a_memo_or_a_rate_nothing_is_learned_of_prices():
    assert lessons(told(WIN, memo=None)).refused == 1
    for scale in (0.0, math.nan, math.inf, -1.0):
        found = lessons(told(WIN, 600_000, scale=scale))
        assert (found.refused, found.prices) == (1, [])
        assert found.tried[0].reward == 0.7, "shares need no rate"


def test_prices_are_turned_into_the_landscape_s_currency():
    (price,) = lessons(told(WIN, 600_000, scale=1.1)).prices
    assert price.high == pytest.approx(math.log(660_000))


def test_deals_teach_no_prices_but_multipliers():
    found = lessons(told(WIN, 600_000, memo=MEMO._replace(places=())))
    assert (found.prices, len(found.tried), found.refused) == ([], 1, 0)


@given(
    st.sampled_from(WORDS),
    st.none() | st.integers(0, 10**16),
    st.none() | st.integers(0, 10**16),
    st.integers(0, 99_999),
    st.integers(0, 10**12),
    st.sampled_from([1, 2, 3, 500]),
)
def test_whatever_is_told_lessons_are_numbers_within_reason(word, price, to_win, reason, bid, at):
    made = told(word, price, to_win, reason)
    made = made._replace(token=made.token._replace(price=bid, at=at))
    found = lessons(made, bills_are_wins=True)
    for one in found.prices:
        assert math.isfinite(one.low)
        assert one.low <= one.high <= math.log(max(bid, 1) * MOST_TIMES) + 1e-9
    assert all(-1 <= one.reward <= 1 for one in found.tried)
    assert reason in PRICE_LOSSES or word != LOSS or not found.tried
