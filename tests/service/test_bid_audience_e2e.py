"""Bids that know whom they are for, over a real server: targeting, caps, and everybody's leave.

Every request goes in as an exchange sends it and every notice as an exchange tells it; the store
is watched, so that what must not be read or kept is seen not to be.
"""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from domain.clock import MINUTE_MS, system_clock
from domain.errors import StoreUnavailable
from domain.events import Event, Kind
from domain.ids import hash32
from domain.scores import Band, Score
from feature_store.opening import open_store
from feature_store.settings import Home
from feature_store.store import Appended, EntityState, Read
from service.app import create_app, serve_context
from service.bid_settings import BidSettings
from service.context import Context
from service.settings import ServiceSettings
from tests.golden.visiting import release_visiting
from tests.service.openrtb.making import imp, request
from tests.service.serving import App, living

PATH = "/v1/openrtb2/bid?exchange=adx"
UNREADABLE = "no consent at all"


class Watched:
    """A store, and whose histories are read and written through it."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.asked: list[str] = []
        self.told: list[str] = []
        self.late = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def read(self, entities: Sequence[str], within_s: float | None = None) -> Read:
        self.asked += entities
        if self.late:
            raise StoreUnavailable("not in time")
        return await self._store.read(entities, within_s)

    async def append(self, events: Sequence[Event], now_ms: int) -> list[Appended]:
        self.told += [event.entity for event in events]
        return await self._store.append(events, now_ms)


class Ahead:
    """The wall clock, a little ahead of itself."""

    ahead_ms = 0

    def __call__(self) -> int:
        return system_clock() + self.ahead_ms


class Exchange:
    """An exchange beside a running service: asks, and tells what came of a bid."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.watched: Any = app.store
        self.clock: Any = app.clock

    def campaign(self, name: str, frequency: Any = (), **targeting: Any) -> None:
        """Make a campaign of one line that asks for a site of its name, and wait for it."""
        targeting.setdefault("sites", [f"{name}.example"])
        body = {
            "max_bid": 5, "budget": {"total": 10}, "frequency": list(frequency),
            "creatives": [{"creative": "cr", "width": 300, "height": 250,
                           "domains": [f"{name}.brand.example"], "markup": "<b>"}],
            "lines": [{"line": "l1", "bid": 2, "targeting": targeting}],
        }  # fmt: skip
        status, told = self.app.send("PUT", f"/v1/campaigns/{name}", body)
        assert status == 200, told
        context = self.app.context
        self.until(lambda: name in context.campaigns.by_name and context.money.funded(name))
        self.app.runner.run(context.money.purses.turn())

    def until(self, holds: Any, seconds: float = 20.0) -> None:
        """Let the service run until something holds."""
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, "not in time"
            self.app.runner.run(asyncio.sleep(0.01))

    def ask(self, site: str, who: str = "", **parts: Any) -> tuple[list[dict[str, Any]], str]:
        """Answer the bids on a banner of a site, or why there are none."""
        if who:
            parts["user"] = {"buyeruid": who}
        document = request(imp(), site={"domain": f"{site}.example"}, **parts)
        headers = ((b"x-sanderling-why", b"1"), (b"content-type", b"application/json"))
        answer = self.app.ask("POST", PATH, json.dumps(document).encode(), headers)
        if answer.status == 204:
            return [], answer.headers["x-sanderling-why"].partition("cause=")[2]
        assert answer.status == 200, answer
        return [bid for seat in json.loads(answer.body)["seatbid"] for bid in seat["bid"]], ""

    def bids(self, site: str, who: str = "", **parts: Any) -> set[str]:
        """Answer the campaigns that bid."""
        return {bid["cid"] for bid in self.ask(site, who, **parts)[0]}

    def show(self, bid: dict[str, Any], times: int = 1) -> None:
        """Tell that a bid has won and is to be paid, as often as one likes."""
        for address in [bid["nurl"]] + [bid["burl"]] * times:
            filled = address.replace("${AUCTION_PRICE}", str(bid["price"]))
            where = urlsplit(filled.replace("${AUCTION_CURRENCY}", "USD"))
            status, told = self.app.send("GET", f"{where.path}?{where.query}")
            assert status == 204, told

    def token(self, bid: dict[str, Any]) -> Any:
        """Read what a bid's notices would tell us."""
        signer = self.app.context.money.signer
        assert signer is not None
        return signer.read(parse_qs(urlsplit(bid["burl"]).query)["token"][0])

    def state(self, entity: str) -> EntityState:
        """Look somebody up past the one who watches."""
        return self.app.runner.run(self.watched._store.read([entity])).states[0]

    def run(self, work: Any) -> Any:
        return self.app.runner.run(work)

    def counted(self, outcome: str) -> float:
        return self.app.context.metrics.bid_users.labels(outcome)._value.get()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    home, clock = tmp_path_factory.mktemp("audience"), Ahead()
    release_visiting(home)
    kept: list[Any] = []

    @asynccontextmanager
    async def opening() -> AsyncGenerator[Context, None]:
        store = await open_store(home=Home(home), clock=clock)
        kept.append(Watched(store))
        # Machines are shared: what is proven here is not speed.
        bids = BidSettings(cap_ms=1_000, vendor=755, open_bids=5)
        settings = ServiceSettings(bids=bids, store_timeout_s=0.5)
        try:
            async with serve_context(kept[0], Home(home), settings, clock) as context:
                yield context
        finally:
            await store.close()

    dispatcher = create_app(opening)
    with living(dispatcher) as runner:
        exchange = Exchange(App(runner, dispatcher, kept[0], clock))  # type: ignore[arg-type]
        exchange.campaign("first")
        # The first may have to wait for the compiler, longer than an exchange would.
        exchange.until(lambda: exchange.bids("first") == {"first"})
        yield exchange


