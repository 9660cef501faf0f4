"""Bids from decisions, and their outcomes event by event."""

import json

import pytest

from domain.events import Kind
from training.fit.bidding.bids import after, bids_of
from training.fit.bidding.settings import BiddingSettings

SETTINGS = BiddingSettings()
DAY = 86_400_000


def row(**said):
    one = {"bid": "b1", "campaign": "c", "line": "l", "creative": "k", "at": 1, "price": 700}
    plain = {"context": {"site": "s"}, "scores": {"intent": 0.5}, "bids": [one]}
    return {
        "decision_id": "d",
        "at": 1000,
        "entity": "u1",
        "request": json.dumps({**plain, **said}),
    }


def event(kind, at, **more):
    plain = {"entity": "u1", "value": 0, "currency_code": 0, "properties": ""}
    return {"kind": kind, "at": at, "decision_id": "b1", **plain, **more}


def fed(*events):
    bid = bids_of(row())[0]
    for one in events:
        bid = after(bid, one, SETTINGS)
    return bid


def test_a_bid_is_read_with_its_context():
    bid = bids_of(row())[0]
    assert (bid.bid, bid.at, bid.entity, bid.price, bid.auction) == ("b1", 1000, "u1", 700, 1)
    assert bid.context == {"site": "s"}
    assert bid.scores == {"intent": 0.5}
    assert bid.won is None


def test_a_single_bid_goes_by_its_decision_and_several_need_ids():
    assert bids_of(row(bids=[{"price": 5}]))[0].bid == "d"
    assert bids_of(row(bids=[{"price": 5}, {"price": 6}])) == []
    assert [bid.bid for bid in bids_of(row(bids=[{"bid": "x", "price": 5}, {"price": 6}]))] == ["x"]


@pytest.mark.parametrize(
    "request_text",
    ["", "no json", "[]", '{"bids": 7}', '{"bids": [3]}', '{"bids": [{"price": -1}]}'],
)
def test_what_cannot_be_read_is_no_bid(request_text):
    assert bids_of({**row(), "request": request_text}) == []


@pytest.mark.parametrize("price", [True, "7", -3, 0, 1e16, float("nan"), None])
def test_a_price_that_is_none_is_no_bid(price):
    assert bids_of(row(bids=[{"bid": "x", "price": price}])) == []


def test_each_outcome_counts_once_at_its_first():
    bid = fed(
        event(Kind.impression, 1100),
        event(Kind.impression, 9999),
        event(Kind.click, 1200),
        event(Kind.click, 1300),
        event(Kind.purchase, 5000, value=3_000_000),
        event(Kind.purchase, 6000, value=9_000_000),
    )
    assert (bid.shown, bid.clicked, bid.converted, bid.worth) == (1100, 1200, 5000, 3_000_000)
    assert bid.won is True


def test_windows_and_order_are_kept():
    assert fed(event(Kind.click, 1200)).clicked is None
    late = fed(event(Kind.impression, 1100), event(Kind.click, 1100 + 2 * DAY))
    assert late.clicked is None
    clicked = (event(Kind.impression, 1100), event(Kind.click, 1200))
    assert fed(*clicked, event(Kind.purchase, 1200 + 15 * DAY)).converted is None
    assert fed(*clicked, event(Kind.purchase, 1200 + 13 * DAY)).converted is not None


def test_foreign_money_is_no_worth():
    events = (event(Kind.impression, 1100), event(Kind.click, 1200))
    bid = fed(*events, event(Kind.purchase, 1300, value=5, currency_code=77))
    assert bid.converted == 1300
    assert bid.worth == 0


def test_notices_are_gathered_and_who_was_shown_has_won():
    lost = fed(event(Kind.custom, 1100, properties='{"auction": "lost", "minimum": 900}'))
    assert (lost.won, lost.minimum) == (False, 900)
    won = fed(
        event(Kind.impression, 1100, properties='{"price": 650}'),
        event(Kind.custom, 1200, properties='{"auction": "lost"}'),
    )
    assert (won.won, won.paid) == (True, 650)


def test_the_impression_says_whose_it_was():
    bid = bids_of({**row(), "entity": ""})[0]
    assert after(bid, event(Kind.impression, 1100, entity="u9"), SETTINGS).entity == "u9"
