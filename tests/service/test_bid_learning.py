"""Learning in a worker: notices go in, snapshots come out, faults stay outside."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from domain.campaigns import Creative
from domain.clock import FixedClock
from domain.errors import StoreUnavailable
from domain.events import Event, Kind
from feature_store.memory import MemoryStore
from models.bandits.policies import Epsilon, Thompson
from models.bidding.arms import MULTIPLIERS, NEUTRAL, WIDTH
from models.bidding.landscape import LOCATIONS, places_of
from models.bidding.market import BUCKETS
from service import bid_learning
from service.shared_lore import NAME
from tests.service.campaigning import CAMPAIGN
from tests.service.learning import MEMO, PLACES, Worker, bid, notice
from tests.service.serving import NOW, SwitchedStore, until

X = np.array([1.0, *MEMO.features])


def here(worker: Worker) -> float:
    """Answer the location of prices where the bids of these tests are."""
    return float(worker.learning.landscape.weights[list(PLACES)].sum())


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(clock=FixedClock(NOW))


async def test_before_anything_is_known(store: MemoryStore) -> None:
    worker = Worker(store)
    learning = worker.learning
    assert learning.landscape_confidence(PLACES) == 0.0
    assert learning.factors("c1") == (1.0, 1.0)
    assert int(learning.multipliers("north", "c1").mean[:, 0].argmax()) == NEUTRAL
    assert learning.multipliers("north", "c1").mean.shape == (len(MULTIPLIERS), WIDTH)
    assert learning.creatives(CAMPAIGN).mean.shape == (1, WIDTH)
    assert learning.policy_numbers.tolist() == Thompson().numbers.tolist()
    await learning.look()
    assert here(worker) == pytest.approx(math.log(1e6))


async def test_notices_move_prices_arms_and_spend_in_every_worker(store: MemoryStore) -> None:
    one, other = Worker(store), Worker(store)
    for turn in range(3):
        one.tell(40, "win", 40 * turn)
        other.tell(40, "bill", 40 * turn)
        for worker in (one, other):
            await worker.learning.look()
    await one.learning.look()
    for worker in (one, other):
        assert here(worker) == pytest.approx(math.log(690_000), abs=0.15)
        assert worker.learning.landscape_confidence(PLACES) > 0.8
        elsewhere = tuple(places_of({"exchange": "south"}, BUCKETS).tolist())
        assert worker.learning.landscape_confidence(elsewhere) < 0.8
        kept = worker.learning.multipliers("north", "c1")
        assert kept.mean[NEUTRAL] @ X == pytest.approx(0.65, abs=0.05)
        assert kept.outcomes == 120
        assert worker.learning.creatives(CAMPAIGN).outcomes == 120
        assert worker.learning.creatives(CAMPAIGN).mean[0] @ X < -4
    assert one.lessons("learned") == 3 * 40 * 3, "a price, a reward, and that it was heard"
    assert one.lessons("refused") == 0
    location = one.metrics.registry.get_sample_value("sanderling_bid_landscape_location")
    assert location == one.learning.landscape.weights[0]


async def test_a_click_is_known_everywhere_and_counted(store: MemoryStore) -> None:
    one, other = Worker(store), Worker(store)
    one.tell(30, "bill")
    await one.learning.look()
    before = one.learning.creatives(CAMPAIGN).mean[0] @ X
    clicks = [Event(f"e{n}", "u1", Kind.click, NOW, decision_id=f"b{n}") for n in range(3)]
    other.learning.outcomes(clicks)
    await other.learning.look()
    await one.learning.look()
    for worker in (one, other):
        assert worker.learning.creatives(CAMPAIGN).mean[0] @ X > before + 0.5
        assert worker.learning.factors("c1")[0] > 1.05
    (ledger,) = await store.budgets.ledgers([("c1", 0)])
    assert ledger.clicks == 3
    assert ledger.foretold_clicks == 30 * 62_500
    assert ledger.foretold_conversions == 30 * round(1e6 * 0.0625 * 0.125)


async def test_snapshots_are_replaced_and_never_changed(store: MemoryStore) -> None:
    worker = Worker(store)
    await worker.learning.look()
    held = worker.learning.landscape, worker.learning.creatives(CAMPAIGN)
    copies = held[0].weights.copy(), held[1].mean.copy()
    worker.tell(50)
    worker.tell(50, "bill")
    await worker.learning.look()
    assert worker.learning.landscape is not held[0]
    np.testing.assert_array_equal(held[0].weights, copies[0])
    np.testing.assert_array_equal(held[1].mean, copies[1])
    assert not worker.learning.creatives(CAMPAIGN).mean.flags.writeable


async def test_creatives_follow_the_campaign_as_it_is(store: MemoryStore) -> None:
    worker = Worker(store)
    worker.tell(50, "bill")
    await worker.learning.look()
    off = Creative("off", active=False)
    more = replace(CAMPAIGN, creatives=(Creative("new"), off, *CAMPAIGN.creatives))
    beliefs = worker.learning.creatives(more)
    assert beliefs.mean.shape == (2, WIDTH)
    assert beliefs.mean[1] @ X < beliefs.mean[0] @ X, "it was shown and not clicked"
    assert worker.learning.creatives(more) is beliefs
    assert worker.learning.creatives(CAMPAIGN).mean.shape == (1, WIDTH)


async def test_exploring_stays_within_its_share_of_what_all_spend(store: MemoryStore) -> None:
    one, other = Worker(store), Worker(store)
    full = one.learning.limit("c1", 1_000)
    assert full == pytest.approx(1.0)
    explores = MEMO._replace(greedy=False)
    for number in range(49):
        token = bid(f"x{number}", explores)
        other.learning.take(notice("bill", token, 1_000_000))
    await other.learning.look()
    await one.learning.look()
    # Of an opening unit a twentieth was granted: 50,000 micros, of which 49,000 are gone.
    assert 0 < one.learning.limit("c1", 1_000) <= 0.05
    assert one.learning.limit("c1", 1_001) == 0.0
    assert one.learning.limit("c2", 1_000) == 1.0
    one.tell(4_000, "bill")
    await one.learning.look()
    assert one.learning.limit("c1", 1_000) == 1.0


async def test_what_is_being_explored_counts_before_it_is_billed(store: MemoryStore) -> None:
    worker = Worker(store)
    before = worker.learning.limit("c1", 1_000)
    worker.learning.exploring("c1", 49_500.0)
    assert worker.learning.limit("c1", 1_000) == 0.0
    for _ in range(60):
        worker.tell(1)
        await worker.learning.look()
    assert worker.learning.limit("c1", 1_000) > before / 2, "what never came is forgotten"


async def test_the_policy_and_the_share_are_settings(store: MemoryStore) -> None:
    worker = Worker(store, policy=Epsilon(0.0), currency="EUR")
    assert worker.learning.policy_numbers[1] == 0.0
    assert worker.learning.currency == "EUR"
    assert worker.learning.scale_of("USD") == pytest.approx(1 / 1.1172, rel=1e-6)


def absurd() -> list[Any]:
    """Answer notices that nobody should believe."""
    nowhere = MEMO._replace(places=(0, 1, 2, 3, 4, 5, 6, 7), buckets=0)
    other = MEMO._replace(buckets=32)
    found: list[Any] = []
    for price in (0, 1, 10**9, 10**15, 1 << 62):
        for word in ("win", "loss"):
            found += [
                notice(word, bid("a"), price),
                notice(word, bid("a", at=1), price, min_to_win=price),
                notice(word, bid("a"), None, min_to_win=price),
                notice(word, bid("a", price=price), price),
            ]
    for memo in (None, nowhere, other):
        found += [notice("win", bid("a", memo), 700_000), notice("loss", bid("a", memo))]
    found += [notice("win", bid("a", currency="XYZ"), 700_000)]
    found += [notice("win", bid("a", about=b"\xff" * 48), 700_000)]
    found += [notice("win", bid("a", exchange="x" * 300, arm=65_535), 700_000)]
    found += [notice("loss", bid("a"), reason=reason) for reason in (1, 2, 103, 200, 99_999)]
    return found


async def test_absurd_notices_do_not_rule(store: MemoryStore) -> None:
    worker, plain = Worker(store), Worker(MemoryStore())
    for turn in range(4):
        for one in (worker, plain):
            one.tell(200, "win", 200 * turn)
        for one in absurd():
            worker.learning.take(one)
        for one in (worker, plain):
            await one.learning.look()
    assert abs(here(worker) - here(plain)) < 0.5
    assert LOCATIONS[0] < worker.learning.landscape.weights[0] < LOCATIONS[1]
    assert worker.lessons("refused") > 0
    kept = worker.learning.multipliers("north", "c1").mean @ X
    assert (np.abs(kept) <= 1.01).all()


async def test_notices_in_another_currency_are_turned_into_ours(store: MemoryStore) -> None:
    worker = Worker(store)
    for turn in range(3):
        for number in range(60):
            token = bid(f"b{turn}-{number}", currency="JPY", price=200_000_000)
            price = 100_000_000 + 2_000_000 * (number % 11)
            worker.learning.take(notice("win", token, price))
        await worker.learning.look()
    usd = 110e6 * worker.learning.scale_of("JPY")
    assert here(worker) == pytest.approx(math.log(usd), abs=0.25)


async def test_a_store_that_is_away_costs_no_lesson(store: MemoryStore) -> None:
    class Away(SwitchedStore):
        async def get_blob(self, name: str) -> bytes | None:
            self._reach()
            return await super().get_blob(name)

    away = Away(clock=FixedClock(NOW))
    worker = Worker(away)
    away.down = True
    for turn in range(3):
        worker.tell(10, "bill", 10 * turn)
        await worker.learning.look()
    assert worker.lessons("learned") == 0
    away.down = False
    await worker.learning.look()
    await worker.learning.look()
    assert worker.learning.creatives(CAMPAIGN).outcomes == 30
    assert (await away.shown.get(["b0", "b29", "b30"]))[2] is None


async def test_a_fault_in_learning_stops_nobody(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = Worker(store)
    monkeypatch.setattr(bid_learning, "draw", lambda *_, **__: 1 / 0)
    worker.tell(3)
    await worker.learning.look()
    assert worker.lessons("refused") == 1
    monkeypatch.undo()
    worker.tell(3)
    await worker.learning.look()
    assert worker.learning.multipliers("north", "c1").outcomes == 3
    monkeypatch.setattr(worker.learning._outcomes, "take", lambda _: 1 / 0)
    worker.learning.outcomes([Event("e", "u1", Kind.click, NOW, decision_id="b1")])


async def test_a_flood_is_bounded(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = Worker(store)
    worker.learning._notices = type(worker.learning._notices)(maxlen=20)
    monkeypatch.setattr(bid_learning, "MOST_WAITING", 20)
    worker.tell(25)
    assert worker.lessons("lost") == 5
    monkeypatch.setattr(bid_learning, "MOST_LESSONS", 10)
    await worker.learning.look()
    assert worker.lessons("lost") == 5 + 60


async def test_lore_that_cannot_be_read_is_counted_and_replaced(store: MemoryStore) -> None:
    await store.put_blob(NAME, b"junk")
    worker = Worker(store)
    worker.tell(5)
    await worker.learning.look()
    assert worker.lessons("corrupt") == 1
    assert worker.learning.multipliers("north", "c1").outcomes == 5


async def test_it_goes_on_by_itself_and_teaches_what_is_left(store: MemoryStore) -> None:
    one, other = Worker(store, turn_s=0.01), Worker(store, turn_s=0.01)
    for worker in (one, other):
        await worker.learning.start()
    one.tell(5)
    await until(lambda: other.learning.multipliers("north", "c1").outcomes == 5)
    await other.learning.stop()
    one.tell(7, first=5)
    await one.learning.stop()
    late = Worker(store)
    await late.learning.look()
    assert late.learning.multipliers("north", "c1").outcomes == 12


async def test_stopping_without_a_store_is_no_fault() -> None:
    class Gone(MemoryStore):
        async def get_blob(self, name: str) -> bytes | None:
            raise StoreUnavailable("gone")

    worker = Worker(Gone(), turn_s=9.0)
    await worker.learning.start()
    worker.tell(3)
    await worker.learning.stop()
    assert worker.lessons("refused") == 0