@pytest.fixture
def exchange(running: Exchange) -> Iterator[Exchange]:
    running.watched.asked.clear()
    running.watched.told.clear()
    yield running
    running.watched.late = False
    running.clock.ahead_ms = 0


def profile(exchange: Exchange, user: str, **fields: Any) -> None:
    status, told = exchange.app.send("PATCH", f"/v1/users/{user}", fields)
    assert status == 200, told


def segment(exchange: Exchange, name: str, where: str) -> None:
    status, told = exchange.app.send("PUT", f"/v1/segments/{name}", {"where": where})
    assert status == 200, told
    live = exchange.app.context.segments
    exchange.until(lambda: any(one.name == name for one in live.current))


def test_a_line_for_a_segment_bids_for_its_members_alone(exchange: Exchange) -> None:
    segment(exchange, "gold", "attributes.plan = gold")
    exchange.campaign("rich", segments=["gold"])
    exchange.campaign("others", not_segments=["gold"], sites=["rich.example"])
    profile(exchange, "ada", attributes={"plan": "gold"})
    profile(exchange, "bob", attributes={"plan": "tin"})
    assert exchange.bids("rich", "ada") == {"rich"}
    assert exchange.bids("rich", "bob") == {"others"}
    assert exchange.bids("rich", "stranger") == {"others"}
    # Nobody is known to be no member: what is unknown satisfies no exclusion.
    assert exchange.bids("rich") == {"others"}
    profile(exchange, "bob", attributes={"plan": "gold"})
    assert exchange.bids("rich", "bob") == {"rich"}


