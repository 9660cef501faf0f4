"""Learning from bids: notices and outcomes move what every worker believes, within seconds.

Notices are put on a list and no more; every other second a thread draws lessons from the list,
which are taught to the lore that all workers share. Bids look things up in the last snapshot.
Knows nothing of how a bid is made, or of how lore is shared.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from domain.campaigns import Campaign
from domain.clock import Clock
from domain.errors import Unavailable
from domain.events import Event
from domain.notices import Token
from feature_store.shown import Shown
from feature_store.store import Store
from models.bandits.beliefs import Beliefs
from models.bandits.evidence import REWARD
from models.bidding.landscape import Landscape
from models.bidding.lore import ELSEWHERE
from models.bidding.market import confidence_at
from models.bidding.memo import read_memo
from models.bidding.rehearsal import rehearse
from models.bidding.tidings import BILL, Lessons, Told, draw
from service.bid_outcomes import BidOutcomes
from service.bundles import Bundles
from service.learning_settings import LearningSettings
from service.logs import log_unexpected, log_warning
from service.metrics import Metrics
from service.polling import Poller
from service.shared_lore import Heard, SharedLore

FAMILY = "bidding"
MOST_WAITING = 50_000
"""Notices that wait for the next turn; beyond it the oldest are let go, and counted."""
MOST_LESSONS = 200_000
"""Lessons that wait while none can be written."""
_ALIVE_MS = 60_000
_EXPLORING_S = 20.0
"""Half of what explorations under way may cost has come in, or never will, after so long."""
_REMEMBERED = 20_000
"""Places of which the confidence is remembered between two snapshots."""
_MILLIONTHS = 1_000_000
_MOST_MICROS = 1e15
"""No bid is expected to cost more."""


class Notice(Protocol):
    """A notice as service.routes.notices tells it."""

    @property
    def word(self) -> str: ...
    @property
    def token(self) -> Token: ...
    @property
    def price(self) -> int | None: ...
    @property
    def min_to_win(self) -> int | None: ...
    @property
    def reason(self) -> int: ...
    @property
    def at(self) -> int: ...
    @property
    def cost(self) -> int: ...


class LiveLearning(Poller):
    """What has been learned, looked up by bids; see `look` for how it moves."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        bundles: Bundles,
        metrics: Metrics,
        campaigns: Callable[[], Mapping[str, Campaign]],
        settings: LearningSettings | None = None,
    ) -> None:
        self.settings = settings or LearningSettings()
        super().__init__(self.settings.turn_s)
        self._store = store
        self._clock = clock
        self._bundles = bundles
        self._metrics = metrics
        self._campaigns = campaigns
        self._outcomes = BidOutcomes(store, clock, metrics, campaigns, self.settings)
        self._shared = SharedLore(store, clock, campaigns, self.settings)
        self._one = asyncio.Lock()
        self._learned = self._shared.learned
        self._notices: deque[Notice] = deque(maxlen=MOST_WAITING)
        self._next = Lessons()
        self._unshown: list[Shown] = []
        self._foretold: dict[str, list[int]] = {}
        self._confidence: dict[tuple[int, ...], float] = {}
        self._creatives: dict[str, tuple[Campaign, Beliefs]] = {}
        self._exploring: dict[str, float] = {}
        self._workers = 1
        self.policy_numbers: npt.NDArray[np.float64] = self.settings.policy.numbers
        """float64[5], see models.bandits.policies."""

    # What bids look up.

    @property
    def landscape(self) -> Landscape:
        """What prices are believed to be just now, in cpm micros of `currency`; a snapshot."""
        return self._learned.landscape

    @property
    def currency(self) -> str:
        """The currency of the landscape's prices; see `scale_of`."""
        return self.settings.currency

    def scale_of(self, currency: str) -> float:
        """Answer the units of the landscape's currency for one of another, 0 for an unknown one.

        A price in another currency is multiplied by it before the landscape is asked.
        """
        return self.settings.scale_of(currency)

    def landscape_confidence(self, places: Sequence[int]) -> float:
        """Answer 0 … 1, how far the location at these places is known; remembered."""
        key = tuple(places)
        found = self._confidence.get(key)
        if found is None:
            if len(self._confidence) >= _REMEMBERED:
                self._confidence = {}
            found = self._confidence[key] = confidence_at(self._learned.landscape, key)
        return found

    def factors(self, campaign: str) -> tuple[float, float]:
        """Answer by what a campaign's chances of click and conversion are to be multiplied."""
        return self._learned.factors.get(campaign, (1.0, 1.0))

    def multipliers(self, exchange: str, campaign: str) -> Beliefs:
        """Answer beliefs about the multipliers (models.bidding.arms) of a campaign's price."""
        learned = self._learned
        found = learned.multipliers.get((exchange, campaign))
        if found is None and exchange not in learned.newcomers:
            found = learned.multipliers.get((ELSEWHERE, campaign))
        return found or learned.newcomers.get(exchange, learned.stranger)

    def creatives(self, campaign: Campaign) -> Beliefs:
        """Answer beliefs about a campaign's active creatives, in the campaign's order."""
        found = self._creatives.get(campaign.campaign)
        if found is None or found[0] is not campaign:
            names = tuple(one.creative for one in campaign.creatives if one.active)
            found = (campaign, self._learned.creatives(campaign.campaign, names))
            self._creatives[campaign.campaign] = found
        return found[1]

    def limit(self, campaign: str, price_micros: int) -> float:
        """Answer the greatest chance of another arm than the best known, so that exploring stays
        within its share of the spend of all workers.

        price_micros: what one impression may cost, in micros of the campaign's currency.
        """
        spent, explored = self._learned.spent.get(campaign, (0, 0))
        pending = int(self._exploring.get(campaign, 0.0) * self._workers)
        return self.settings.allowance.limit(spent, explored, price_micros, pending)

    def exploring(self, campaign: str, expected_micros: float) -> None:
        """Note that another arm than the best known was bid, and what that is expected to cost."""
        if 0.0 <= expected_micros < _MOST_MICROS:
            self._exploring[campaign] = self._exploring.get(campaign, 0.0) + expected_micros

    # What moves it.

    def take(self, notice: Notice) -> None:
        """Take a notice; a list's append and no more."""
        if len(self._notices) == MOST_WAITING:
            self._metrics.lessons.labels("lost").inc()
        self._notices.append(notice)

    def outcomes(self, events: Iterable[Event]) -> None:
        """Take clicks and purchases among events that quote a bid's id; waits for nothing, and
        lets no error out: events are answered whatever becomes of bids."""
        try:
            self._outcomes.take(events)
        except Exception as error:
            log_unexpected(error, stage="bid outcomes")

    async def start(self) -> None:
        """Rehearse where nobody waits, hear what is known, and go on."""
        await asyncio.to_thread(rehearse)
        await super().start()

    async def stop(self) -> None:
        """Stop, and teach what is left."""
        await super().stop()
        await self.look()

    async def look(self) -> None:
        """Learn from what came in, teach it to the others, hear what they learned; lets no error
        out. What could not be written is kept for the next turn, and counts once all the same."""
        async with self._one:
            await self._look()

    async def _look(self) -> None:
        try:
            await self._gather()
            shared = self._shared
            if shared.pending is None and len(self._next):
                lessons, self._next = self._next, Lessons()
                shared.give(lessons)
            given = 0 if shared.pending is None else len(shared.pending)
            heard = await shared.exchange(self._bundles.current(FAMILY))
            if heard is not None:
                self._show(heard, given)
        except Unavailable:
            pass
        except Exception as error:
            # Nothing may stop the others' lessons for good: what cannot be learned is let go.
            self._shared.let_go()
            self._metrics.lessons.labels("refused").inc()
            log_unexpected(error, stage="bid learning")
        self._metrics.lessons_waiting.set(len(self._notices) + self._outcomes.waiting)

    async def _gather(self) -> None:
        """Make lessons of notices and outcomes; keep what was shown and what was foretold."""
        notices = list(self._notices)
        self._notices.clear()
        if notices:
            # A stop in between must not leave the thread and the last turn at the same lessons.
            await self._whole(asyncio.to_thread(self._draw, notices))
        if len(self._next) > MOST_LESSONS:
            self._metrics.lessons.labels("lost").inc(len(self._next))
            self._next = Lessons()
        if self._unshown:
            await self._store.shown.put(self._unshown[-MOST_WAITING:])
            self._unshown = []
        for name in list(self._foretold):
            clicks, conversions = self._foretold[name]
            await self._store.budgets.count(
                name, foretold_clicks=clicks, foretold_conversions=conversions
            )
            del self._foretold[name]
        await self._outcomes.settle(self._next)

    async def _whole(self, work: Coroutine[Any, Any, None]) -> None:
        """Wait for work to its end, also when it is cancelled meanwhile."""
        task = asyncio.ensure_future(work)
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait([task])
            raise

    def _draw(self, notices: Sequence[Notice]) -> None:
        """In a thread, while nobody else touches what it adds to."""
        by_bills = self._learned.by_bills
        for notice in notices:
            token = notice.token
            memo = read_memo(token.about)
            if notice.word == BILL:
                names = (token.bid, token.campaign, token.creative)
                self._unshown.append(Shown(*names, notice.at, token.about))
                if memo is not None and memo.click > 0.0:
                    both = self._foretold.setdefault(token.campaign, [0, 0])
                    both[0] += round(memo.click * _MILLIONTHS)
                    both[1] += round(memo.click * memo.conversion * _MILLIONTHS)
            told = Told(
                *(str(notice.word), token, memo, notice.price, notice.min_to_win),
                *(notice.reason, self.scale_of(token.currency), notice.cost),
            )
            draw(told, self._next, bills_are_wins=token.exchange in by_bills)

    def _show(self, heard: Heard, given: int) -> None:
        """Make what was heard the snapshot."""
        if given:
            refused = min(heard.refused, given)
            self._metrics.lessons.labels("learned").inc(given - refused)
            self._metrics.lessons.labels("refused").inc(refused)
        if heard.corrupt:
            self._metrics.lessons.labels("corrupt").inc()
            log_warning("what bids had taught cannot be read; learning starts anew")
        self._learned = learned = heard.learned
        self._confidence, self._creatives = {}, {}
        kept = 0.5 ** (self.settings.turn_s / _EXPLORING_S)
        self._exploring = {name: one * kept for name, one in self._exploring.items() if one > 1.0}
        now = self._clock()
        self._workers = sum(now - at < _ALIVE_MS for _, at in heard.lore.workers.values()) or 1
        self._metrics.landscape_location.set(float(learned.landscape.weights[0]))
        self._metrics.landscape_notices.set(learned.notices)
        tallies = heard.lore.creatives.evidence.tallies
        self._metrics.lore_clicks.set(float(tallies[:, REWARD].sum()))
