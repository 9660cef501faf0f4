"""Impressions as rows and auctions as notices."""

import math

import numpy as np
import pytest

from domain.events import Event, Kind
from feature_store.history import History
from models.bidding.columns import NAMES, code_of
from models.bidding.feedback import Kind as Notice
from models.bidding.feedback import checked
from models.bidding.landscape import columns_of, places_of
from training.fit.bidding.bids import Bid
from training.fit.bidding.table import STEP, notice_of, notices_of, table_of

DAY = 86_400_000
AT = 1_700_000_000_000


def bid(**changes):
    plain = {
        "bid": "b",
        "at": AT,
        "entity": "u1",
        "context": {"site": "s"},
        "scores": {"intent": 0.5},
        "campaign": "c",
        "line": "l",
        "creative": "k",
        "auction": 1,
        "price": 1_000_000,
        "floor": 0,
    }
    return Bid(**{**plain, **changes})


def history():
    return History.from_events(
        [
            Event("e1", "u1", Kind.purchase, AT - 3 * DAY, value=5_000_000),
            Event("e2", "u1", Kind.purchase, AT + DAY, value=5_000_000),
        ]
    )


def test_rows_are_by_time_and_see_nothing_of_the_future():
    bids = [
        bid(bid="late", at=AT + 2 * DAY, shown=AT + 2 * DAY),
        bid(shown=AT + 5, clicked=AT + 100, converted=AT + 1100, worth=7),
        bid(bid="unshown"),
    ]
    table = table_of(bids, history(), AT + 10 * DAY)
    assert table.at.tolist() == [AT, AT + 2 * DAY]
    assert table.clicked.tolist() == table.converted.tolist() == [True, False]
    assert table.waited.tolist() == [1000.0, 0.0]
    assert table.worth.tolist() == [7.0, 0.0]
    named = dict(zip(NAMES, table.x[0], strict=True))
    assert named["recency"] == pytest.approx(3.0)
    assert named["orders_28d"] == 1
    assert named["intent"] == 0.5
    assert named["campaign"] == code_of("campaign", "c")
    assert dict(zip(NAMES, table.x[1], strict=True))["recency"] == pytest.approx(1.0)


def test_who_is_not_known_has_no_numbers_and_a_click_waits_until_now():
    table = table_of([bid(entity="u9", shown=AT, clicked=AT + 10)], history(), AT + 1010)
    assert np.isnan(table.x[0, NAMES.index("recency")])
    assert table.waited.tolist() == [1000.0]


def test_some_rows_are_taken_everywhere():
    table = table_of([bid(shown=AT), bid(bid="b2", at=AT + 1, shown=AT + 1)], history(), AT + DAY)
    assert table.take(np.array([False, True])).at.tolist() == [AT + 1]


@pytest.mark.parametrize(
    ("changes", "kind", "low", "high"),
    [
        ({"won": True}, Notice.won, None, 1_000_000),
        ({"won": False}, Notice.lost, 1_000_000, None),
        ({"won": False, "minimum": 1_200_000}, Notice.minimum, 1_200_000 - STEP, 1_200_000),
        ({"won": True, "auction": 2, "paid": 600_000}, Notice.exact, 600_000, None),
        ({"won": True, "auction": 2, "paid": 600_000, "floor": 600_000}, Notice.won, None, 600_000),
        ({"won": True, "auction": 2}, Notice.won, None, 1_000_000),
        ({"won": True, "auction": 1, "paid": 1_000_000}, Notice.won, None, 1_000_000),
        ({"won": True, "auction": 2, "paid": 2_000_000}, Notice.won, None, 1_000_000),
    ],
)
def test_what_an_auction_told(changes, kind, low, high):
    found = notice_of(bid(**changes))
    assert found[0] == kind
    if low is not None:
        assert found[1] == pytest.approx(math.log(low))
    if high is not None:
        assert found[2] == pytest.approx(math.log(high))


def test_silence_is_no_notice_and_the_floor_is_a_word():
    rows = notices_of([bid(), bid(won=True, floor=1 << 20)], 8)
    assert len(rows.kind) == 1
    assert rows.places[0].tolist() == places_of({"site": "s", "floor": "20"}, 8).tolist()
    assert checked(rows, columns_of(8)).kind.tolist() == [Notice.won]
