"""A simulated shop whose tastes drift: who wants what at every moment is written down.

A wish follows one of four laws: a shopper's lasting taste, what the crowd wants, what the shopper
had before, what goes with the last thing looked at. Halfway another law leads. The chance of
every click is known exactly. Everything it says is simulated; knows nothing of recommenders.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import permutations
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from domain.clock import DAY_MS
from domain.events import Event, Kind
from domain.ids import hash64, user_entity

F64 = npt.NDArray[np.float64]

LAWS: Final = ("taste", "crowd", "habit", "visit")
DRIFTS: Final = tuple(permutations(range(len(LAWS)), 2))
"""Every law that leads before with every other that leads after."""
START_MS: Final = 1_760_000_000_000 // DAY_MS * DAY_MS
_PAUSE_MS: Final = 40_000


@dataclass(frozen=True, slots=True)
class ShopSettings:
    """How large the shop is, and how it drifts.

    leads: the law that leads before and after, by number; it is followed by `share` of all
    wishes, the others share the rest. past_days: of the log before anybody is recommended
    anything; days: that answers are given for, the drift comes halfway. visits: a day. appetite:
    how likely a click is where it is wanted.
    """

    items: int = 400
    styles: int = 16
    shoppers: int = 4_000
    leads: tuple[int, int] = (0, 1)
    share: float = 0.7
    past_days: int = 30
    days: int = 14
    visits: int = 1_500
    appetite: float = 1.0


class Visit(NamedTuple):
    """One visit that asks for a slate: `before` was looked at, `after` will be."""

    at: int
    shopper: int
    page: str
    before: list[int]
    after: list[int]


@dataclass
class Shop:
    """One draw of a shop; `past` are the events of the log, `visits` what comes then."""

    settings: ShopSettings
    seed: int
    items: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        settings, rng = self.settings, np.random.default_rng(self.seed)
        n = settings.items
        self._rng = rng
        self.items = tuple(f"simulated-{number}" for number in range(n))
        self.hashes = np.array([hash64(item) for item in self.items], np.uint64)
        style = rng.integers(0, settings.styles, n)
        quality = rng.gumbel(0.0, 1.0, n)
        within = np.zeros((settings.styles, n))
        within[style, np.arange(n)] = np.exp(quality)
        within /= np.maximum(within.sum(axis=1, keepdims=True), 1e-12)
        love = rng.dirichlet(np.full(settings.styles, 0.12), settings.shoppers)
        self.taste = (love @ within).astype(np.float32)
        crowd = self.taste.mean(axis=0).astype(np.float64) ** 2
        self.crowd = crowd / crowd.sum()
        self.alike = within[style]
        self._taste_steps = self.taste.astype(np.float64).cumsum(axis=1)
        self._crowd_steps = self.crowd.cumsum()
        self.had: list[list[int]] = [[] for _ in range(settings.shoppers)]

    def laws(self, at: int) -> F64:
        """Answer the share of wishes that follows each of LAWS at a time (UTC ms)."""
        half = START_MS + self.settings.days * DAY_MS // 2
        led = self.settings.leads[int(at >= half)]
        share = self.settings.share
        out = np.full(len(LAWS), (1.0 - share) / (len(LAWS) - 1))
        out[led] = share
        return out

    def wanted(self, shopper: int, last: int, at: int) -> F64:
        """Answer the chance of every item to be wished for next, float64[n], summing to 1.

        last: the item looked at last in this visit, -1 none.
        """
        laws = self.laws(at)
        out = laws[0] * self.taste[shopper].astype(np.float64) + laws[1] * self.crowd
        had = self.had[shopper]
        # Who has no past, or no last thing, wishes by taste instead.
        if had:
            np.add.at(out, np.array(had), laws[2] / len(had))
        else:
            out += laws[2] * self.taste[shopper]
        if last >= 0:
            out += laws[3] * self.alike[last]
        else:
            out += laws[3] * self.taste[shopper]
        return out

    def clicks(self, wanted: F64, slate: npt.NDArray[np.int64]) -> F64:
        """Answer the chance of a click on each place of a slate of item numbers, from the top.

        A place is looked at with chance 1 / (1 + place / 5), an item looked at is clicked with
        chance 1 - e^(-appetite wanted); places are independent.
        """
        seen = 1.0 / (1.0 + np.arange(len(slate)) / 5.0)
        return seen * -np.expm1(-self.settings.appetite * wanted[slate])

    def _wish(self, shopper: int, last: int, laws: F64) -> int:
        rng, had = self._rng, self.had[shopper]
        law = int(np.searchsorted(laws.cumsum(), rng.random()))
        if law == 1:
            return min(int(np.searchsorted(self._crowd_steps, rng.random())), len(self.items) - 1)
        if law == 2 and had:
            return had[int(rng.integers(len(had)))]
        if law == 3 and last >= 0:
            return int(rng.choice(len(self.alike), p=self.alike[last]))
        steps = self._taste_steps[shopper]
        return min(int(np.searchsorted(steps, rng.random() * steps[-1])), len(self.items) - 1)

    def _look_around(self, shopper: int, last: int, count: int, at: int) -> list[int]:
        laws, seen = self.laws(at), list[int]()
        for _ in range(count):
            last = self._wish(shopper, last, laws)
            seen.append(last)
        return seen

    def _visits(self, start: int, days: int) -> Iterator[Visit]:
        rng, settings = self._rng, self.settings
        for day in range(days):
            ats = np.sort(rng.integers(0, DAY_MS, settings.visits)) + start + day * DAY_MS
            who = rng.integers(0, settings.shoppers, settings.visits)
            for at, shopper in zip(ats.tolist(), who.tolist(), strict=True):
                early = int(rng.integers(0, 3))
                before = self._look_around(shopper, -1, early, at)
                last = before[-1] if before else -1
                after = self._look_around(shopper, last, int(rng.integers(1, 4)), at)
                yield Visit(at, shopper, "home" if not before else "item", before, after)
                self.had[shopper] += before + after

    def past(self) -> Iterator[Event]:
        """Yield the events of the log before the first answer; call it once, first."""
        start = START_MS - self.settings.past_days * DAY_MS
        for visit in self._visits(start, self.settings.past_days):
            yield from self.events_of(visit, [*visit.before, *visit.after], visit.at)

    def visits(self) -> Iterator[Visit]:
        """Yield the visits that ask, by time. What a visit looked at is had once the next came:
        until then `wanted` is as it is while the visit asks."""
        return self._visits(START_MS, self.settings.days)

    def events_of(self, visit: Visit, items: list[int], at: int) -> list[Event]:
        """Answer clicks on these items, one after another, the last one just before `at`."""
        entity = user_entity(f"simulated-{visit.shopper}")
        first = at - len(items) * _PAUSE_MS
        return [
            Event(
                f"{at}-{visit.shopper}-{place}", entity, Kind.click, first + place * _PAUSE_MS,
                self.items[item],
            )
            for place, item in enumerate(items)
        ]  # fmt: skip
