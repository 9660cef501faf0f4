"""Shadow: what a challenger would have bid is logged as its own, and never more than logged."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from domain.campaigns import Aim, Budget, Campaign, Creative, LineItem, Objective
from domain.clock import FixedClock
from domain.currencies import REFERENCE
from domain.decisions import Decision
from domain.opportunities import Bid
from feature_store.memory import MemoryStore
from models.bidding.model import BiddingModel
from models.bundle import CHALLENGER, Draft, Golden, point, write_bundle
from service.decisions import DecisionLog
from service.metrics import Metrics
from service.shadowing import FAMILY, MOST_WAITING, Beside, Shadow
from tests.models.bidding.test_model import ROW, model
from tests.service.campaigning import BODY
from tests.service.serving import app_in_memory, until

AT = 1_760_000_000_000
CREATIVE = Creative("k")
CAMPAIGN = Campaign(
    "c", budget=Budget(total=10**9), objective=Objective(Aim.cpm, 2_000_000), max_bid=5_000_000,
    lines=(LineItem("l", 1_000_000),), creatives=(CREATIVE,),
)  # fmt: skip


@dataclass
class Auction:
    at: int = 2
    currency: str = "USD"
    test: bool = False


@dataclass
class Known:
    scores: Mapping[str, float] = field(default_factory=dict)
    numbers: Any = None


@dataclass
class Made:
    bid: Bid
    floor: int = 0
    words: Mapping[str, str] = field(default_factory=lambda: {"exchange": "a", "site": "s"})


def made(price: int = 900_000, **changes: Any) -> Made:
    deal, floor = changes.pop("deal", ""), changes.pop("floor", 0)
    names = {"campaign": "c", "line": "l"} | changes
    bid = Bid("b1", "1", names["campaign"], names["line"], CREATIVE, "", price, deal, 300, 250,
              None, 60, "t", "<b>")  # fmt: skip
    return Made(bid, floor)


class Rehearsal:
    """A shadow over a folder of bundles, and what it logged."""

    def __init__(self, root: Path, **changes: Any) -> None:
        self.root = root
        self.metrics = Metrics()
        self.paces: dict[str, float] = {}
        self.campaigns: dict[str, Campaign] = {"c": CAMPAIGN}
        self.unit = 1.0
        self.log = DecisionLog(MemoryStore(), self.metrics)
        beside = Beside(
            lambda: self.campaigns, lambda name: self.paces.get(name, 1.0), lambda _: (1.0, 1.0),
            lambda _: self.unit, REFERENCE,
        )  # fmt: skip
        options = {"share": 1.0, **changes}
        self.shadow = Shadow(root, self.log, self.metrics, FixedClock(AT), beside, **options)

    def challenge(self, held: BiddingModel, at: int = AT) -> str:
        golden = Golden([{"input": ROW, "output": held.answer(ROW)}])
        draft = Draft("bidding", at, held.arrays(), held.params(), golden=golden)
        version = write_bundle(self.root, draft).version
        point(self.root / "bidding", version, at, CHALLENGER)
        return version

    @property
    def logged(self) -> list[Decision]:
        return list(self.log._waiting)

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [row for one in self.logged for row in json.loads(one.request)["bids"]]


@pytest.fixture
def rehearsal(tmp_path: Path) -> Rehearsal:
    return Rehearsal(tmp_path)


async def test_without_a_challenger_nothing_is_noted(rehearsal: Rehearsal) -> None:
    rehearsal.shadow.note(Auction(), Known(), [made()])
    await rehearsal.shadow.look()
    rehearsal.shadow.note(Auction(), Known(), [made()])
    await rehearsal.shadow.look()
    assert rehearsal.logged == []
    assert rehearsal.shadow.version == ""


async def test_a_challenger_s_price_is_logged_as_its_own_and_marked(rehearsal: Rehearsal) -> None:
    version = rehearsal.challenge(model())
    await rehearsal.shadow.look()
    assert rehearsal.shadow.version == version
    rehearsal.paces["c"] = 0.5
    rehearsal.shadow.note(Auction(), Known(), [made(floor=100_000)])
    await rehearsal.shadow.look()
    (decision,) = rehearsal.logged
    assert (decision.family, decision.variant, decision.model) == (FAMILY, "shadow", version)
    assert (decision.entity, decision.items, decision.propensities) == ("", ("k",), (1.0,))
    assert decision.at == AT
    told = json.loads(decision.request)
    assert told["context"] == {"exchange": "a", "site": "s"}
    (row,) = told["bids"]
    assert (row["bid"], row["campaign"], row["line"], row["floor"]) == ("b1", "c", "l", 100_000)
    # A price agreed upon is certain: half of it is the paced value, and a second price bids that.
    assert (row["price"], row["value"], row["confidence"]) == (1_000_000, 1_000_000, 1.0)
    assert row["earns"] == [2_000.0, 0.0, 0.0]


async def test_a_first_price_is_shaded_by_the_challenger_s_own_landscape(
    rehearsal: Rehearsal,
) -> None:
    held = model()
    held.landscape.covariance[:] *= 0.01
    rehearsal.campaigns["c"] = replace(CAMPAIGN, objective=Objective(Aim.cpm, 3_000_000))
    rehearsal.challenge(held)
    await rehearsal.shadow.look()
    rehearsal.shadow.note(Auction(at=1), Known(), [made()])
    rehearsal.unit = 0.0
    await rehearsal.shadow.look()
    rehearsal.unit = 1.0
    rehearsal.shadow.note(Auction(at=1), Known(), [made()])
    await rehearsal.shadow.look()
    plain, shaded = rehearsal.rows
    assert (plain["price"], plain["win"]) == (1_000_000, 0.0), "no prices known: the standard bid"
    assert shaded["confidence"] >= 0.5
    # Prices are log-logistic with shape 2 about 1: (3 - b) b^2 / (1 + b^2) is highest there.
    b = shaded["price"] / 1e6
    assert 2 * (3 - b) == pytest.approx(b * (1 + b * b), rel=0.01)
    assert 0 < shaded["win"] < 1


async def test_below_a_confidence_of_one_half_it_is_the_standard_bid(rehearsal: Rehearsal) -> None:
    rehearsal.campaigns["c"] = replace(CAMPAIGN, objective=Objective(Aim.cpc, 900_000))
    unsure = model()
    rehearsal.challenge(replace(unsure, variance=np.full_like(unsure.variance, 0.24)))
    await rehearsal.shadow.look()
    for floor in (0, 800_000, 1_200_000):
        rehearsal.shadow.note(Auction(), Known({"intent": 0.9}), [made(floor=floor)])
    await rehearsal.shadow.look()
    assert [row["price"] for row in rehearsal.rows] == [1_000_000, 1_000_000, 0]


async def test_what_is_known_of_the_user_counts(rehearsal: Rehearsal) -> None:
    rehearsal.campaigns["c"] = replace(CAMPAIGN, objective=Objective(Aim.cpc, 90_000))
    rehearsal.challenge(model())
    await rehearsal.shadow.look()
    for intent in (0.1, 0.9):
        rehearsal.shadow.note(Auction(), Known({"intent": intent}), [made()])
    await rehearsal.shadow.look()
    cold, warm = rehearsal.rows
    assert warm["value"] > 1.5 * cold["value"]


async def test_deals_tests_and_campaigns_that_are_gone_cast_no_shadow(
    rehearsal: Rehearsal,
) -> None:
    rehearsal.challenge(model())
    await rehearsal.shadow.look()
    shadow = rehearsal.shadow
    shadow.note(Auction(test=True), Known(), [made()])
    shadow.note(Auction(), Known(), [])
    shadow.note(Auction(), Known(), [made(deal="d")])
    shadow.note(Auction(), Known(), [made(campaign="gone"), made(line="gone")])
    await shadow.look()
    assert rehearsal.logged == []
    shadow.note(Auction(), Known(), [made(deal="d"), made()])
    await shadow.look()
    assert len(rehearsal.rows) == 1


async def test_only_a_share_is_looked_at(tmp_path: Path) -> None:
    draws = iter([0.04, 0.05, 0.9, 0.0])
    rehearsal = Rehearsal(tmp_path, share=0.05, uniform=lambda: next(draws))
    rehearsal.challenge(model())
    await rehearsal.shadow.look()
    for _ in range(4):
        rehearsal.shadow.note(Auction(), Known(), [made()])
    await rehearsal.shadow.look()
    assert len(rehearsal.logged) == 2


async def test_what_does_not_fit_is_let_go_and_counted(rehearsal: Rehearsal) -> None:
    rehearsal.challenge(model())
    await rehearsal.shadow.look()
    for _ in range(MOST_WAITING + 3):
        rehearsal.shadow.note(Auction(), Known(), [made()])
    await rehearsal.shadow.look()
    assert len(rehearsal.logged) == MOST_WAITING
    lost = rehearsal.metrics.registry.get_sample_value(
        "sanderling_decisions_total", {"outcome": "shadow dropped"}
    )
    assert lost == 3


async def test_the_release_itself_casts_no_shadow_and_another_challenger_takes_over(
    rehearsal: Rehearsal,
) -> None:
    first = rehearsal.challenge(model())
    await rehearsal.shadow.look()
    point(rehearsal.root / "bidding", first, AT)
    await rehearsal.shadow.look()
    assert rehearsal.shadow.version == ""
    second = rehearsal.challenge(model(worth={"": 1.0}), AT + 5_000)
    await rehearsal.shadow.look()
    assert rehearsal.shadow.version == second


async def test_a_challenger_that_cannot_be_read_is_refused_once(rehearsal: Rehearsal) -> None:
    version = rehearsal.challenge(model())
    manifest = rehearsal.root / "bidding" / version / "manifest.json"
    text = manifest.read_text()
    manifest.write_text("{")
    for _ in range(3):
        await rehearsal.shadow.look()
    refused = rehearsal.metrics.registry.get_sample_value(
        "sanderling_bundle_refusals_total", {"family": FAMILY}
    )
    assert (rehearsal.shadow.version, refused) == ("", 1)
    manifest.write_text(text)
    better = rehearsal.challenge(model(worth={"": 2.0}), AT + 5_000)
    await rehearsal.shadow.look()
    assert rehearsal.shadow.version == better


@pytest.mark.parametrize("pace", [math.nan, -1.0, 1e12, math.inf])
async def test_an_absurd_pace_prices_within_the_cap(rehearsal: Rehearsal, pace: float) -> None:
    rehearsal.challenge(model())
    await rehearsal.shadow.look()
    rehearsal.paces["c"] = pace
    rehearsal.shadow.note(Auction(), Known(), [made()])
    await rehearsal.shadow.look()
    assert all(0 <= row["price"] <= 5_000_000 for row in rehearsal.rows)
    assert len(rehearsal.rows) == 1


def test_a_running_bidder_casts_the_shadow_of_its_challenger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.app.Shadow", partial(Shadow, share=1.0))
    version = Rehearsal(tmp_path / "bundles").challenge(model())
    with app_in_memory(tmp_path) as app:
        app.context.bids.monotonic = lambda: 7.0
        put: list[Decision] = []
        monkeypatch.setattr(app.context.decisions, "put", put.append)
        body = {**BODY, "objective": {"aim": "cpm", "target": 2}}
        assert app.send("PUT", "/v1/campaigns/tea", body)[0] == 200
        app.runner.run(app.context.money.purses.turn())
        app.runner.run(app.context.campaigns.look())
        asked = {"id": "r", "imp": [{"id": "1", "banner": {"w": 300, "h": 250}}]}
        status, told = app.send("POST", "/v1/openrtb2/bid", asked)
        assert status == 200
        app.runner.run(until(lambda: any(one.family == FAMILY for one in put)))
    bid = told["seatbid"][0]["bid"][0]
    (real,) = [one for one in put if one.family == "bidding"]
    (shadow,) = [one for one in put if one.family == FAMILY]
    assert (shadow.model, shadow.variant, real.variant) == (version, "shadow", "")
    (row,) = json.loads(shadow.request)["bids"]
    assert row["bid"] == json.loads(real.request)["bids"][0]["bid"] == bid["id"]
    assert (row["campaign"], row["price"]) == ("tea", 2_000_000)
    assert len(told["seatbid"][0]["bid"]) == 1, "a challenger never bids"
