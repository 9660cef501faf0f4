"""Learning a network: every event is an example, and the validation says when to stop.

Sessions of like length share a batch, so that little is padded. What event k weighs depends on
its place alone: a weight that knew how long the session became would tell the future. Knows
nothing of how sessions are cut or split.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.intent.encoding import Encoded
from models.intent.padding import BATCH_EVENTS, padded, rectangles, unpadded
from models.intent.vocabulary import NONE, UNKNOWN, Vocabulary
from training.evaluate.probabilities import losses
from training.fit.intent.net import Batch, Learner, Shape

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
STEPS, SMALLEST = 40, 128
"""Steps of an epoch that are aimed at when events are few, and events of a batch at least."""
HIDDEN = 0.05
"""Share of items and categories shown as unknown while learning, so that unknown ones mean
something."""


@dataclass(slots=True, frozen=True)
class NetworkSettings:
    """How to learn a network.

    core: lstm, gru or transformer. width, layers, heads, dropout: see net.Shape. rate, decay:
    see net.Learner; the rate halves after an epoch that brought nothing. patience: such epochs
    until it stops. epochs: at most.
    """

    core: str = "lstm"
    width: int = 32
    layers: int = 2
    heads: int = 4
    dropout: float = 0.3
    rate: float = 3e-3
    decay: float = 0.1
    patience: int = 3
    epochs: int = 30


class Examples(NamedTuple):
    """s sessions of n events. offsets: int64[s+1]. asked: bool[n], which events are examples.
    y: uint8[n]."""

    encoded: Encoded
    offsets: I64
    asked: npt.NDArray[np.bool_]
    y: npt.NDArray[np.uint8]

    @property
    def place(self) -> I64:
        """Answer int64[n], 1 for a session's first event."""
        first = np.repeat(self.offsets[:-1], np.diff(self.offsets))
        return np.arange(len(first)) - first + 1

    @property
    def weight(self) -> F64:
        """Answer float64[n]: 1 / √place of an example, 0 of anything else."""
        return self.asked / np.sqrt(self.place)


@dataclass(frozen=True)
class Trained:
    """A learned network. rates: of each epoch that counts, to learn it again. curve: of every
    epoch the weighted mean log-loss of training (with dropout) and of validation."""

    learner: Learner
    rates: tuple[float, ...]
    curve: list[tuple[float, float]] = field(default_factory=list)


def _until(examples: Examples) -> I64:
    """Answer int64[s]: how many events of each session lead up to its last example."""
    lengths = np.diff(examples.offsets)
    last = np.zeros(len(lengths), np.int64)
    session = np.repeat(np.arange(len(lengths)), lengths)
    np.maximum.at(last, session, np.where(examples.asked, examples.place, 0))
    return last


