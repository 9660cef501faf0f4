"""What came of shown bids: clicks and purchases that quote one, counted once and turned to lessons.

Put on a list when events come, looked up later, again after a while where the bill is not known
yet. Counting is repeatable: whoever repeats an event changes nothing. Knows nothing of beliefs.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from domain.campaigns import Campaign
from domain.clock import Clock
from domain.events import Event, Kind
from domain.ids import hash64
from feature_store.shown import KEPT_MS, Shown
from feature_store.store import Store
from models.bidding.memo import read_memo
from models.bidding.tidings import Bought, Clicked, Lessons
from service.learning_settings import LearningSettings
from service.metrics import Metrics
from service.waiting import Lines

PURCHASES = 32
"""Purchases of one shown bid that are told apart; more may be taken for one of them."""
WAITS_MS = (0, 3_000, 20_000, 180_000)
"""When an outcome is looked up, after it came: its bill may be on its way still. After the last
the id it quotes is no shown bid's (a recommendation's, say)."""
_LONGEST_ID = 64
_MOST_ROUNDS = 20
_KINDS = (Kind.click, Kind.purchase)


class Outcome(NamedTuple):
    """What is kept of an event: no id of anybody. value: micros of `currency` ("" the house's)."""

    bid: str
    event: str
    clicked: bool
    came: int
    tries: int = 0
    value: int = 0
    currency: str = ""

    def once_more(self) -> "Outcome":
        """Answer it after one more look."""
        return self._replace(tries=self.tries + 1)


class BidOutcomes:
    """Outcomes on their way; one a worker."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        metrics: Metrics,
        campaigns: Callable[[], Mapping[str, Campaign]],
        settings: LearningSettings,
    ) -> None:
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._campaigns = campaigns
        self._settings = settings
        self._lines: Lines[Outcome] = Lines(
            clock, WAITS_MS, lambda: metrics.bid_outcomes.labels("lost").inc()
        )

    @property
    def waiting(self) -> int:
        """How many wait to be looked up."""
        return len(self._lines)

    def take(self, events: Iterable[Event]) -> None:
        """Take what quotes a decision; events that do not cost a look at one field."""
        quoting = [one for one in events if one.decision_id and one.kind in _KINDS]
        if not quoting or not self._campaigns():
            return
        now = self._clock()
        for one in quoting:
            if len(one.decision_id) <= _LONGEST_ID:
                clicked = one.kind == Kind.click
                value = max(one.value or 0, 0)
                self._lines.put(
                    Outcome(one.decision_id, one.event_id, clicked, now, 0, value, one.currency)
                )

    async def settle(self, lessons: Lessons) -> None:
        """Look up what is due, count it, and add what it teaches. Raises StoreUnavailable; what
        was not settled then waits on."""
        for _ in range(_MOST_ROUNDS):
            due = self._lines.due()
            if not due:
                return
            await self._settle(due, lessons)

    async def _settle(self, due: list[Outcome], lessons: Lessons) -> None:
        # A click comes before the purchases that follow it, whatever order they came in.
        due.sort(key=lambda one: not one.clicked)
        settled = 0
        try:
            found = await self._store.shown.get([one.bid for one in due])
            known = {shown.bid: shown for shown in found if shown is not None}
            for one in due:
                shown = known.get(one.bid)
                if shown is None:
                    self._again(one)
                elif one.clicked:
                    await self._click(one, shown, lessons, known)
                else:
                    await self._purchase(one, shown, lessons)
                settled += 1
        finally:
            self._lines.back(due[settled:])

    def _again(self, outcome: Outcome) -> None:
        if not self._lines.again(outcome):
            self._metrics.bid_outcomes.labels("unknown").inc()

    async def _click(
        self, outcome: Outcome, shown: Shown, lessons: Lessons, known: dict[str, Shown]
    ) -> None:
        count_once, until = self._store.budgets.count_once, shown.at + KEPT_MS
        first = await count_once(shown.campaign, "c" + shown.bid, until, clicks=1)
        self._metrics.bid_outcomes.labels("click" if first else "duplicate").inc()
        if not shown.clicked:
            known[shown.bid] = shown._replace(clicked=True)
            await self._store.shown.put([known[shown.bid]])
        if not first:
            return
        memo = read_memo(shown.about)
        age = max(outcome.came - shown.at, 0)
        if memo is not None:
            lessons.clicks.append(
                Clicked(
                    *(shown.campaign, shown.creative, memo.features, memo.click),
                    *(memo.conversion, age),
                )
            )

    async def _purchase(self, outcome: Outcome, shown: Shown, lessons: Lessons) -> None:
        """Count a bid's first purchase as its conversion, and the value of every one."""
        count_once, until = self._store.budgets.count_once, shown.at + KEPT_MS
        value = self._value(outcome, shown.campaign)
        if value:
            # Marks are kept for days: one bid does not get more than PURCHASES of them.
            mark = f"v{shown.bid} {hash64(outcome.event) % PURCHASES}"
            await count_once(shown.campaign, mark, until, value=value)
        first = await count_once(shown.campaign, "k" + shown.bid, until, conversions=1)
        self._metrics.bid_outcomes.labels("purchase" if first else "duplicate").inc()
        memo = read_memo(shown.about)
        if first and shown.clicked and memo is not None:
            # Chances of a conversion are foretold of clicks: without one there is none to hold it
            # against.
            lessons.bought.append(Bought(shown.campaign, memo.conversion))

    def _value(self, outcome: Outcome, name: str) -> int:
        """Answer a purchase's value in micros of its campaign's currency, 0 when unknown."""
        campaign = self._campaigns().get(name)
        if campaign is None:
            return 0
        source = outcome.currency or self._settings.currency
        try:
            return self._settings.rates.down(outcome.value, source, campaign.currency)
        except KeyError:
            return outcome.value if source == campaign.currency else 0
