"""Requests: read by the service as they are meant, and judged as the law they were drawn under."""

import json

import msgspec
import numpy as np
import pytest

from demo.exchange.requests import CONSENT, TMAX, VENDOR, H, W, bid_request
from demo.exchange.supply import HOUSES, LAWS, Offer, Visitor
from domain import tcf
from domain.currencies import REFERENCE
from domain.opportunities import Auction, AuctionType, Size
from service.bid_settings import BidSettings
from service.openrtb.privacy import PrivacyJudge
from service.openrtb.reading import Reading, read_auction
from service.openrtb.wire import BidRequest

VERDICTS = {"": "", "granted": "", "gdpr": "gdpr", "coppa": "coppa", "lmt": "lmt"}


def offer(law: str = "", user: str = "anna", house: int = 0, number: int = 7) -> Offer:
    return Offer(
        number, 0.0, HOUSES[house], 3, 20, 123_456, np.zeros(5), 0.02, 0.5, False, 1.0,
        Visitor(user, law),
    )  # fmt: skip


def read(one: Offer, vendor: int = VENDOR) -> Auction:
    request = msgspec.json.decode(json.dumps(bid_request(one, "ab12")), type=BidRequest)
    settings = BidSettings()
    privacy = PrivacyJudge(vendor).judge(request)
    reading = Reading(settings.rates, settings.special)
    return read_auction(request, privacy, reading, one.house.name, frozenset())


def test_every_law_has_its_verdict() -> None:
    assert set(VERDICTS) == set(LAWS)
    for law, why in VERDICTS.items():
        privacy = read(offer(law)).privacy
        assert (privacy.personal, privacy.why) == (not why, why), law


def test_the_consent_is_for_us_alone() -> None:
    assert tcf.decode(CONSENT).grants(VENDOR, (2, 4))
    assert not tcf.decode(CONSENT).grants(VENDOR + 1, (2, 4))
    assert not read(offer("granted"), vendor=VENDOR + 1).privacy.personal


def test_what_is_sold() -> None:
    auction = read(offer())
    assert (auction.id, auction.currency, auction.exchange) == ("ab12-7", "USD", "dawn")
    assert auction.limit_ms == TMAX
    assert not auction.broken
    assert not auction.robot
    assert auction.chain_complete
    (impression,) = auction.opportunities
    assert impression.floors.flat == 123_456
    assert impression.secure
    assert impression.expiry == 300
    (spot,) = impression.spots
    assert Size(W, H) in spot.sizes
    assert auction.place.domain == "paper3.example"
    assert REFERENCE is BidSettings().rates


@pytest.mark.parametrize(("house", "at"), [(0, AuctionType.first), (1, AuctionType.second)])
def test_how_the_price_is_found(house: int, at: AuctionType) -> None:
    assert read(offer(house=house)).at == at


def test_names_of_users_reach_us_only_where_they_may() -> None:
    keys = read(offer()).keys
    assert keys.buyer == "anna"
    assert keys.exchange != "anna"
    assert read(offer(number=8)).keys == keys
    for law in ("gdpr", "coppa", "lmt"):
        assert not any(read(offer(law)).keys)
    strangers = {read(offer(user="", number=number)).keys.exchange for number in range(5)}
    assert len(strangers) == 5
    assert all(read(offer(user="")).keys.buyer == "" for _ in range(2))


def test_as_large_as_exchanges_make_them() -> None:
    sizes = [len(json.dumps(bid_request(offer(law), "ab12"))) for law in LAWS]
    assert min(sizes) > 1_700
    assert max(sizes) < 2_700
