"""Reading a request: defaults of the specification, old places, and no user without leave."""

from typing import Any

import pytest

from domain.opportunities import AuctionType, Keys, Place, Privacy
from service.openrtb.reading import MAX_IMPRESSIONS, Reading, read_auction
from tests.service.openrtb.making import PERSONAL, auction, imp, request, wire

FORBIDDEN = Privacy(False, "coppa")
CHAIN = {"complete": 1, "ver": "1.0",
         "nodes": [{"asi": "First.example", "sid": "1"},
                   {"asi": "last.example", "sid": "2"}]}  # fmt: skip


def test_defaults() -> None:
    read = auction()
    assert (read.at, read.currency, read.limit_ms, read.test) == (2, "USD", None, False)
    assert (read.exchange, read.chain, read.chain_complete) == ("", (), None)
    assert (read.place, read.keys, read.broken) == (Place(), Keys(), "")
    one = read.opportunities[0]
    assert (one.floors.currency, one.floors.flat) == ("USD", 0)
    assert (one.private, one.secure, one.interstitial, one.rewarded) == (False,) * 4
    assert (one.expiry, one.multiplier, one.deals) == (0, 1_000_000, ())


@pytest.mark.parametrize(
    ("at", "told"), [(None, 2), (1, 1), (2, 2), (3, 1), (0, 1), (499, 1), (500, 2), (501, 1)]
)
def test_auction_types(at: int | None, told: int) -> None:
    special = {500: AuctionType.second}
    assert auction(at=at, reading=Reading(special=special)).at == told


@pytest.mark.parametrize(
    ("cur", "floor", "told"),
    [
        (None, None, "USD"), (None, "EUR", "USD"), ([], "EUR", "USD"), (["EUR"], None, "EUR"),
        (["XYZ", "GBP"], None, "GBP"), (["GBP", "EUR"], "EUR", "EUR"), (["XYZ"], "XYZ", ""),
        (["GBP", "USD"], None, "USD"),
    ],
)  # fmt: skip
def test_the_currency_of_bids(cur: list[str] | None, floor: str | None, told: str) -> None:
    assert auction(imp(bidfloorcur=floor), cur=cur).currency == told


def test_nobody_is_named_without_leave() -> None:
    who: dict[str, Any] = {
        "user": {"id": "x", "buyeruid": "b", "eids": [{"source": "s", "uids": [{"id": "e"}]}]},
        "device": {"ifa": "i", "ip": "192.0.2.9",
                   "geo": {"country": "DEU", "region": "BE", "city": "Berlin"}},
    }  # fmt: skip
    open_, closed = auction(**who), auction(**who, privacy=FORBIDDEN)
    assert open_.keys == Keys("b", "x", "i", (("s", "e"),))
    assert closed.keys == Keys()
    assert (open_.place.city, closed.place.city) == ("Berlin", "")
    assert closed.place.country == "DEU"
    assert open_.place.address == closed.place.address == "192.0.2.0"
    assert "192.0.2.9" not in repr(open_)


def test_names_in_the_older_place_and_without_a_user() -> None:
    old = auction(user={"ext": {"eids": [{"source": "s", "uids": [{"id": "e"}, {}]}, {}]}})
    assert old.keys.others == (("s", "e"),)
    assert auction(device={"ifa": "i"}).keys == Keys(device="i")


def test_places() -> None:
    site = auction(site={"page": "https://U@WWW.shop.example:8080/p?q", "cat": ["IAB1"],
                         "publisher": {"id": "p"}}).place  # fmt: skip
    assert (site.kind, site.domain, site.publisher) == ("site", "www.shop.example", "p")
    assert site.categories == ("IAB1",)
    assert auction(site={"domain": "A.example", "page": "b.test/x"}).place.domain == "a.example"
    assert auction(site={"page": "prebid.org"}).place.domain == "prebid.org"
    app = auction(app={"bundle": "com.game", "pagecat": ["IAB2"], "cattax": 2}).place
    assert (app.kind, app.bundle, app.categories, app.taxonomy) == ("app", "com.game", ("IAB2",), 2)
    assert auction(dooh={"id": "d", "domain": "x.example"}).place.kind == "dooh"
    there = auction(
        device={"devicetype": 4, "os": "iOS", "langb": "en-GB", "geo": {"utcoffset": 60}}
    )
    assert there.place[-6:] == (60, 4, "ios", "en-GB", "")[:0] + there.place[-6:]
    assert (there.place.device, there.place.system, there.place.offset) == (4, "ios", 60)