def _epoch(until: I64, rng: np.random.Generator) -> list[I64]:
    """Answer the sessions of each batch of one epoch, in another order each time."""
    learned = np.flatnonzero(until)
    # Lengths are jittered so that batches are not the same company every time.
    order = learned[np.argsort(until[learned] * rng.uniform(0.8, 1.2, len(learned)))]
    # Few events are parted into small batches: an epoch is STEPS steps at least, if it can.
    most = int(np.clip(until.sum() // STEPS, SMALLEST, BATCH_EVENTS))
    parts = list(rectangles(until, order, most))
    return [parts[place] for place in rng.permutation(len(parts))]


def log_odds(learner: Learner, examples: Examples) -> F32:
    """Answer float32[n, heads] of every event, in the order of the examples."""
    lengths = np.diff(examples.offsets)
    encoded = examples.encoded
    heads = learner.net.head.out_features
    out = np.zeros((len(examples.y), heads), np.float32)
    order = np.argsort(lengths, kind="stable")
    for sessions in rectangles(lengths, order[lengths[order] > 0]):
        starts, own = examples.offsets[sessions], lengths[sessions]
        found = learner.log_odds(
            padded(encoded.codes, starts, own),
            padded(encoded.numbers, starts, own),
            encoded.prior[sessions],
        )
        unpadded(found, starts, own, out)
    return out


def mean_loss(odds: F32, examples: Examples) -> float:
    """Answer the weighted mean log-loss of the heads' mean log-odds."""
    p = 1 / (1 + np.exp(-odds.mean(axis=1).astype(np.float64)))
    return float(np.average(losses(examples.y, p), weights=examples.weight))


class _Course:
    """One learner on its way through the epochs; the same seed gives the same steps."""

    def __init__(
        self, train: Examples, words: Vocabulary, settings: NetworkSettings, seed: int, threads: int
    ) -> None:
        encoded = train.encoded
        shape = Shape(
            core=settings.core,
            rows=int(words.sizes.sum()),
            numbers=encoded.numbers.shape[1],
            prior=encoded.prior.shape[1],
            width=settings.width,
            layers=settings.layers,
            heads=settings.heads,
            dropout=settings.dropout,
        )
        self.learner = Learner(
            shape, seed=seed, rate=settings.rate, decay=settings.decay, threads=threads
        )
        self._train, self._unknown = train, words.unknown
        self._rng = np.random.default_rng(seed)
        self._until, self._weight = _until(train), train.weight
        sessions = len(train.offsets) - 1
        # Each head meets another draw of the sessions (Osband and others, 2016): where they
        # disagree, the data has not settled the answer.
        self._draw = self._rng.poisson(1.0, (sessions, settings.heads)).astype(np.float32)

    def _hide(self, codes: I64) -> I64:
        """Show some of the categories and items (fields 1 and 2) as unknown."""
        shown = codes[:, :, 1:3]
        hidden = self._rng.random(shown.shape) < HIDDEN
        hidden &= shown != self._unknown - UNKNOWN + NONE
        codes[:, :, 1:3] = np.where(hidden, self._unknown, shown)
        return codes

    def _batch(self, sessions: I64) -> Batch:
        encoded = self._train.encoded
        starts, lengths = self._train.offsets[sessions], self._until[sessions]
        weight = padded(self._weight.astype(np.float32), starts, lengths)
        return Batch(
            self._hide(padded(encoded.codes, starts, lengths)),
            padded(encoded.numbers, starts, lengths),
            encoded.prior[sessions],
            padded(self._train.y.astype(np.float32), starts, lengths),
            weight[:, :, None] * self._draw[sessions][:, None, :],
        )

    def epoch(self, rate: float) -> float:
        """Learn from every session once; answer the mean loss on the way."""
        parts = _epoch(self._until, self._rng)
        return float(np.mean([self.learner.learn(self._batch(part), rate) for part in parts]))


def fit_network(
    train: Examples,
    valid: Examples,
    words: Vocabulary,
    settings: NetworkSettings,
    *,
    seed: int = 0,
    threads: int = 1,
    tick: Callable[[], object] = lambda: None,
) -> Trained:
    """Learn until the validation stops gaining; the network is that of the best epoch.

    tick: called after every epoch.
    """
    course = _Course(train, words, settings, seed, threads)
    best, kept, rates, curve = np.inf, course.learner.state(), [], []
    rate, idle, count = settings.rate, 0, 0
    while len(curve) < settings.epochs and idle < settings.patience:
        rates.append(rate)
        learned = course.epoch(rate)
        found = mean_loss(log_odds(course.learner, valid), valid)
        curve.append((learned, found))
        if found < best - 1e-5:
            best, kept, idle, count = found, course.learner.state(), 0, len(curve)
        else:
            idle, rate = idle + 1, rate / 2
        tick()
    course.learner.restore(kept)
    return Trained(course.learner, tuple(rates[:count]), curve)


def learn_again(
    examples: Examples,
    words: Vocabulary,
    settings: NetworkSettings,
    rates: tuple[float, ...],
    *,
    seed: int = 0,
    threads: int = 1,
    tick: Callable[[], object] = lambda: None,
) -> Learner:
    """Learn from examples that hold the validation too, as many epochs as were found best."""
    course = _Course(examples, words, settings, seed, threads)
    for rate in rates:
        course.epoch(rate)
        tick()
    return course.learner
