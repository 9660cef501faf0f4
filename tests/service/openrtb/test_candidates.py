"""Candidates: lines, creatives, impressions and deals put together, and why some are none."""

from domain.campaigns import LineItem
from domain.currencies import REFERENCE
from service.openrtb.candidates import LINES_A_LOOK, Found, find_candidates, ready_lines
from tests.service.openrtb.making import (
    always,
    auction,
    campaign,
    counting,
    creative,
    imp,
    line_of,
    video,
)


def found(*lines: object, **parts: object) -> Found:
    imps = parts.pop("imps", [imp()])
    return find_candidates(auction(*imps, **parts), lines, REFERENCE, always)  # type: ignore[arg-type]


def test_a_line_its_creatives_and_the_impressions() -> None:
    both = line_of(creative(), creative(creative="cr-2"), video())
    got = found(both, imps=[imp("1"), imp("2")])
    names = [tuple(c.creative.creative for c in one.group.creatives) for one in got.candidates]
    assert names == [("cr-1", "cr-2")] * 2
    assert [one.offer.place for one in got.candidates] == [0, 1]
    assert got.causes == {"media": 1}
    first = got.candidates[0]
    assert (first.standard, first.cap, first.offer.terms.floor) == (2_000_000, 5_000_000, 0)
    assert first.offer.deal is None
    assert first.group.numbers == (0, 1)


def test_only_active_lines_and_their_own_creatives() -> None:
    lines = (LineItem("on", 1, creatives=("cr-2",)), LineItem("off", 1, active=False))
    ready = ready_lines(
        campaign(creative(), creative(creative="cr-2"), creative(creative="x", active=False),
                 lines=lines)
    )  # fmt: skip
    assert [(one.line.line, [c.creative.creative for c in one.creatives]) for one in ready] == [
        ("on", ["cr-2"])
    ]


def test_the_standard_bid_never_exceeds_the_cap() -> None:
    one = line_of(line={"bid": 9_000_000})
    assert (one.standard, one.cap) == (5_000_000, 5_000_000)
    lower = line_of(line={"bid": 9_000_000, "max_bid": 3_000_000})
    assert (lower.standard, lower.cap) == (3_000_000, 3_000_000)


def test_prices_are_converted_to_our_disadvantage() -> None:
    got = found(line_of(currency="EUR"), imps=[imp(bidfloor=1, bidfloorcur="GBP")])
    one = got.candidates[0]
    assert one.standard == REFERENCE.down(2_000_000, "EUR", "USD")
    assert one.offer.terms.floor == REFERENCE.up(1_000_000, "GBP", "USD")
    assert found(line_of(currency="XYZ")).causes == {"currency": 1}
    assert found(line_of(), imps=[imp(bidfloorcur="XYZ")]).causes == {"currency": 1}


def test_deals_are_offered_to_those_who_have_them() -> None:
    deals = {"deals": [{"id": "d", "bidfloor": 3}, {"id": "e", "wseat": ["other"]}, {"id": "f"}]}
    got = found(line_of(line={"deals": ("d", "e")}), imps=[imp(pmp=deals)])
    told = [(one.offer.deal.id if one.offer.deal else "", one.offer.terms.floor)
            for one in got.candidates]  # fmt: skip
    assert told == [("d", 3_000_000), ("", 0)]
    closed = line_of(line={"deals": ("d",), "open_market": False})
    assert len(found(closed, imps=[imp(pmp=deals)]).candidates) == 1
    assert found(closed).candidates == []


def test_a_private_auction_is_for_deals_alone() -> None:
    private = {"private_auction": 1, "deals": [{"id": "d"}]}
    assert found(line_of(), imps=[imp(pmp=private)]).causes == {"private": 1}
    owner = found(line_of(line={"deals": ("d",)}), imps=[imp(pmp=private)])
    assert [one.offer.deal.id for one in owner.candidates if one.offer.deal] == ["d"]
    assert len(owner.candidates) == 1


def test_a_floor_above_the_cap_is_out_of_reach() -> None:
    assert found(line_of(), imps=[imp(bidfloor=5.000001)]).causes == {"cap": 1}
    assert len(found(line_of(), imps=[imp(bidfloor=5)]).candidates) == 1
    assert found(line_of(), imps=[imp(bidfloor=1e12)]).causes == {"floor": 1}


def test_the_commonest_reason_is_told() -> None:
    imps = [
        imp("1", secure=1),
        imp("2", banner={"w": 9, "h": 9}),
        imp("3", banner={"w": 8, "h": 8}),
    ]
    assert found(line_of(), imps=imps).causes == {"size": 1}
    assert found(line_of(), badv=["shop.example"]).causes == {"advertiser_blocked": 1}


def test_the_search_ends_with_the_time() -> None:
    lines = [line_of() for _ in range(3 * LINES_A_LOOK)]
    got = find_candidates(auction(), lines, REFERENCE, counting(2))
    assert not got.in_time
    assert len(got.candidates) == 2 * LINES_A_LOOK