def test_the_supply_chain_in_both_places_names_the_exchange() -> None:
    for source in ({"schain": CHAIN}, {"ext": {"schain": CHAIN}}):
        read = auction(source=source)
        assert read.chain == ("first.example", "last.example")
        assert (read.chain_complete, read.exchange) == (True, "last.example")
    named = read_auction(
        wire(request(source={"schain": CHAIN})), PERSONAL, Reading(), exchange="adx"
    )
    assert named.exchange == "adx"


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (request(imp("1"), imp("1")), "duplicate_impression"),
        (request(site={}, app={}), "site_and_app"),
        (request(dooh={}, app={}), "site_and_app"),
        (request(*(imp(str(n)) for n in range(MAX_IMPRESSIONS + 1))), "too_many_impressions"),
        (request(*(imp(str(n)) for n in range(MAX_IMPRESSIONS))), ""),
        (request(site={}), ""),
    ],
)
def test_contradictions_are_named_and_offer_nothing(document: dict[str, Any], why: str) -> None:
    read = read_auction(wire(document), PERSONAL, Reading())
    assert read.broken == why
    assert bool(read.opportunities) is not bool(why)


def test_only_deals_that_somebody_may_buy_are_read() -> None:
    document = request(imp(pmp={"deals": [{"id": "a"}, {"id": "b"}]}))
    for known, told in ((None, ["a", "b"]), (frozenset({"b"}), ["b"]), (frozenset(), [])):
        read = read_auction(wire(document), PERSONAL, Reading(), "", known)
        assert [deal.id for deal in read.opportunities[0].deals] == told


def test_blocks_and_tests_and_robots() -> None:
    read = auction(badv=["Ford.COM"], bcat=["IAB1"], wlang=["en"], bseat=["s"], test=1, tmax=-2,
                   device={"ua": "Googlebot/2.1"})  # fmt: skip
    assert read.blocks.domains == {"ford.com"}
    assert (read.blocks.categories, read.blocks.languages) == (("IAB1",), ("en",))
    assert (read.blocks.seats, read.blocks.taxonomy) == (("s",), 1)
    assert (read.test, read.limit_ms, read.robot) == (True, -2, True)


def test_rewards_in_both_places() -> None:
    for parts in ({"rwdd": 1}, {"ext": {"is_rewarded_inventory": 1}}):
        assert auction(imp(**parts)).opportunities[0].rewarded
    both = imp(rwdd=0, ext={"is_rewarded_inventory": 1})
    assert not auction(both).opportunities[0].rewarded


def test_a_chain_that_ends_in_no_name_names_no_exchange() -> None:
    for asi in ("a\x1fb.example", "x" * 3_000, ""):
        chain = {"complete": 1, "ver": "1.0", "nodes": [{"asi": asi, "sid": "1"}]}
        read = read_auction(wire(request(source={"schain": chain})), PERSONAL, Reading())
        assert read.exchange == ""


def test_names_too_long_to_be_names_are_not_read() -> None:
    long = "n" * 254
    read = auction(
        site={"domain": long, "page": f"https://{long}/"},
        device={"os": long, "geo": {"country": long, "region": long, "city": long}},
    )
    place = read.place
    assert (place.domain, place.system, place.country, place.region, place.city) == ("",) * 5
    assert auction(app={"bundle": long}).place.bundle == ""
    assert auction(site={"domain": long[:253]}).place.domain == long[:253]
