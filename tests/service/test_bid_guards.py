"""Faults put into a running bidder, over a real server: no budget changes, and each is counted."""

import asyncio
import json
import math
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from domain.clock import DAY_MS, HOUR_MS, system_clock
from models.bandits.beliefs import Beliefs
from models.bidding.landscape import Landscape, columns_of
from models.bidding.laws import LOGISTIC
from service.shared_lore import NAME as LORE
from tests.feature_store.servers import RunningServer, serving
from tests.service.bid_shop import (
    BID,
    CAP,
    FLOOR,
    HASTY,
    STANDARD,
    TARGET,
    Shop,
    as_json,
    bids_of,
    opened,
)
from tests.service.openrtb.making import imp, request
from tests.service.serving import until

BUSY_S = 3.0
"""A second is promised, and kept by a worker that has a core to itself."""
NAN, HUGE = math.nan, 1e12


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with serving(tmp_path_factory.mktemp("s")) as running:
        yield running


@pytest.fixture
async def shop(server: RunningServer, tmp_path: Path) -> AsyncIterator[Shop]:
    async with opened(server.url, tmp_path) as made:
        yield made


def known(weights: Callable[[np.ndarray], None] = lambda _: None) -> Landscape:
    """A landscape that is sure of prices about .5, with its weights then spoilt."""
    d = columns_of(16) + 1
    made = Landscape(LOGISTIC, np.zeros(d), np.eye(d) * 1e-4, 16)
    made.weights[0], made.weights[-1] = math.log(0.5e6), -1.0
    weights(made.weights)
    return made


def spoilt(place: int, value: float) -> Landscape:
    def spoil(weights: np.ndarray) -> None:
        weights[place] = value

    return known(spoil)


def doubtful(value: float) -> Landscape:
    made = known()
    made.covariance[:] = value
    return made


def beliefs(value: float) -> Beliefs:
    return Beliefs(np.full((5, 4), value), np.full((5, 4, 4), value), 1e9)


LANDSCAPES = {
    "no location": spoilt(0, NAN), "far location": spoilt(0, HUGE), "low": spoilt(0, -HUGE),
    "no scale": spoilt(-1, NAN), "wide": spoilt(-1, HUGE), "narrow": spoilt(-1, -HUGE),
    "no doubt": doubtful(NAN), "minus doubt": doubtful(-1.0), "all doubt": doubtful(HUGE),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(LANDSCAPES))
