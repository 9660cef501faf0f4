"""A campaign's JSON: units to micros and back, defaults, refusals by field."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from domain.campaigns import NO_END, Aim, Budget, Flight, FrequencyCap, Objective
from domain.clock import FixedClock
from domain.errors import BadField, NotFound
from service.routes.campaign_rows import (
    CampaignIn,
    CampaignPatch,
    campaign_of,
    campaign_patched,
    campaign_reply,
)
from tests.service.campaigning import BODY, CAMPAIGN
from tests.service.serving import NOW

CLOCK = FixedClock(NOW)


def sent(**changes: Any) -> CampaignIn:
    return msgspec.convert({**BODY, **changes}, CampaignIn)


def test_amounts_come_in_units_and_are_kept_in_micros() -> None:
    made = campaign_of("c1", sent(budget={"daily": "0.1", "total": 2.5}), None, CLOCK)
    assert made.budget == Budget(100_000, 2_500_000)
    assert (made.max_bid, made.lines[0].bid) == (5_000_000, 1_000_000)
    assert (made.created_at, made.updated_at) == (NOW, NOW)


def test_everything_may_be_said() -> None:
    made = campaign_of(
        "c1",
        sent(
            objective={"aim": "cpa", "target": 3}, pacing="front", zone="Europe/Berlin",
            flight={"starts_at": NOW, "ends_at": NOW + 5},
            frequency=[{"impressions": 3, "window_ms": 3_600_000}],
            lines=[{"line": "l", "bid": "0.5", "max_bid": 1, "targeting": {"hours": [1, 2]},
                    "deals": ["d"], "open_market": False, "creatives": ["cr"]}],
        ),
        None,
        CLOCK,
    )  # fmt: skip
    assert made.objective == Objective(Aim.cpa, 3_000_000)
    assert made.flight == Flight(NOW, NOW + 5)
    assert made.frequency == (FrequencyCap(3, 3_600_000),)
    assert made.lines[0].targeting.hours == (1, 2)
    assert made.lines[0].max_bid == 1_000_000


def test_what_is_answered_may_be_sent_back() -> None:
    made = campaign_of("c1", sent(flight={"starts_at": NOW}, title="t"), None, CLOCK)
    reply = msgspec.to_builtins(campaign_reply(made))
    for name in ("version", "created_at", "updated_at"):
        del reply[name]
    again = campaign_of("c1", msgspec.convert(reply, CampaignIn), made, CLOCK)
    assert again == made


def test_a_patch_replaces_what_it_names_and_nothing_else() -> None:
    patch = msgspec.convert({"budget": {"daily": 7}, "active": False}, CampaignPatch)
    made = campaign_patched("c1", patch, CAMPAIGN, FixedClock(NOW + 9))
    assert made == replace(
        CAMPAIGN, budget=Budget(7_000_000, 1_000_000), active=False, updated_at=NOW + 9
    )
    no_total = msgspec.convert({"budget": {"total": None}}, CampaignPatch)
    assert campaign_patched("c1", no_total, made, CLOCK).budget == Budget(daily=7_000_000)
    nothing = msgspec.convert({"budget": {"total": None}}, CampaignPatch)
    with pytest.raises(BadField):
        campaign_patched("c1", nothing, CAMPAIGN, CLOCK)
    open_end = campaign_patched("c1", msgspec.convert({"flight": {}}, CampaignPatch), made, CLOCK)
    assert open_end.flight == Flight(0, NO_END)


def test_what_is_not_there_cannot_be_patched() -> None:
    with pytest.raises(NotFound):
        campaign_patched("c1", CampaignPatch(), None, CLOCK)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"budget": {}}, "budget"),
        ({"max_bid": 0}, "max_bid"),
        ({"title": "a\x00"}, "title"),
        ({"zone": "Nowhere"}, "zone"),
        ({"flight": {"starts_at": "never"}}, "flight.starts_at"),
        ({"lines": [{"line": "l", "bid": 9}]}, "lines.0.bid"),
        ({"lines": [{"line": "l", "bid": 1, "title": "\x01"}]}, "lines.0.title"),
        ({"objective": {"aim": "cpc"}}, "objective.target"),
    ],
)
def test_refusals_name_the_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(BadField) as caught:
        campaign_of("c1", sent(**changes), None, CLOCK)
    assert caught.value.field == field
