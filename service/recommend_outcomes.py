"""What came of answers: clicks and purchases that quote one, counted once and turned to lessons.

Put on a list when events come, looked up a little later. Counting is repeatable: whoever repeats
an event changes nothing, and an id that is no answer's, or an item that was not in it, teaches
nothing. Knows nothing of beliefs.
"""

from collections.abc import Iterable
from typing import NamedTuple

from domain.clock import Clock
from domain.events import Event, Kind
from domain.ids import hash64
from feature_store.chosen import MOST_PLACES, Chosen
from feature_store.store import Store
from models.recommend.lessons import Given, Lessons, Reward
from service.metrics import Metrics
from service.recommend_settings import RecommendSettings
from service.waiting import Lines

WAITS_MS = (0, 3_000, 20_000)
"""When an outcome is looked up, after it came: its answer may be on its way to the store still.
After the last the id it quotes is no answer's that was remembered (a bid's, say)."""
_LONGEST_ID = 64
_MOST_ROUNDS = 20


class Outcome(NamedTuple):
    """What is kept of an event: no id of anybody. item: its hash."""

    decision: str
    item: int
    bought: bool
    came: int
    tries: int = 0

    def once_more(self) -> "Outcome":
        """Answer it after one more look."""
        return self._replace(tries=self.tries + 1)


class RecommendOutcomes:
    """Outcomes on their way; one a worker."""

    def __init__(
        self, store: Store, clock: Clock, metrics: Metrics, settings: RecommendSettings
    ) -> None:
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._settings = settings
        self._lines: Lines[Outcome] = Lines(
            clock, WAITS_MS, lambda: metrics.rewards.labels("lost").inc()
        )
        self.told = False
        """Whether somebody tells what comes of answers, since this was last set to False."""

    @property
    def waiting(self) -> int:
        """How many wait to be looked up."""
        return len(self._lines)

    def take(self, events: Iterable[Event]) -> None:
        """Take what quotes a decision; events that do not cost a look at one field."""
        for one in events:
            if (
                one.decision_id
                and (one.kind == Kind.click or one.kind == Kind.purchase)
                and one.item
                and len(one.decision_id) <= _LONGEST_ID
            ):
                bought = one.kind == Kind.purchase
                self._lines.put(Outcome(one.decision_id, hash64(one.item), bought, self._clock()))
                self.told = True

    def forget(self) -> None:
        """Let go of what waits."""
        self.told = False
        self._lines.clear()

    async def settle(self, lessons: Lessons) -> None:
        """Look up what is due, count it, and add what it teaches. Raises StoreUnavailable; what
        was not settled then waits on."""
        for _ in range(_MOST_ROUNDS):
            due = self._lines.due()
            if not due:
                return
            try:
                await self._settle(due, lessons)
            except BaseException:
                self._lines.back(due)
                raise

    async def _settle(self, due: list[Outcome], lessons: Lessons) -> None:
        chosen = self._store.chosen
        found = await chosen.get([one.decision for one in due])
        joined = list[tuple[Outcome, Chosen, int]]()
        missing = list[Outcome]()
        for outcome, answer in zip(due, found, strict=True):
            if answer is None:
                missing.append(outcome)
            elif outcome.item in answer.items:
                joined.append((outcome, answer, answer.items.index(outcome.item)))
            else:
                self._metrics.rewards.labels("other_item").inc()
        marks = [(one.decision, place + MOST_PLACES * one.bought) for one, _, place in joined]
        # Nothing is taught before the marks are set: an outcome may be lost, never counted twice.
        new = await chosen.mark(marks, 2 * self._settings.window_ms)
        for (outcome, answer, place), first in zip(joined, new, strict=True):
            self._reward(outcome, answer, place, first, lessons)
        for outcome in missing:
            if not self._lines.again(outcome):
                self._metrics.rewards.labels("unknown").inc()

    def _reward(
        self, outcome: Outcome, answer: Chosen, place: int, first: bool, lessons: Lessons
    ) -> None:
        age = outcome.came - answer.at
        if not first or not 0 <= age <= self._settings.window_ms:
            self._metrics.rewards.labels("duplicate" if not first else "late").inc()
            return
        settings, explored = self._settings, place in answer.explored
        word = "purchase" if outcome.bought else "click"
        self._metrics.rewards.labels(f"explored_{word}" if explored else word).inc()
        if explored:
            # What an explored item earned says nothing of the mix that did not place it.
            return
        worth = settings.purchase if outcome.bought else settings.click
        given = Given(answer.page, answer.arm, answer.context)
        lessons.rewards.append(Reward(given, worth, float(max(age, 0))))