def test_a_line_for_who_is_about_to_buy_follows_the_visit(exchange: Exchange) -> None:
    exchange.campaign("keen", intent_bands=["high"])
    exchange.campaign("calm", intent_bands=["low", "medium"], sites=["keen.example"])

    def happened(*kinds: str) -> None:
        """Let ida do something, and wait until it was scored."""
        before = exchange.state("uida").scores.get("intent")
        rows = [{"user": "ida", "kind": kind, "item": "tea"} for kind in kinds]
        assert exchange.app.send("POST", "/v1/events", rows)[0] == 202
        exchange.until(lambda: exchange.state("uida").scores.get("intent") != before)

    # After one event nothing is trusted yet.
    happened("click")
    assert exchange.bids("keen", "ida") == set()
    happened("click", "click")
    assert exchange.bids("keen", "ida") == {"calm"}
    happened("add_to_cart")
    assert exchange.bids("keen", "ida") == {"keen"}
    assert exchange.bids("keen", "stranger") == set()
    # The visit is over: what was said of it is not true any more.
    exchange.clock.ahead_ms = 31 * MINUTE_MS
    assert exchange.bids("keen", "ida") == set()


def test_a_line_for_who_is_leaving_goes_by_what_was_told_last(exchange: Exchange) -> None:
    exchange.campaign("stay", churn_bands=["high"])
    now = exchange.clock()
    for user, band in (("kim", Band.high), ("lou", Band.low)):
        told = {"churn": Score(0.5, 0.8, now, "v1", None, band, 10.0, 5.0)}
        exchange.run(exchange.watched.put_scores({f"u{user}": told}))
    assert exchange.bids("stay", "kim") == {"stay"}
    assert exchange.bids("stay", "lou") == set()
    profile(exchange, "kim", consent={"analytics": False})
    assert exchange.bids("stay", "kim") == set()


def test_who_has_seen_enough_is_left_alone_until_the_window_has_passed(
    exchange: Exchange,
) -> None:
    exchange.campaign("twice", frequency=[{"impressions": 2, "window_ms": MINUTE_MS}])
    for _ in range(2):
        (bid,), _ = exchange.ask("twice", "max")
        # However often a bill is told, it is one impression.
        exchange.show(bid, times=3)
    assert exchange.ask("twice", "max") == ([], "frequency")
    seen = exchange.state("umax").records
    assert seen["campaign"].tolist() == [hash32("twice")] * 2
    assert seen["kind"].tolist() == [Kind.impression] * 2
    # Others are not capped by it, nor is whoever is not known, nor another campaign.
    assert exchange.bids("twice", "eve") == {"twice"}
    assert exchange.bids("twice") == {"twice"}
    exchange.campaign("free", sites=["twice.example"])
    assert exchange.bids("twice", "max") == {"free"}
    exchange.clock.ahead_ms = MINUTE_MS + 1_000
    assert exchange.bids("twice", "max") == {"free", "twice"}


def test_a_bid_that_was_not_billed_counts_nothing(exchange: Exchange) -> None:
    exchange.campaign("once", frequency=[{"impressions": 1, "window_ms": MINUTE_MS}])
    for _ in range(3):
        (bid,), _ = exchange.ask("once", "tom")
    assert not exchange.state("utom").found
    exchange.show(bid)
    assert exchange.ask("once", "tom") == ([], "frequency")


def test_a_device_is_capped_by_its_own_id_and_by_its_user_s_once_that_is_known(
    exchange: Exchange,
) -> None:
    exchange.campaign("seen", frequency=[{"impressions": 1, "window_ms": MINUTE_MS}])
    phone = {"device": {"ifa": "AB-12"}}
    (bid,), _ = exchange.ask("seen", **phone)
    assert exchange.token(bid).entity == "sifa:ab-12"
    exchange.show(bid)
    assert exchange.ask("seen", **phone) == ([], "frequency")
    assert exchange.bids("seen", "uma") == {"seen"}
    linked = exchange.app.send("POST", "/v1/users/uma/identify", {"session": "ifa:ab-12"})
    assert linked == (200, {"carried": 1})
    assert exchange.ask("seen", "uma") == ([], "frequency")


