"""Campaigns: what is put is what the service takes, and asks for what the story says."""

from typing import Any

import msgspec
import pytest

from demo.calls import Service
from demo.exchange.campaigns import (
    ASKED,
    BRIGHT,
    EFFECTS,
    PLAIN,
    SEGMENT,
    STANDARD,
    TARGET,
    campaign_body,
    put_campaigns,
    put_segment,
    rehearse,
)
from demo.telling import DemoFailed
from domain.campaigns import Aim, Campaign
from domain.clock import FixedClock
from domain.condition_text import parse_condition
from feature_store.audiences import VOCABULARY
from service.routes.campaign_rows import CampaignIn, campaign_of

START = 1_760_000_000_000
FLIGHT = (START, START + 60_000)


def campaign(kind: str) -> Campaign:
    sent = msgspec.convert(campaign_body(kind, 1_234_567, FLIGHT), type=CampaignIn)
    return campaign_of(f"{kind}-ab12", sent, None, FixedClock(START))


@pytest.mark.parametrize("kind", ASKED)
def test_the_service_reads_them_as_meant(kind: str) -> None:
    one = campaign(kind)
    assert one.budget.total == 1_234_567
    assert one.budget.daily is None
    assert (one.flight.starts_at, one.flight.ends_at) == FLIGHT
    assert one.lives(START)
    assert not one.lives(START + 60_000)
    (line,) = one.lines
    assert line.bid == round(STANDARD[kind] * 1e6)
    assert one.cap_of(line) == 3_000_000


def test_who_wants_what() -> None:
    reach, clicks, regulars = (campaign(kind) for kind in ("reach", "clicks", "regulars"))
    assert (reach.objective.aim, reach.objective.target) == (Aim.cpm, round(TARGET * 1e6))
    assert reach.lines[0].targeting.exchanges == ("dawn",)
    assert clicks.objective.aim is Aim.clicks
    assert [one.creative for one in clicks.creatives] == [PLAIN, BRIGHT]
    assert {one.creative for one in clicks.creatives} == set(EFFECTS)
    assert regulars.lines[0].targeting.segments == (SEGMENT,)
    # The standard bid never asks for more than an impression is worth.
    assert STANDARD["reach"] < TARGET


def test_they_are_put_with_budgets_of_the_supply(desk: Any, service: Service) -> None:
    desk.behaviour = lambda method, path, body: (200, {})
    put = put_campaigns(service, "ab12", 1_000, FLIGHT, known=True)
    assert [one.campaign for one in put] == ["reach-ab12", "clicks-ab12", "regulars-ab12"]
    assert [one.budget for one in put] == [1_000 * asked for asked in ASKED.values()]
    assert [(method, path) for method, path, _ in desk.seen] == [
        ("PUT", f"/v1/campaigns/{one.campaign}") for one in put
    ]
    assert desk.seen[0][2]["budget"] == {"total": "0.065000"}


def test_without_users_there_is_no_audience(desk: Any, service: Service) -> None:
    desk.behaviour = lambda method, path, body: (200, {})
    put = put_campaigns(service, "ab12", 1_000, FLIGHT, known=False)
    assert [one.kind for one in put] == ["reach", "clicks"]


def test_the_audience_is_a_condition_the_service_knows(desk: Any, service: Service) -> None:
    desk.behaviour = lambda method, path, body: (200, body)
    where = put_segment(service, 40)
    assert desk.seen[0][:2] == ("PUT", f"/v1/segments/{SEGMENT}")
    parse_condition(where, VOCABULARY)
    assert where.endswith(">= 40")


class Waking:
    """A service that bids from the third request on."""

    def __init__(self, asleep: int = 2) -> None:
        self.asleep = asleep

    def __call__(self, method: str, path: str, body: Any) -> tuple[Any, ...]:
        if not path.startswith("/v1/openrtb2/bid"):
            return 200, {}
        assert body["test"] == 1
        self.asleep -= 1
        return (200, {}) if self.asleep < 0 else (204, "")


def test_a_rehearsal_lasts_until_there_is_a_bid_and_leaves_nothing(
    desk: Any, service: Service
) -> None:
    desk.behaviour = Waking()
    assert rehearse(service, "ab12", {"id": "r", "tmax": 120}) > 0
    methods = [(method, path.partition("?")[0]) for method, path, _ in desk.seen]
    bid = ("POST", "/v1/openrtb2/bid")
    campaign = "/v1/campaigns/rehearsal-ab12"
    assert methods == [("PUT", campaign), bid, bid, bid, ("DELETE", campaign)]
    assert desk.seen[1][2] == {"id": "r", "test": 1, "tmax": 1_000}


def test_a_service_that_never_bids_ends_the_demo(
    desk: Any, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("demo.exchange.campaigns.REHEARSAL_S", 0.05)
    desk.behaviour = Waking(asleep=1_000_000)
    with pytest.raises(DemoFailed, match="no bid on a test request"):
        rehearse(service, "ab12", {"id": "r"})


def test_what_is_refused_ends_the_demo(desk: Any, service: Service) -> None:
    desk.behaviour = lambda method, path, body: (400, {"error": "no"})
    with pytest.raises(DemoFailed, match="answered 400"):
        put_campaigns(service, "ab12", 10, FLIGHT, known=True)
