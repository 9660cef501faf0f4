"""Floors: the deal's before the video's before the impression's, in the bid's currency."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.currencies import REFERENCE
from domain.opportunities import Opportunity
from service.openrtb.floors import Terms, UnknownCurrency, terms_of
from tests.service.openrtb.making import VIDEO, auction, imp, opportunity

SECONDS = 1_000


def terms(one: Opportunity, deal: int | None = None, seconds: float = 0, currency: str = "USD",
          spot: int = 0) -> Terms | None:  # fmt: skip
    named = None if deal is None else one.deals[deal]
    return terms_of(one, one.spots[spot], named, int(seconds * SECONDS), currency, REFERENCE)


def with_deal(deal: dict[str, Any], **parts: Any) -> Opportunity:
    return opportunity(**{"bidfloor": 1.5, "pmp": {"deals": [{"id": "d", **deal}]}, **parts})


def test_the_impressions_floor() -> None:
    assert terms(opportunity()) == Terms(0)
    assert terms(opportunity(bidfloor=0.03)) == Terms(30_000)
    assert terms(opportunity(bidfloor=-4)) == Terms(0)
    assert terms(opportunity(bidfloor=1e12)) is None


@given(floor=st.integers(0, 10**9), code=st.sampled_from(["EUR", "GBP", "JPY", "USD"]))
def test_no_price_at_the_floor_is_below_it(floor: int, code: str) -> None:
    one = opportunity(bidfloor=floor / 1_000_000, bidfloorcur=code)
    found = terms(one, currency="USD")
    assert found is not None
    exact = Fraction(floor) * REFERENCE.per_euro["USD"] / REFERENCE.per_euro[code]
    assert exact <= found.floor < exact + 1


def test_an_unknown_currency_is_told() -> None:
    with pytest.raises(UnknownCurrency):
        terms(opportunity(bidfloor=1, bidfloorcur="XYZ"))
    with pytest.raises(UnknownCurrency):
        terms(with_deal({"bidfloor": 1, "bidfloorcur": "XYZ"}), 0)
    # A floor of nothing is nothing in any currency, but which one it is remains unknown.
    with pytest.raises(UnknownCurrency):
        terms(opportunity(bidfloor=0, bidfloorcur="XYZ"))


def test_a_deals_floor_does_not_inherit_the_currency() -> None:
    one = with_deal({"bidfloor": 2}, bidfloorcur="GBP")
    assert terms(one, 0) == Terms(2_000_000)
    assert terms(one) == Terms(REFERENCE.up(1_500_000, "GBP", "USD"))


def test_a_deal_without_guidance_falls_back_on_the_impression() -> None:
    assert terms(with_deal({}), 0) == Terms(1_500_000)
    assert terms(with_deal({"bidfloor": 0}), 0) == Terms(0)
    timed = with_deal({}, video={**VIDEO, "mincpmpersec": 0.2})
    assert terms(timed, 0, seconds=10) == Terms(2_000_000)


def test_an_agreed_price_is_exact() -> None:
    assert terms(with_deal({"at": 3, "bidfloor": 4.5}), 0) == Terms(4_500_000, True)
    assert terms(with_deal({"at": 3}), 0) is None
    euro = with_deal({"at": 3, "bidfloor": 1, "bidfloorcur": "EUR"})
    assert terms(euro, 0) == Terms(1_117_200, True)


def test_a_second_of_video_has_its_price() -> None:
    one = opportunity(bidfloor=9, video={**VIDEO, "mincpmpersec": 0.1})
    assert terms(one, seconds=15) == Terms(1_500_000)
    assert terms(one, seconds=0.0005 * 1000 + 14.5) == Terms(1_500_000)
    assert terms(one, seconds=0) is None


@pytest.mark.parametrize(
    ("seconds", "micros"),
    [(5, 1_000_000), (6, 4_000_000), (15, 4_000_000), (15.5, 7_000_000), (60, 2_000_000)],
)
def test_durations_have_floors(seconds: float, micros: int) -> None:
    spans = [
        {"mindur": 6, "maxdur": 15, "bidfloor": 4},
        {"maxdur": 5, "bidfloor": 1},
        {"mindur": 10, "maxdur": 15, "bidfloor": 3},
        {"mindur": 60, "bidfloor": 2},
    ]
    one = opportunity(bidfloor=7, video={**VIDEO, "durfloors": spans})
    assert terms(one, seconds=seconds) == Terms(micros)


def test_a_deals_durations_come_before_its_floor_only_if_higher() -> None:
    spans = [{"mindur": 1, "maxdur": 15, "bidfloor": 4}]
    assert terms(with_deal({"durfloors": spans}), 0, seconds=10) == Terms(4_000_000)
    assert terms(with_deal({"durfloors": spans}), 0, seconds=20) == Terms(1_500_000)
    both = with_deal({"durfloors": spans, "bidfloor": 5})
    assert terms(both, 0, seconds=10) == Terms(5_000_000)
    assert terms(with_deal({"mincpmpersec": 0.5}), 0, seconds=10) == Terms(5_000_000)


def test_banners_do_not_know_the_video_floor() -> None:
    one = auction(
        imp(bidfloor=1, banner={"w": 1, "h": 1}, video={**VIDEO, "mincpmpersec": 5})
    ).opportunities[0]
    assert terms(one, spot=0) == Terms(1_000_000)
    assert terms(one, spot=1, seconds=2) == Terms(10_000_000)
