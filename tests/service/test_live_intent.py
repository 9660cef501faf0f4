"""Scoring in the background: coalesced, bounded, consent first, at leisure, never in the way."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from domain.clock import FixedClock
from domain.errors import StoreUnavailable
from domain.events import Event, Kind
from domain.scores import Score
from domain.users import Profile
from feature_store.memory import MemoryStore
from feature_store.records import EMPTY_RECORDS
from feature_store.store import Read, StoreSettings
from models.calibration import sigmoid
from service.bundles import Bundles
from service.live_intent import BATCH, Door, IntentScorer, Now, asked_of, now_of, score_of
from service.metrics import Metrics
from service.score_cache import ScoreCache
from tests.golden.visiting import release_visiting, visiting_model
from tests.service.serving import NOW, until

ONE = float(sigmoid(1.0))


class Watched(MemoryStore):
    """Notes who is read; can be away."""

    def __init__(self) -> None:
        super().__init__(StoreSettings())
        self.asked: list[list[str]] = []
        self.away = False

    async def read(self, entities: Sequence[str]) -> Read:
        self.asked.append(list(entities))
        if self.away:
            raise StoreUnavailable("away")
        return await super().read(entities)


class Scene:
    """A scorer with its doors, over a store in memory."""

    def __init__(self, home: Path, **chosen) -> None:
        self.store, self.metrics, self.clock = Watched(), Metrics(), FixedClock(NOW)
        self.bundles = Bundles(home / "bundles", self.metrics, self.clock, poll_s=60.0)
        self.scores = ScoreCache(self.store, self.metrics, every_s=0.001)
        door = Door(
            self.store, self.bundles, self.scores, self.metrics, self.clock,
            chosen.pop("unanswered", True),
        )  # fmt: skip
        self.scorer = IntentScorer(door, every_s=0.005, **chosen)

    async def put_in_cart(self, *entities: str) -> None:
        made = [
            Event(f"e{n}", entity, Kind.add_to_cart, NOW - 1_000, "tea")
            for n, entity in enumerate(entities)
        ]
        await self.store.append(made, NOW)

    async def kept(self, entity: str) -> Score | None:
        return (await MemoryStore.read(self.store, [entity])).states[0].scores.get("intent")

    def lost(self) -> float:
        found = self.metrics.registry.get_sample_value(
            "sanderling_scores_total", {"outcome": "not_scored"}
        )
        return found or 0.0


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    release_visiting(tmp_path)
    made = Scene(tmp_path)
    await made.bundles.look()
    await made.scores.start()
    await made.scorer.start()
    yield made
    await made.scorer.stop()
    await made.scores.stop()


async def wait_for(scene: Scene, entity: str) -> Score:
    for _ in range(10_000):
        score = await scene.kept(entity)
        if score is not None:
            return score
        await asyncio.sleep(0.002)
    raise TimeoutError


async def test_who_sent_events_is_scored_once_for_many_touches(scene: Scene) -> None:
    await scene.put_in_cart("uada", "sbob")
    for _ in range(100):
        scene.scorer.touch(["uada", "sbob", "uada"])
    score = await wait_for(scene, "sbob")
    assert (await wait_for(scene, "uada")).probability == score.probability == pytest.approx(ONE)
    assert score.as_of == NOW
    assert scene.store.asked[0] == ["uada", "sbob"]
    assert len(scene.store.asked) == 1


async def test_touching_is_nothing_without_a_model(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    await scene.scorer.start()
    scene.scorer.touch(["uada"])
    await asyncio.sleep(0.03)
    assert scene.store.asked == []
    await scene.scorer.stop()


async def test_a_full_queue_drops_the_newest_and_says_so(tmp_path: Path) -> None:
    release_visiting(tmp_path)
    scene = Scene(tmp_path, room=2)
    await scene.bundles.look()
    scene.scorer.touch(["u1", "u2", "u3", "u1", "u4"])
    assert scene.lost() == 2


async def test_consent_is_asked_before_anything_is_scored(scene: Scene, tmp_path: Path) -> None:
    await scene.put_in_cart("uno", "uyes")
    await scene.store.put_profile("no", Profile(consent={"personalisation": False}))
    scene.scorer.touch(["uno", "uyes"])
    await wait_for(scene, "uyes")
    assert await scene.kept("uno") is None
    strict = Scene(tmp_path, unanswered=False)
    await strict.bundles.look()
    await strict.scores.start()
    await strict.scorer.start()
    await strict.put_in_cart("usilent", "uyes")
    await strict.store.put_profile("yes", Profile(consent={"personalisation": True}))
    strict.scorer.touch(["usilent", "uyes"])
    await wait_for(strict, "uyes")
    assert await strict.kept("usilent") is None
    await strict.scorer.stop()
    await strict.scores.stop()


async def test_the_score_of_an_identified_session_is_its_users(scene: Scene) -> None:
    await scene.put_in_cart("svisit")
    await scene.store.identify("visit", "ada", NOW)
    scene.scorer.touch(["svisit"])
    assert (await wait_for(scene, "uada")).probability == pytest.approx(ONE)


async def test_nobody_and_a_store_away_cost_nothing_but_a_count(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.live_intent.RETRY_S", 0.01)
    scene.store.away = True
    scene.scorer.touch(["uada"])
    await until(lambda: scene.lost() == 1)
    scene.store.away = False
    await scene.put_in_cart("uada")
    scene.scorer.touch(["unobody", "uada"])
    await wait_for(scene, "uada")
    assert await scene.kept("unobody") is None


async def test_one_that_cannot_be_scored_stops_no_other(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene.put_in_cart("ubad", "ugood")
    real = now_of

    def fail_once(loaded, records, now_ms, cap) -> Now:
        monkeypatch.setattr("service.live_intent.now_of", real)
        raise RuntimeError("user-4711 must not show")

    monkeypatch.setattr("service.live_intent.now_of", fail_once)
    scene.scorer.touch(["ubad", "ugood"])
    await wait_for(scene, "ugood")
    assert (await scene.kept("ubad"), scene.lost()) == (None, 1)


async def test_it_takes_a_small_share_of_the_time(scene: Scene) -> None:
    many = [f"u{n}" for n in range(4 * BATCH)]
    await scene.put_in_cart(*many)
    scene.scorer.touch(many)
    await wait_for(scene, "u0")
    loop, worst, started = asyncio.get_running_loop(), 0.0, time.perf_counter()
    while time.perf_counter() - started < 0.3:
        before = loop.time()
        await asyncio.sleep(0)
        worst = max(worst, loop.time() - before)
    # Between two scores others have their turn: nobody waits for a batch.
    assert worst < 0.15
    await wait_for(scene, many[-1])


def test_an_empty_history_is_an_empty_visit() -> None:
    model = visiting_model()
    asked = asked_of(model, EMPTY_RECORDS, NOW, 512)
    assert (asked.visit.events, asked.as_of) == (0, NOW)


async def test_amounts_of_another_currency_are_no_amounts(tmp_path: Path) -> None:
    store = MemoryStore(StoreSettings(house_currency="EUR"))
    made = [
        Event("e1", "uada", Kind.click, NOW - 2, "tea", 5_000_000, "EUR"),
        Event("e2", "uada", Kind.click, NOW - 1, "tea", 9_000_000, "SEK"),
    ]
    await store.append(made, NOW)
    records = (await store.read(["uada"])).states[0].records
    asked = asked_of(visiting_model(), records, NOW, 512)
    assert asked.visit.columns.values.tolist() == [5_000_000, 0]
    # Of a clock that is fast the last event counts all the same; only the last `cap` do.
    early = asked_of(visiting_model(), records, NOW - 10, 1)
    assert (early.as_of, early.visit.events) == (NOW, 1)
    assert np.array_equal(early.visit.columns.ats, [NOW - 1])


async def test_a_score_says_which_model_gave_it(tmp_path: Path) -> None:
    version = release_visiting(tmp_path)
    scene = Scene(tmp_path)
    await scene.bundles.look()
    loaded = scene.bundles.current("intent")
    assert loaded is not None
    await scene.put_in_cart("uada")
    records = (await scene.store.read(["uada"])).states[0].records
    score = score_of(loaded, now_of(loaded, records, NOW, 512))
    assert (score.model, score.fallback, score.as_of) == (version, None, NOW)


async def test_now_is_what_the_whole_visit_says(tmp_path: Path) -> None:
    release_visiting(tmp_path)
    scene = Scene(tmp_path)
    await scene.bundles.look()
    loaded = scene.bundles.current("intent")
    assert loaded is not None
    await scene.put_in_cart("uada")
    records = (await scene.store.read(["uada"])).states[0].records
    for moment in (NOW, NOW - 10_000_000, NOW + 600_000):
        asked = asked_of(loaded.scorer, records, moment, 512)
        wanted = loaded.scorer.score_of(*asked)
        now = now_of(loaded, records, moment, 512)
        assert now[:3] == pytest.approx(wanted, abs=1e-12)
        assert now.as_of == asked.as_of
