"""Intent while a session runs: scored from what the store remembers, and kept beside it.

Whoever sent events is scored again in the background, coalesced and at leisure: it never delays
an acknowledgement and takes a small share of the worker's time. Bids and recommendations read
the score with the history, for free. Knows nothing of the JSON of questions.
"""

import asyncio
import contextlib
import time
from collections.abc import Iterable
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from domain.errors import SanderlingError
from domain.ids import user_entity
from domain.scores import Score
from domain.users import Purpose, may_use
from feature_store.records import Records
from feature_store.store import EntityState, Store
from models.intent.model import IntentModel
from models.intent.visit import Visit
from service.bundles import Bundles, Loaded
from service.logs import log_unexpected, log_warning
from service.metrics import Metrics
from service.score_cache import ScoreCache

FAMILY = "intent"
ROOM = 10_000
"""Entities that wait to be scored at most; a further one is dropped and counted."""
BATCH = 32
EVERY_S = 0.02
SHARE = 0.1
"""The share of a worker's time that scoring in the background may take."""
RETRY_S = 1.0


class Asked(NamedTuple):
    """A visit and the moment it is looked at (ms UTC; events before it count)."""

    visit: Visit
    as_of: int


def asked_of(model: IntentModel, records: Records, now_ms: int, cap: int) -> Asked:
    """Answer the last session in a history: of its last `cap` events, as of now or, for a clock
    that is fast, just after the last event."""
    kept = records[-cap:]
    ats: npt.NDArray[np.int64] = kept["at"]
    as_of = max(now_ms, int(ats[-1]) + 1) if len(ats) else now_ms
    # Amounts of another currency are not of the size that the model learned.
    values = np.where(kept["currency"] == 0, kept["value"], 0)
    columns = model.columns(kept["kind"], kept["item"], ats, values)
    return Asked(model.visit(columns, as_of), as_of)


class Now(NamedTuple):
    """What is said of somebody's visit: after how many events, and as of which moment (ms UTC)."""

    probability: float
    confidence: float
    events: int
    as_of: int


def now_of(loaded: Loaded, records: Records, now_ms: int, cap: int) -> Now:
    """Answer about the last session of a history with an event, as `asked_of` asks it, sooner."""
    scorer: IntentModel = loaded.scorer
    kept = records[-cap:]
    ats = kept["at"]
    as_of = max(now_ms, int(ats[-1]) + 1)
    history = (kept["kind"], kept["item"], kept["value"], kept["currency"], ats)
    found, _ = scorer.score_history(history, as_of)
    return Now(*found, as_of)


def score_of(loaded: Loaded, now: Now) -> Score:
    """Answer the score to keep."""
    return Score(now.probability, now.confidence, now.as_of, loaded.version)


class Door(NamedTuple):
    """What scoring in the background goes through; `unanswered` is the consent rule."""

    store: Store
    bundles: Bundles
    scores: ScoreCache
    metrics: Metrics
    clock: Any
    unanswered: bool


class IntentScorer:
    """A bounded set of entities to be scored again, and the task that does so."""

    def __init__(self, door: Door, *, room: int = ROOM, every_s: float = EVERY_S) -> None:
        self._door = door
        self._room = room
        self._every_s = every_s
        self._waiting: dict[str, None] = {}
        self._some = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._down = False
        self._dropped = door.metrics.scores.labels("not_scored")

    def touch(self, entities: Iterable[str]) -> None:
        """Take note of who sent events; nothing at all while no model is released."""
        if self._door.bundles.current(FAMILY) is None:
            return
        for entity in entities:
            if len(self._waiting) >= self._room and entity not in self._waiting:
                self._dropped.inc()
                continue
            self._waiting[entity] = None
        self._some.set()

    async def start(self) -> None:
        """Begin to score."""
        self._task = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """Stop; whoever still waits is scored when they are next asked about."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _work(self) -> None:
        while True:
            await self._some.wait()
            await asyncio.sleep(self._every_s)
            self._some.clear()
            while self._waiting:
                batch = list(islice(self._waiting, BATCH))
                for entity in batch:
                    del self._waiting[entity]
                await self._score(batch)

    async def _score(self, batch: list[str]) -> None:
        """Score some entities; between two of them others have their turn, and a rest."""
        door = self._door
        loaded = door.bundles.current(FAMILY)
        if loaded is None:
            return
        try:
            states = (await door.store.read(batch)).states
            self._down = False
        except SanderlingError as error:
            if not self._down:
                log_warning("intent waits for the store", why=type(error).__name__)
            self._down = True
            self._dropped.inc(len(batch))
            await asyncio.sleep(RETRY_S)
            return
        except Exception as error:
            log_unexpected(error, family=FAMILY)
            self._dropped.inc(len(batch))
            return
        for entity, state in zip(batch, states, strict=True):
            started = time.perf_counter()
            try:
                self._one(loaded, entity, state)
            except Exception as error:
                log_unexpected(error, family=FAMILY)
                self._dropped.inc()
            spent = time.perf_counter() - started
            await asyncio.sleep(spent * (1 - SHARE) / SHARE)

    def _one(self, loaded: Loaded, entity: str, state: EntityState) -> None:
        if not may_use(state.profile, Purpose.personalisation, unanswered=self._door.unanswered):
            return
        if not len(state.records):
            return
        if state.linked_user:
            entity = user_entity(state.linked_user)
        cap = self._door.store.settings.history_cap
        now = now_of(loaded, state.records, self._door.clock(), cap)
        self._door.scores.put(entity, FAMILY, score_of(loaded, now))
