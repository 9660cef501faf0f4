"""Learning the transformer: passes over the windows, unless what was held back gets worse.

The rate of learning rises, then falls along half a cosine. A budget of time is kept by taking
fewer steps. Knows nothing of what becomes of
the network.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from domain.events import KINDS
from models.recommend.attention import Dims
from training.fit.sequence.drawing import Rivals, seen_pairs
from training.fit.sequence.net import Learner, Shape
from training.fit.sequence.spectral import spectral_vectors
from training.fit.sequence.traits import Bags
from training.fit.sequence.windows import (
    Cutter,
    Windows,
    batches,
    held_back,
    windows_of,
)
from training.splits import Interactions

AGES, REACH = 24, 64
SPREAD = 0.5
"""Length of the item vectors it begins with, the root of the mean square."""
WARMING = 0.05
"""Share of the way on which the rate rises."""
HELD_SHARE, HELD_MOST = 0.05, 2_000
_SCORES = 4_000_000
"""Scores made at once where every item is ranked."""
_ASKED_TOKENS = 8_192
_TOP = 10
CHECKED = 20
"""Steps between two looks at the clock."""
STEPS, LEAST_TOKENS = 100, 64
"""A pass over a small log has so many steps, each of at least so many places."""

Gains = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Learned:
    """A learned network. epochs: passes taken in all, by steps, of those `planned`.

    scores: NDCG at 10 on what was held back, after each pass.
    """

    learner: Learner
    epochs: float
    planned: int
    scores: tuple[float, ...]


class _Pace:
    """How far learning is, in steps of those there is time for.

    Every CHECKED steps the clock is read: where the steps left would take longer than the time
    left, there are fewer. A clock that does not bind leaves no trace in what is learned.
    """

    def __init__(self, seconds: float | None, clock: Callable[[], float]) -> None:
        """Take the seconds there are from now on, None for as many as it takes."""
        self._seconds, self._clock, self._begun = seconds, clock, clock()
        self.taken = self.steps = self._wanted = 0

    def plan(self, steps: int) -> None:
        """Set out to take so many steps, beginning now."""
        self.steps = self._wanted = steps
        self._started = self._clock()

    @property
    def over(self) -> bool:
        """Tell whether there is no step left."""
        return self.taken >= self.steps

    def rate(self) -> float:
        """Answer the factor of the rate for the next step."""
        rising = min(1.0, (self.taken + 1) / max(WARMING * self._wanted, 1.0))
        return rising * 0.5 * (1 + math.cos(math.pi * min(self.taken / self.steps, 1.0)))

    def step(self) -> None:
        """Count a step."""
        self.taken += 1
        if self._seconds is not None and self.taken % CHECKED == 0:
            now = self._clock()
            each = (now - self._started) / self.taken
            left = max(0.0, self._begun + self._seconds - now)
            self.steps = min(self._wanted, self.taken + int(left / max(each, 1e-9)))


class Course:
    """One learning of one log."""

    def __init__(
        self, known: Interactions, params: dict[str, Any], repeats: bool, seed: int
    ) -> None:
        """Take the log and the numbers; repeats: whether a window's own items are rivals."""
        self._params, self._masked, self._n = params, not repeats, known.n_items
        self._rng = np.random.default_rng(seed)
        most = int(np.clip(20_000_000 // max(known.n_items, 1), 200, HELD_MOST))
        held = held_back(known, HELD_SHARE, most, self._rng)
        self.windows = windows_of(known, int(params["length"]))
        some = max(LEAST_TOKENS, int(self.windows.lengths.sum()) // STEPS)
        self.tokens = min(int(params["tokens"]), some)
        self.cutter = Cutter(known, AGES, held)
        counts = np.concatenate([[0], np.cumsum(held)])
        ends = self.windows.starts + self.windows.lengths + 1
        asked = np.flatnonzero(counts[ends] > counts[self.windows.starts + 1])
        self.held = Windows(self.windows.starts[asked], self.windows.lengths[asked])
        learned = ~held
        # Users may be there with no event at all, of whom nothing is known yet.
        learned[np.diff(known.users, prepend=-1) != 0] = False
        chosen = np.bincount(known.items[learned], minlength=known.n_items)
        negatives, popular = int(params["negatives"]), float(params["popular"])
        self._rivals = Rivals(chosen, known.n_items, negatives, popular, int(params["all_below"]))

    def passing(self, learner: Learner, pace: _Pace) -> None:
        """Learn from every window once, or until the course ends."""
        self.cutter.shuffle(self._rng)
        for chosen in batches(self.windows, self.tokens, self._rng):
            if pace.over:
                return
            batch = self.cutter.cut(self.windows, chosen)
            if len(batch.targets):
                drawn = self._rivals.draw(batch, self._masked, self._rng)
                learner.learn(batch, drawn, self._params["rate"] * pace.rate())
            pace.step()

    def score(self, learner: Learner) -> Gains:
        """Answer NDCG at 10 of each event that was held back, every item ranked; float64[c]."""
        vectors = learner.vectors().T
        gains: list[Gains] = [np.zeros(0)]
        most = min(_ASKED_TOKENS, max(1, _SCORES // self._n))
        for chosen in batches(self.held, most, np.random.default_rng(0)):
            batch = self.cutter.cut(self.held, chosen, held=True)
            scores = learner.ask(batch) @ vectors
            wanted = scores[np.arange(len(scores)), batch.targets]
            if self._masked:
                scores[seen_pairs(batch)] = -np.inf
            ranks = (scores > wanted[:, None]).sum(axis=1)
            gains.append(np.where(ranks < _TOP, 1 / np.log2(ranks + 2.0), 0.0))
        return np.concatenate(gains)


def learn(
    known: Interactions,
    params: dict[str, Any],
    *,
    bags: Bags | None = None,
    repeats: bool = False,
    seed: int = 0,
    threads: int = 1,
    clock: Callable[[], float] = time.monotonic,
) -> Learned:
    """Learn the network of a log in time order.

    params: width, heads, inner, dropout, length (events of a window), rate, epochs, patience
    (passes that do worse, one after the other), tokens (places of a batch), negatives, popular,
    all_below (see Rivals) and seconds (or None). Memory: 16 * width bytes an item, 60 bytes an
    event, tokens * negatives * 8 bytes, and the nearness of items while it begins.
    """
    pace = _Pace(params["seconds"], clock)
    run = Course(known, params, repeats, seed)
    dims = Dims(params["width"], params["heads"], params["inner"], AGES, REACH, KINDS)
    shape = Shape(dims, known.n_items, bags.count if bags else 0, params["dropout"])
    vectors = np.float32(SPREAD) * spectral_vectors(known, dims.width)
    learner = Learner(shape, vectors, bags, seed=seed, threads=threads)
    planned = int(params["epochs"])
    each = max(1, len(batches(run.windows, run.tokens, np.random.default_rng(seed))))
    pace.plan(each * planned)
    best, kept, worse, scores = np.zeros(0), learner.state(), 0, list[float]()
    while not pace.over and len(run.windows.starts) and worse < params["patience"]:
        run.passing(learner, pace)
        gains = run.score(learner)
        scores.append(float(gains.mean()) if len(gains) else 0.0)
        worse = worse + 1 if fallen(best, gains) else 0
        if scores[-1] >= max(scores):
            best, kept = gains, learner.state()
    if worse:
        learner.restore(kept)
    return Learned(learner, round(pace.taken / each, 2), planned, tuple(scores))


def fallen(best: Gains, gains: Gains) -> bool:
    """Tell whether gains are below the best by more than the error of their mean difference.

    What is held back is little: the highest of a dozen like figures is mostly luck, and the
    rate's course is worth following to its end.
    """
    if len(best) < 2:
        return False
    gone = best - gains
    return bool(gone.mean() > gone.std() / math.sqrt(len(gone)))
