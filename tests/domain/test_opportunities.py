"""The words of an auction: numbers that exchanges know, and what is immutable."""

import pytest

from domain.campaigns import Creative, Media
from domain.opportunities import (
    Auction,
    AuctionType,
    Bid,
    Blocks,
    Event,
    NoBid,
    NoBidReason,
    Opportunity,
    Outcome,
    Place,
    Privacy,
    Spot,
)


def test_the_reasons_are_the_exchanges_numbers() -> None:
    assert [int(reason) for reason in NoBidReason] == list(range(18))
    assert NoBidReason.invalid_request == 2
    assert NoBidReason.crawler == 3
    assert NoBidReason.user_cap == 9
    assert NoBidReason.too_late == 15
    assert NoBidReason.incomplete_chain == 16
    assert NoBidReason.blocked_chain == 17


def test_auction_types_are_the_wires_numbers() -> None:
    assert (AuctionType.first, AuctionType.second, AuctionType.fixed) == (1, 2, 3)


def test_what_is_made_for_a_request_cannot_be_changed() -> None:
    auction = Auction("a", 1, "USD", (), Place(), Blocks(), Privacy(False, "coppa"))
    bid = Bid("b", "1", "c", "l", Creative("x"), "", 1)
    for made, name in (
        (auction, "currency"),
        (bid, "price"),
        (NoBid(NoBidReason(2), "x"), "cause"),
    ):
        with pytest.raises(AttributeError):
            setattr(made, name, "other")


def test_nothing_given_is_no_restriction() -> None:
    auction = Auction("a", 1, "USD", (), Place(), Blocks(), Privacy(True))
    assert not any(part for part in auction.blocks if part != auction.blocks.taxonomy)
    assert auction.keys == ("", "", "", ())
    assert (auction.limit_ms, auction.test, auction.broken) == (None, False, "")
    spot = Spot(Media.banner)
    assert (spot.high, spot.skippable, spot.boxing, spot.floors) == (None, None, True, None)
    assert Opportunity._field_defaults["multiplier"] == 1_000_000


def test_outcomes_tell_what_was_told() -> None:
    assert Outcome("b", Event.win, 5).price is None
    assert [event.value for event in Event] == ["win", "bill", "loss"]
