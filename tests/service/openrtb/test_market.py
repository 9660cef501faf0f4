"""The market: lines that run now and want an opportunity."""

from domain.campaigns import Flight
from domain.targeting import Targeting, Traits
from service.openrtb.market import ListedMarket
from tests.service.openrtb.making import campaign

MONDAY_NOON = 1_790_596_800_000
"""2026-09-28 12:00 UTC."""


def names(market: ListedMarket, now: int = MONDAY_NOON, **traits: tuple[str, ...]) -> list[str]:
    found = market.matching(Traits(**traits), now).numbers.tolist()
    return [market.gatherer.lines[number].campaign.campaign for number in found]


def test_lines_say_what_they_want() -> None:
    market = ListedMarket(
        [
            campaign(campaign="all"),
            campaign(campaign="de", line={"targeting": Targeting(geos=("DEU",))}),
            campaign(campaign="noon", line={"targeting": Targeting(hours=(12,))}),
            campaign(campaign="tokyo", zone="Asia/Tokyo",
                     line={"targeting": Targeting(hours=(21,))}),
        ]
    )  # fmt: skip
    assert names(market) == ["all", "noon", "tokyo"]
    assert names(market, geos=("DEU",)) == ["all", "de", "noon", "tokyo"]
    assert names(market, MONDAY_NOON + 3_600_000) == ["all"]


def test_only_what_runs() -> None:
    market = ListedMarket(
        [
            campaign(campaign="off", active=False),
            campaign(campaign="over", flight=Flight(0, MONDAY_NOON)),
            campaign(campaign="now", flight=Flight(MONDAY_NOON, MONDAY_NOON + 1)),
        ]
    )
    assert names(market) == ["now"]
    assert names(ListedMarket()) == []


def test_deals_of_all_lines() -> None:
    market = ListedMarket(
        [campaign(line={"deals": ("a", "b")}), campaign(campaign="c-2", line={"deals": ("b",)})]
    )
    assert market.deals == {"a", "b"}
    assert ListedMarket().deals == frozenset()
