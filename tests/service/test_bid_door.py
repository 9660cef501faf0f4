"""The door: its stages in order, each in time, and a reason whenever there is no bid."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from domain.clock import FixedClock
from domain.errors import BadBody
from domain.opportunities import Auction
from models.bidding.columns import SHARED
from service.bid_door import RESERVED_MS, SAMPLE, Answered, BidDoor
from service.bid_prices import Prices
from service.bid_settings import BidSettings
from service.bidding import Bidder, NoMoney, Order
from service.known_user import KnownUser
from service.openrtb.candidates import Matched
from service.openrtb.market import ListedMarket
from tests.service.openrtb.making import campaign, creative, imp, request, video
from training.fit.bidding.bids import bids_of

NOW = 1_790_000_000_000
CHAIN = {"complete": 0, "ver": "1.0", "nodes": [{"asi": "Bad.example", "sid": "1"}]}


class Till:
    def __init__(self) -> None:
        self.orders: list[Order] = []

    def reserve(self, order: Order) -> str | None:
        self.orders.append(order)
        return "token"


class Seconds:
    """A clock that goes on by `step` each time it is looked at."""

    def __init__(self, step: float = 0.0) -> None:
        self.now, self.step = 50.0, step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def door(till: Any = None, clock: Callable[[], float] | None = None, **chosen: Any) -> BidDoor:
    settings = BidSettings(**chosen)
    market = ListedMarket([campaign()])
    now = FixedClock(NOW)
    bidder = Bidder(settings, till or Till(), Prices(now))
    return BidDoor(settings, bidder, market, now, monotonic=clock or Seconds())


async def ask(one: BidDoor, *imps: Any, **parts: Any) -> Answered:
    body = json.dumps(request(*imps, **parts)).encode()
    return await one.answer(body, one.monotonic(), "adx")


async def test_a_bid() -> None:
    answered = await ask(door())
    document = json.loads(answered.body)
    assert (document["id"], answered.bids, answered.refused) == ("r1", 1, None)
    (log,) = answered.logs
    assert (log.family, log.entity, log.model, log.at) == ("bidding", "", "bid/1", NOW)
    assert (log.items, log.scores, log.propensities) == (("cr-1",), (2.0,), (1.0,))
    told = json.loads(log.request)
    assert (told["context"]["exchange"], told["personal"], told["impressions"]) == ("adx", True, 1)
    assert told["bids"] == [
        {"bid": document["seatbid"][0]["bid"][0]["id"], "campaign": "c-1", "line": "l-1",
         "creative": "cr-1", "at": 2, "price": 2_000_000, "floor": 0, "deal": "", "arm": 2,
         "value": 2_000_000, "confidence": 0.0, "win": 0.0}
    ]  # fmt: skip


async def test_what_is_logged_is_what_training_reads() -> None:
    (log,) = (await ask(door(), imp(bidfloor=1), at=1, site={"domain": "a.example"})).logs
    row = {"decision_id": log.decision_id, "at": log.at, "entity": log.entity,
           "request": log.request}  # fmt: skip
    (bid,) = bids_of(row)
    assert (bid.campaign, bid.line, bid.creative) == ("c-1", "l-1", "cr-1")
    assert (bid.auction, bid.price, bid.floor) == (1, 2_000_000, 1_000_000)
    assert bid.context["site"] == "a.example"
    assert set(bid.context) == set(SHARED)


async def test_impressions_of_other_contexts_are_logged_apart() -> None:
    wide = imp("2", banner={"w": 728, "h": 90})
    market = ListedMarket([campaign(creative(), creative(creative="w", width=728, height=90))])
    one = door()
    one.market = market
    logs = (await ask(one, imp("1"), imp("3"), wide)).logs
    told = [json.loads(log.request) for log in logs]
    assert sorted((each["context"]["size"], len(each["bids"])) for each in told) == [
        ("300x250", 2), ("728x90", 1)
    ]  # fmt: skip
    assert len({log.decision_id for log in logs}) == 2


class Known:
    """Knows one user, when asked with the time that a deadline leaves."""

    def __init__(self, found: KnownUser) -> None:
        self.found = found
        self.patience: list[float] = []

    async def read(self, auction: Auction, patience_s: float) -> KnownUser:
        self.patience.append(patience_s)
        return self.found


async def test_the_user_is_read_once_within_the_deadline_and_only_with_leave() -> None:
    till, users = Till(), Known(KnownUser("uada", scores={"intent": 0.25}))
    settings, now = BidSettings(), FixedClock(NOW)
    one = BidDoor(
        settings, Bidder(settings, till, Prices(now)), ListedMarket([campaign()]), now, users,
        Seconds(),
    )  # fmt: skip
    (log,) = (await ask(one, tmax=25)).logs
    assert users.patience == [pytest.approx((25 - settings.margin_ms - RESERVED_MS) / 1_000)]
    assert (log.entity, till.orders[0].entity) == ("uada", "uada")
    assert json.loads(log.request)["scores"] == {"intent": 0.25}
    answered = await ask(one, device={"lmt": 1})
    assert (answered.bids, len(users.patience)) == (1, 1)
    assert till.orders[1].entity == answered.logs[0].entity == ""


@pytest.mark.parametrize(
    ("parts", "chosen", "nbr", "cause"),
    [
        ({"imps": [imp(), imp()]}, {}, 2, "duplicate_impression"),
        ({"site": {}, "app": {}}, {}, 2, "site_and_app"),
        ({"tmax": 14}, {}, 15, "late"),
        ({"tmax": -2}, {}, 15, "late"),
        ({"device": {"ua": "Googlebot/2.1"}}, {}, 3, "robot"),
        ({"cur": ["XYZ"]}, {}, 0, "currency"),
        ({}, {"whole_chain": True}, 16, "chain_incomplete"),
        ({"source": {"schain": CHAIN}}, {"whole_chain": True}, 16, "chain_incomplete"),
        ({"source": {"schain": CHAIN}}, {"blocked_nodes": frozenset({"bad.example"})}, 17,
         "chain_blocked"),
        ({"imps": [imp(bidfloor=3)]}, {}, 0, "floor"),
        ({"imps": [imp(bidfloor=6)]}, {}, 0, "cap"),
        ({"imps": [imp(banner={"w": 1, "h": 1})]}, {}, 0, "size"),
        ({"badv": ["shop.example"]}, {}, 0, "advertiser_blocked"),
    ],
)  # fmt: skip
async def test_why_there_is_no_bid(
    parts: dict[str, Any], chosen: dict[str, Any], nbr: int, cause: str
) -> None:
    till = Till()
    answered = await ask(door(till, **chosen), *parts.pop("imps", []), **parts)
    assert answered.refused == (nbr, cause)
    assert (answered.body, answered.bids, till.orders) == (b"", 0, [])


async def test_without_campaigns_or_money() -> None:
    empty = door()
    empty.market = ListedMarket()
    assert (await ask(empty)).refused == (0, "no_line")
    assert (await ask(door(NoMoney()))).refused == (0, "budget")


async def test_what_takes_too_long_is_no_bid() -> None:
    # The clock is looked at after reading, and before lines are gathered.
    reasons = [
        (await ask(door(clock=Seconds(step)), tmax=100)).refused for step in (0.001, 0.008, 0.016)
    ]
    assert reasons[0] is None
    assert reasons[1] == reasons[2] == (15, "late")


async def test_a_late_search_sets_no_money_aside() -> None:
    till = Till()
    assert (await ask(door(till, Seconds(0.008)))).refused == (15, "late")
    assert till.orders == []


async def test_a_test_is_answered_and_learned_from_by_nobody() -> None:
    till = Till()
    answered = await ask(door(till), test=1)
    assert (answered.bids, answered.logs) == (1, ())
    assert [order.test for order in till.orders] == [True]


async def test_a_few_no_bids_are_logged() -> None:
    one = door()
    answers = [await ask(one, imp(bidfloor=9)) for _ in range(3 * SAMPLE)]
    kept = [log for answered in answers for log in answered.logs]
    assert [log.fallback for log in kept] == ["cap"] * 3
    assert kept[0].items == ()


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"\xff", b'{"id": "x"}', b'{"id": "x", "imp": []}', b"[" * 10_000]
)
async def test_what_cannot_be_read_is_refused(body: bytes) -> None:
    with pytest.raises(BadBody):
        await door().answer(body, 0.0)


async def test_nobody_is_named_in_the_log() -> None:
    who = {"user": {"id": "exchange-id", "buyeruid": "our-id"},
           "device": {"ifa": "device-id", "ip": "192.0.2.77"}}  # fmt: skip
    (log,) = (await ask(door(), **who)).logs
    for secret in ("exchange-id", "our-id", "device-id", "192.0.2"):
        assert secret not in repr(log)


async def test_that_lines_are_of_another_medium_says_little() -> None:
    one = door()
    one.market = ListedMarket(
        [campaign(), *(campaign(video(), campaign=f"v{n}") for n in range(3))]
    )
    assert (await ask(one, badv=["shop.example"])).refused == (0, "advertiser_blocked")
    one.market = ListedMarket([campaign(video())])
    assert (await ask(one)).refused == (0, "media")


def test_why_no_line_matches() -> None:
    none = np.zeros(0, np.int32)
    assert Matched(none).why == "no_line"
    assert Matched(none, capped=2).why == "frequency"
    assert Matched(none, capped=2, off=True).why == "switched_off"