async def test_a_landscape_gone_wrong_keeps_bids_within_floor_and_cap(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    await shop.launch("land")
    learning = shop.context.learning
    monkeypatch.setattr(type(learning), "landscape", property(lambda _: LANDSCAPES[name]))
    monkeypatch.setattr(learning, "landscape_confidence", lambda _: 0.99)
    await spend_nothing_odd(shop, "land")


LEARNED: dict[str, tuple[str, Any]] = {
    f"{what} {value}": (what, value)
    for what in ("landscape_confidence", "factors", "limit", "multipliers", "creatives", "pace",
                 "policy_numbers", "scale_of")
    for value in (NAN, HUGE, -HUGE, math.inf, 0.0)
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(LEARNED))
async def test_absurd_learned_values_keep_bids_within_floor_and_cap(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    what, value = LEARNED[name]
    await shop.launch("learn")
    learning, prices = shop.context.learning, shop.context.bids.bidder.prices
    monkeypatch.setattr(type(learning), "landscape", property(lambda _: known()))
    if what != "landscape_confidence":
        monkeypatch.setattr(learning, "landscape_confidence", lambda _: 0.99)
    if what == "pace":
        monkeypatch.setattr(shop.context.paces, "_multipliers", {"learn": value})
    elif what == "policy_numbers":
        monkeypatch.setattr(learning, what, np.full(5, value))
    elif what == "factors":
        monkeypatch.setattr(learning, what, lambda *_: (value, value))
    elif what in ("multipliers", "creatives"):
        monkeypatch.setattr(learning, what, lambda *_: beliefs(value))
    else:
        monkeypatch.setattr(learning, what, lambda *_: value)
    prices.fill(shop.context.campaigns.table)
    await spend_nothing_odd(shop, "learn", stops=what == "pace" and value in (0.0, -HUGE))


async def spend_nothing_odd(shop: Shop, name: str, *, stops: bool = False) -> None:
    """Bid a few times in both types of auction, bill them, and hold all to the campaign's terms.

    stops: whether there may be no bid.
    """
    before, total, made = await shop.ledger(name), 0, 0
    for number in range(6):
        # On a busy machine a lease may end between its grant and its use.
        for _ in range(1 if stops else 5):
            answer = await shop.bid(name, at=1 + number % 2)
            assert answer.status in (200, 204)
            if found := bids_of(answer):
                break
        for bid in found:
            assert FLOOR <= bid["price"] <= CAP
            assert await shop.tell("bill", bid, bid["price"]) == (204, "taken")
            total, made = total + round(bid["price"] * 1_000), made + 1
    assert made == 6 or stops
    after = await shop.ledger(name)
    assert after.spent - before.spent == pytest.approx(total, abs=6)
    assert after.spent + after.lent <= 10_000_000
    assert shop.faults == 0


async def test_a_pace_from_the_store_that_cannot_be_is_counted(shop: Shop) -> None:
    await shop.launch("pace")
    await shop.context.store.put_blob("bid-paces", b"\xc1garbled")
    await shop.context.paces.look()
    assert shop.count("bid_guards_total", guard="pace", cause="state") == 1
    assert shop.context.paces.multiplier("pace") == 1.0
    assert bids_of(await shop.bid("pace"))


async def test_lore_that_cannot_be_read_is_counted_and_bids_go_on(shop: Shop) -> None:
    """Lore that cannot be read is counted, and is as if nothing was learned."""
    await shop.launch("lore")
    before = bids_of(await shop.bid("lore"))
    assert before
    await shop.context.store.put_blob(LORE, b"\xff" * 1_000)
    await shop.context.learning.look()
    assert shop.count("bid_lessons_total", outcome="corrupt") == 1
    assert bids_of(await shop.bid("lore"))
    assert shop.faults == 0


async def test_a_frozen_store_is_no_5xx_to_exchanges_and_a_bill_told_again_counts_once(
    tmp_path: Path,
) -> None:
    with serving(tmp_path / "s") as own:
        async with opened(own.url, tmp_path, settings=HASTY) as shop:
            await shop.launch("frozen", budget={"total": 1})
            first = bids_of(await shop.bid("frozen"))[0]
            own.pause()
            try:
                started = time.monotonic()
                answers = [
                    await shop.send("POST", BID, request(imp(), site={"domain": "frozen.example"}))
                    for _ in range(50)
                ]
                assert time.monotonic() - started < 10.0
                assert {answer.status for answer in answers} <= {200, 204}
                assert sum(len(bids_of(answer)) for answer in answers) <= 1_000
                status, _ = await shop.tell("bill", first, 0.5)
                assert status == 503, "the exchange is to tell it again"
            finally:
                own.resume()
            told = 503, ""
            for _ in range(400):
                told = await shop.tell("bill", first, 0.5)
                if told[0] != 503:
                    break
                await asyncio.sleep(0.05)
            assert told[1] in ("taken", "duplicate")
            assert await shop.tell("bill", first, 0.5) == (204, "duplicate")
            ledger = await shop.ledger("frozen")
            assert (ledger.spent, ledger.bills) == (500, 1)
            assert ledger.spent + ledger.lent <= 1_000_000
            assert shop.faults == 0


@pytest.mark.parametrize("ahead", [DAY_MS, -DAY_MS], ids=["ahead", "behind"])
async def test_a_clock_a_day_off_spends_on_the_store_s_day_and_never_more(
    server: RunningServer, tmp_path: Path, ahead: int
) -> None:
    name = f"skew{'ahead' if ahead > 0 else 'behind'}"
    if DAY_MS - system_clock() % DAY_MS < HOUR_MS:
        pytest.skip("the day is about to end")
    async with (
        opened(server.url, tmp_path / "right") as right,
        opened(server.url, tmp_path / "wrong", lambda: system_clock() + ahead) as wrong,
    ):
        await right.launch(name, budget={"daily": 0.03, "per_minute": 1}, pacing="asap")
        await wrong.context.campaigns.look()
        spent = 0
        for _ in range(40):
            for shop in (wrong, right):
                for bid in bids_of(await shop.bid(name)):
                    if await shop.tell("bill", bid, bid["price"]) == (204, "taken"):
                        spent += round(bid["price"] * 1_000)
        ledger = await right.ledger(name)
        assert ledger.spent == ledger.spent_today == pytest.approx(spent, abs=40)
        assert 0 < ledger.spent <= 30_000
        assert ledger.spent + ledger.lent <= 30_000
        assert wrong.faults == right.faults == 0


async def test_forged_tokens_and_replays_change_nothing_and_are_counted(shop: Shop) -> None:
    await shop.launch("forge")
    bid = bids_of(await shop.bid("forge"))[0]
    token = bid["burl"].split("token=")[1].split("&")[0]
    before = await shop.ledger("forge")
    forged = 0
    for place in range(0, len(token), 7):
        other = "A" if token[place] != "A" else "B"
        told = await shop.tell_token("bill", token[:place] + other + token[place + 1 :], 0.5)
        # The last letter may hold bits that belong to no byte.
        assert told in ((400, "bad_token"),) or place == len(token) - 1
        forged += told == (400, "bad_token")
    assert await shop.ledger("forge") == before
    assert shop.count("notices_total", word="bill", outcome="bad_token") == forged > 10
    assert await shop.tell("bill", bid, 0.5) == (204, "taken")
    for _ in range(10):
        assert await shop.tell("bill", bid, 0.5) == (204, "duplicate")
    assert await shop.tell("loss", bid) == (204, "contradiction")
    after = await shop.ledger("forge")
    assert (after.spent - before.spent, after.bills - before.bills) == (500, 1)
    assert shop.count("notices_total", word="bill", outcome="duplicate") == 10


@pytest.mark.parametrize(
    ("price", "code"),
    [
        (CAP + 1, "above_bid"), ("NaN", "bad_price"), ("-1", "bad_price"), ("1e3", "bad_price"),
        ("inf", "bad_price"), ("9" * 40, "bad_price"), ("0.5;", "bad_price"),
    ],
)  # fmt: skip
async def test_prices_that_cannot_be_owed_are_refused_and_counted(
    shop: Shop, price: object, code: str
) -> None:
    await shop.launch("price")
    bid = bids_of(await shop.bid("price"))[0]
    before = await shop.ledger("price")
    assert await shop.tell("bill", bid, price) == (400, code)
    assert await shop.tell("win", bid, price) in ((400, code), (204, "taken"))
    assert (await shop.ledger("price"))._replace(wins=0) == before._replace(wins=0)
    assert shop.count("notices_total", word="bill", outcome=code) == 1


HOSTILE: dict[str, tuple[bytes | dict[str, Any], int, str]] = {
    "duplicate impressions": (request(imp("1"), imp("1")), 204, "duplicate_impression"),
    "too many impressions": (
        request(*(imp(str(n)) for n in range(5_000))), 204, "too_many_impressions",
    ),
    "a NaN floor": (as_json(request(imp(bidfloor=1))).replace(b": 1}", b": NaN}"), 400, ""),
    "a floor beyond all bounds": (
        as_json(request(imp(bidfloor=1))).replace(b": 1}", b": 1e999}"), 400, "",
    ),
    "a price no number": (request(imp(bidfloor="much")), 400, ""),
    "a floor far above": (request(imp(bidfloor=1e9)), 204, "cap"),
    "no impressions": (request() | {"imp": []}, 400, ""),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(HOSTILE))
async def test_hostile_requests_set_no_money_aside_and_are_counted(shop: Shop, name: str) -> None:
    sent, status, cause = HOSTILE[name]
    await shop.launch("host")
    if isinstance(sent, dict):
        sent = sent | {"site": {"domain": "host.example"}}
    purse = shop.context.money.purses.by_name["host"]
    before, left = await shop.ledger("host"), (purse.lease, purse.left)
    answer = await shop.send("POST", BID, sent)
    assert answer.status == status
    if cause:
        assert shop.total("no_bids", "cause", cause) == 1
    else:
        assert shop.total("rejects", "route", BID) == 1
    assert (purse.lease, purse.left) == left
    assert (await shop.ledger("host")).spent == before.spent
    assert shop.faults == 0


async def test_a_negative_floor_is_none(shop: Shop) -> None:
    await shop.launch("minus")
    asked = request(imp(bidfloor=-7.5), site={"domain": "minus.example"}, at=1)
    for bid in bids_of(await shop.send("POST", BID, asked)):
        assert 0 < bid["price"] <= CAP


async def test_spending_too_fast_trips_the_breaker_of_its_own_accord(shop: Shop) -> None:
    """A hundred impressions' money: after a tenth of it in a minute nothing more is bid."""
    await shop.launch("fast", budget={"total": 0.1}, max_bid=STANDARD)
    billed = 0
    for _ in range(60):
        for bid in bids_of(await shop.bid("fast", at=2)):
            assert await shop.tell("bill", bid, bid["price"]) == (204, "taken")
            billed += round(bid["price"] * 1_000)
        await shop.context.money.look()
    ledger = await shop.ledger("fast")
    assert ledger.spent == billed
    # Twenty impressions at the highest price are more than a tenth, and what was under way.
    assert 20_000 <= ledger.spent <= 23_000
    assert ledger.tripped_until > system_clock()
    assert (await shop.bid("fast")).status == 204
    told = json.loads((await shop.send("GET", "/v1/campaigns/fast/spend")).body)
    assert told["tripped_until"] == ledger.tripped_until


async def test_switches_reach_every_worker_within_a_second(
    server: RunningServer, tmp_path: Path
) -> None:
    async with (
        opened(server.url, tmp_path / "one") as one,
        opened(server.url, tmp_path / "two") as two,
    ):
        await one.launch("switch")
        prices = two.context.bids.bidder.prices
        assert (prices.learned, prices.explores) == (True, True)
        for off in ({"learning": True}, {"exploration": True}, {}):
            assert (await one.send("PUT", "/v1/campaigns:switches", off)).status == 200
            wanted = (not off.get("learning", False), not off.get("exploration", False))
            await until(lambda w=wanted: (prices.learned, prices.explores) == w, BUSY_S)


async def test_without_learning_only_standard_bids_are_bid(shop: Shop) -> None:
    await shop.launch("plain", objective={"aim": "cpm", "target": TARGET})
    dear = bids_of(await shop.bid("plain", at=2))[0]
    assert dear["price"] > STANDARD, "the value of a second price is its target"
    assert (await shop.send("PUT", "/v1/campaigns:switches", {"learning": True})).status == 200
    for at in (1, 2):
        assert [bid["price"] for bid in bids_of(await shop.bid("plain", at=at))] == [STANDARD]
    assert (await shop.send("PUT", "/v1/campaigns:switches", {})).status == 200


async def test_a_campaign_that_is_switched_off_keeps_its_pace(shop: Shop) -> None:
    """That it spends nothing is no reason to bid more when it is switched on again."""
    await shop.launch("off")
    await shop.launch("on")
    stepped = shop.context.paces._campaigns
    assert {"off", "on"} <= set(stepped())
    await shop.send("PUT", "/v1/campaigns:switches", {"campaigns": ["off"]})
    assert "on" in stepped()
    assert "off" not in stepped()
    await shop.send("PUT", "/v1/campaigns:switches", {"everything": True})
    assert stepped() == {}
    await shop.send("PUT", "/v1/campaigns:switches", {})
    assert {"off", "on"} <= set(stepped())
