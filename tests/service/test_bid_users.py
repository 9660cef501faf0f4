"""Who is behind an auction: read with leave only, and told no more than consent allows."""

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest

from domain.clock import HOUR_MS, FixedClock
from domain.errors import StoreUnavailable
from domain.events import Event, Kind
from domain.opportunities import Auction, Keys, Privacy
from domain.scores import Band, Score
from domain.users import Profile
from feature_store import segments as saved
from feature_store.memory import MemoryStore
from feature_store.store import Read
from models.bidding.columns import NUMBERS
from service.bid_users import OPEN_MS, BidUsers, Doors, entity_of
from service.known_user import NOBODY, KnownUser
from service.live_segments import LiveSegments
from service.metrics import Metrics
from service.settings import ServiceSettings
from service.store_watch import StoreWatch
from tests.service.openrtb.making import auction
from tests.service.serving import NOW

INTENT = Score(0.3, 0.8, NOW - HOUR_MS, "v1")
CHURN = Score(0.6, 0.8, NOW - HOUR_MS, "v1", None, Band.high, 100.0, 60.0)
YES = dict.fromkeys(("advertising", "analytics", "personalisation"), True)


class Spied(MemoryStore):
    """A store that notes what is read of whom and how long one would wait; may fail."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[tuple[str, ...], float | None]] = []
        self.failure: Exception | None = None
        self.takes_s = 0.0

    async def read(self, entities: Sequence[str], within_s: float | None = None) -> Read:
        self.asked.append((tuple(entities), within_s))
        await asyncio.sleep(self.takes_s)
        if self.failure is not None:
            raise self.failure
        return await super().read(entities, within_s)


class Model(NamedTuple):
    """As much of an intent model as bands look at."""

    gap_ms: int = 1_800_000
    horizon_hours: float = 24.0
    rate: float = 0.1


class Released(NamedTuple):
    scorer: Model


class Bundles:
    """The families that are released."""

    def __init__(self) -> None:
        self.released: dict[str, Any] = {}

    def current(self, family: str) -> Any:
        return self.released.get(family)


class Desk:
    """Churn without a model: what was told counts."""

    current = None


class House:
    """A store with somebody in it, and the door to users of auctions."""

    def __init__(self, *, unanswered: bool = True) -> None:
        self.store, self.bundles, self.metrics = Spied(), Bundles(), Metrics()
        self.watch = StoreWatch(self.store, self.metrics)
        self.segments = LiveSegments(self.store)
        self.clock = FixedClock(NOW)
        self.targeted: frozenset[str] | None = None
        self.doors = Doors(
            self.store, ServiceSettings(unanswered=unanswered), self.segments,
            Desk(), self.bundles, self.watch, self.metrics, self.clock,  # type: ignore[arg-type]
        )  # fmt: skip
        self.users = BidUsers(self.doors, lambda: self.targeted)

    async def remember(
        self, user: str = "ada", consent: dict[str, bool] | None = None, **scores: Score
    ) -> None:
        events = [
            Event(f"{user}-1", f"u{user}", Kind.purchase, NOW - 3 * HOUR_MS, item="i", value=10**7),
            Event(f"{user}-2", f"u{user}", Kind.impression, NOW - HOUR_MS, campaign="c1"),
        ]
        await self.store.append(events, NOW)
        await self.store.put_profile(user, Profile({"plan": "gold"}, consent or {}))
        if scores:
            await self.store.put_scores({f"u{user}": scores})

    async def ask(self, patience_s: float = 1.0, **parts: Any) -> KnownUser:
        return await self.users.read(about(**parts), patience_s)

    def counted(self) -> dict[str, int]:
        (family,) = self.metrics.bid_users.collect()
        return {
            sample.labels["outcome"]: int(sample.value)
            for sample in family.samples
            if sample.name.endswith("_total") and sample.value
        }


def about(**parts: Any) -> Auction:
    asked = auction(privacy=Privacy(True), **(parts or {"user": {"buyeruid": "ada"}}))
    return asked._replace(exchange="adx")


@pytest.fixture
def house() -> House:
    return House()


async def test_who_is_known_brings_history_scores_and_segments(house: House) -> None:
    await house.remember(intent=INTENT, churn=CHURN)
    await saved.put(house.store, "gold", "attributes.plan = gold", NOW)
    await house.segments.look()
    known = await house.ask()
    assert (known.entity, known.segments, known.as_of) == ("uada", ("gold",), NOW)
    assert known.scores == {"intent": 0.3, "churn": 0.6}
    assert known.churn_bands == ("high",)
    assert known.seen is not None
    assert known.seen["kind"].tolist() == [Kind.purchase, Kind.impression]
    assert known.numbers is None, "without a model nobody asks for them"
    assert house.counted() == {"known": 1}


async def test_numbers_are_read_once_a_model_is_released(house: House) -> None:
    await house.remember()
    house.bundles.released["bidding"] = object()
    numbers = (await house.ask()).numbers
    assert numbers is not None
    named = dict(zip([one.name for one in NUMBERS], numbers.tolist(), strict=True))
    assert (named["value_28d"], named["lifetime_events"]) == (10.0, 2.0)
    # Nothing lies before their first event: nothing is known, as in training.
    house.clock.advance(-5 * HOUR_MS)
    assert (await house.ask()).numbers is None
    assert (await house.ask(user={"buyeruid": "new"})).numbers is None


async def test_without_leave_nothing_is_read(house: House) -> None:
    await house.remember()
    for why in ("gdpr", "coppa", "lmt", "us_privacy"):
        # Even where keys slipped through.
        asked = about()._replace(privacy=Privacy(False, why), keys=Keys("ada", "x", "y"))
        assert await house.users.read(asked, 1.0) is NOBODY
    assert house.store.asked == []
    assert house.counted() == {"contextual": 4}


@pytest.mark.parametrize(
    ("keys", "entity"),
    [
        (Keys("ada", "x1", "D-1"), "uada"),
        (Keys("", "x1", "AAAA-bbbb"), "sifa:aaaa-bbbb"),
        (Keys("", "x1", "00000000-0000-0000-0000-000000000000"), "sexchange:adx:x1"),
        (Keys("", "x1"), "sexchange:adx:x1"),
        (Keys(), ""),
        (Keys("a\x00b", "x1"), "sexchange:adx:x1"),
        (Keys(" "), ""),
        (Keys("", "", "d" * 256), ""),
        (Keys("ü" * 200), ""),
        (Keys("", "\ud800"), ""),
    ],
)
def test_whose_name_is_which(keys: Keys, entity: str) -> None:
    assert entity_of(keys, "adx") == entity


def test_an_exchange_without_a_name_has_no_users_of_its_own() -> None:
    assert entity_of(Keys("", "x1"), "") == ""
    assert entity_of(Keys("", "x1"), "a") != entity_of(Keys("", "x1"), "b")


async def test_nobody_is_read_where_nobody_is_named(house: House) -> None:
    assert await house.ask(site={"domain": "a.example"}) is NOBODY
    assert house.store.asked == []
    assert house.counted() == {"nameless": 1}


async def test_a_stranger_may_be_shown_and_remembered(house: House) -> None:
    known = await house.ask(user={"buyeruid": "new"})
    assert (known.entity, known.segments, known.scores) == ("unew", (), {})
    assert known.seen is not None
    assert len(known.seen) == 0
    assert house.counted() == {"new": 1}


async def test_a_device_that_was_identified_is_its_user(house: House) -> None:
    await house.remember()
    assert (await house.ask(device={"ifa": "AB-1"})).entity == "sifa:ab-1"
    await house.store.identify("ifa:ab-1", "ada", NOW)
    known = await house.ask(device={"ifa": "AB-1"})
    assert known.entity == "uada"
    assert known.seen is not None
    assert len(known.seen) == 2
    # The user's own refusal holds however they are named.
    await house.store.put_profile("ada", Profile(consent={"advertising": False}))
    assert await house.ask(device={"ifa": "AB-1"}) is NOBODY


async def test_who_refused_advertising_is_nobody(house: House) -> None:
    await house.remember(consent={**YES, "advertising": False}, intent=INTENT)
    house.bundles.released["bidding"] = object()
    # No second name is tried: the refusal was theirs.
    assert await house.ask(user={"buyeruid": "ada", "id": "x1"}, device={"ifa": "d1"}) is NOBODY
    assert [entities for entities, _ in house.store.asked] == [("uada",)]
    assert house.counted() == {"refused": 1}


async def test_who_never_answered_follows_the_deployment() -> None:
    house = House(unanswered=False)
    await house.remember(intent=INTENT)
    assert await house.ask() is NOBODY
    assert await house.ask(user={"buyeruid": "new"}) is NOBODY
    await house.store.put_profile("ada", Profile(consent={"advertising": True}))
    known = await house.ask()
    assert (known.entity, known.scores) == ("uada", {}), "no other purpose was allowed"


async def test_every_purpose_has_its_own_consent(house: House) -> None:
    await saved.put(house.store, "gold", "attributes.plan = gold", NOW)
    await house.segments.look()
    told = INTENT._replace(band=Band.high)
    await house.remember(consent={**YES, "personalisation": False}, intent=told, churn=CHURN)
    known = await house.ask()
    assert (known.intent_bands, known.churn_bands) == ((), ("high",))
    assert (known.scores, known.segments) == ({"churn": 0.6}, ("gold",))
    await house.store.put_profile("ada", Profile({"plan": "gold"}, {**YES, "analytics": False}))
    known = await house.ask()
    assert (known.intent_bands, known.churn_bands) == (("high",), ())
    assert (known.scores, known.segments) == ({"intent": 0.3}, ())


@pytest.mark.parametrize(
    ("chance", "rate", "bands"),
    [
        (0.05, 0.1, ("low",)),
        (0.1, 0.1, ("medium",)),
        (0.29, 0.1, ("medium",)),
        (0.31, 0.1, ("high",)),
        (0.74, 0.5, ("medium",)),
        (0.75, 0.5, ("high",)),
        (0.9, 0.0, ()),
    ],
)
async def test_intent_is_high_or_low_beside_what_is_usual(
    house: House, chance: float, rate: float, bands: tuple[str, ...]
) -> None:
    house.bundles.released["intent"] = Released(Model(rate=rate))
    await house.remember(intent=INTENT._replace(probability=chance))
    assert (await house.ask()).intent_bands == bands


async def test_intent_counts_while_its_question_is_open_and_it_is_trusted(house: House) -> None:
    house.bundles.released["intent"] = Released(Model(horizon_hours=2.0))
    await house.remember(intent=INTENT)
    assert (await house.ask()).intent_bands == ("medium",)
    house.clock.advance(int(1.5 * HOUR_MS))
    assert (await house.ask()).scores == {"intent": 0.3}
    house.clock.advance(1)
    known = await house.ask()
    assert (known.intent_bands, known.scores) == ((), {})
    # Without a model that says how long, a day.
    house.bundles.released.clear()
    assert (await house.ask()).scores == {"intent": 0.3}
    house.clock.advance(OPEN_MS)
    assert (await house.ask()).scores == {}
    await house.remember("bob", intent=INTENT._replace(as_of=house.clock(), confidence=0.49))
    doubted = await house.ask(user={"buyeruid": "bob"})
    assert (doubted.intent_bands, doubted.scores) == ((), {"intent": 0.3})


async def test_only_segments_that_a_line_asks_for_are_judged(house: House) -> None:
    await house.remember()
    for name in ("gold", "paying"):
        await saved.put(house.store, name, "attributes.plan = gold", NOW)
    await house.segments.look()
    assert (await house.ask()).segments == ("gold", "paying")
    house.targeted = frozenset({"paying"})
    assert (await house.ask()).segments == ("paying",)
    house.targeted = frozenset()
    assert (await house.ask()).segments == ()


async def test_a_store_that_is_late_costs_the_personal_part_only(house: House) -> None:
    await house.remember()
    house.store.failure = StoreUnavailable("not in time")
    assert await house.ask(0.004) is NOBODY
    house.watch.up = False
    assert await house.ask(1.0) is NOBODY
    assert await house.ask(0.0) is NOBODY
    assert await house.ask(-1.0) is NOBODY
    # Never longer than a decision waits; hardly at all while it is known to be down; and with no
    # time left it is not asked.
    assert [within for _, within in house.store.asked] == [0.004, 0.02]
    house.watch.up, house.store.failure = True, None
    await house.ask(9.0)
    assert house.store.asked[-1][1] == ServiceSettings().store_timeout_s
    assert house.counted() == {"late": 4, "known": 1}


async def test_what_cannot_be_read_is_told_to_the_log_and_costs_no_bid(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    await house.remember()
    house.store.failure = RuntimeError("ada-4711 must not show")
    assert await house.ask() is NOBODY
    assert house.counted() == {"failed": 1}
    assert "4711" not in caplog.text


async def test_a_profile_that_cannot_be_read_is_a_refusal(house: House) -> None:
    await house.remember(consent={"advertising": "yes"})  # type: ignore[dict-item]
    assert await house.ask() is NOBODY


async def test_neighbours_share_a_read_and_get_their_own(house: House) -> None:
    await house.remember("ada")
    await house.remember("bob", consent={"advertising": False})
    house.bundles.released["bidding"] = object()
    house.store.takes_s = 0.001
    names = ["ada", "bob", "new", "ada"]
    found = await asyncio.gather(*[house.ask(user={"buyeruid": name}) for name in names])
    assert [one.entity for one in found] == ["uada", "", "unew", "uada"]
    assert found[0].numbers is not None
    assert found[3].numbers is not None
    np.testing.assert_array_equal(found[0].numbers, found[3].numbers)
    assert found[0].numbers is not found[3].numbers