FORBIDDEN = {
    "gdpr": {"regs": {"gdpr": 1}},
    "gdpr_unreadable": {"regs": {"gdpr": 1}, "user": {"consent": UNREADABLE, "buyeruid": "zoe"}},
    "coppa": {"regs": {"coppa": 1}},
    "lmt": {"device": {"lmt": 1, "ifa": "zoe-phone"}},
    "dnt": {"device": {"dnt": 1, "ifa": "zoe-phone"}},
    "us_privacy": {"regs": {"us_privacy": "1YYN"}},
    "gpp": {"regs": {"gpp": "rubbish", "gpp_sid": [7]}},
}


@pytest.fixture(scope="module")
def zoe(running: Exchange) -> dict[str, EntityState]:
    """Somebody in the segment, and a campaign of which they have seen enough."""
    running.campaign("open", frequency=[{"impressions": 1, "window_ms": 5 * MINUTE_MS}])
    segment(running, "tea", "attributes.likes = tea")
    running.campaign("known", segments=["tea"], sites=["open.example"])
    profile(running, "zoe", attributes={"likes": "tea"})
    for bid in running.ask("open", "zoe")[0]:
        running.show(bid)
    assert running.bids("open", "zoe") == {"known"}
    names = ("uzoe", "sifa:zoe-phone", "sexchange:adx:zoe-there")
    return {name: running.state(name) for name in names}


@pytest.mark.parametrize("why", FORBIDDEN)
def test_without_leave_nobody_is_read_or_kept_and_a_bid_goes_out_all_the_same(
    exchange: Exchange, zoe: dict[str, EntityState], why: str
) -> None:
    who = {"user": {"buyeruid": "zoe", "id": "zoe-there"}, "device": {"ifa": "zoe-phone"}}
    bids, _ = exchange.ask("open", **{**who, **FORBIDDEN[why]})
    # By the context alone: capped and targeted lines know nobody.
    assert [bid["cid"] for bid in bids] == ["open"]
    assert exchange.token(bids[0]).entity == ""
    exchange.show(bids[0])
    assert exchange.watched.asked == []
    assert exchange.watched.told == []
    for name, before in zoe.items():
        after = exchange.state(name)
        assert after.records.tobytes() == before.records.tobytes(), name
        assert after.lifetime.tobytes() == before.lifetime.tobytes(), name


def test_with_leave_the_same_user_is_known(exchange: Exchange, zoe: dict[str, EntityState]) -> None:
    assert exchange.bids("open", "zoe", regs={"gdpr": 0, "coppa": 0}) == {"known"}
    assert exchange.watched.asked == ["uzoe"]


def test_who_refused_advertising_is_bid_for_by_the_context(exchange: Exchange) -> None:
    segment(exchange, "mild", "attributes.likes = milk")
    exchange.campaign("plain", frequency=[{"impressions": 1, "window_ms": MINUTE_MS}])
    exchange.campaign("milk", segments=["mild"], sites=["plain.example"])
    no = {"advertising": False}
    profile(exchange, "ned", attributes={"likes": "milk"}, consent=no)
    exchange.watched.asked.clear()
    for _ in range(2):
        (bid,), _ = exchange.ask("plain", "ned")
        assert (bid["cid"], exchange.token(bid).entity) == ("plain", "")
        exchange.show(bid)
    assert exchange.watched.asked == ["uned", "uned"], "the profile says so; it has to be read"
    assert exchange.watched.told == []
    assert len(exchange.state("uned").records) == 0
    profile(exchange, "ned", consent={"advertising": True})
    assert exchange.bids("plain", "ned") == {"plain", "milk"}


def test_a_store_that_is_late_costs_the_personal_part_of_a_bid(exchange: Exchange) -> None:
    exchange.campaign("slow", frequency=[{"impressions": 1, "window_ms": MINUTE_MS}])
    (bid,), _ = exchange.ask("slow", "pat")
    exchange.show(bid)
    assert exchange.ask("slow", "pat") == ([], "frequency")
    before = exchange.counted("late")
    exchange.watched.late = True
    assert exchange.bids("slow", "pat") == {"slow"}
    assert exchange.counted("late") == before + 1
    exchange.watched.late = False
    assert exchange.ask("slow", "pat") == ([], "frequency")
