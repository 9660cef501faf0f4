"""Markov chains of order 1 to 3: one of sessions that reach the goal, one of those that do not.

    log-odds after event k = ln(prior odds) + sum over i <= k of
                             ln P(x_i | x_{i-m} … x_{i-1}, goal) - ln P(x_i | …, no goal)

x is the kind of an event. Each order is shrunk toward the one below it (Dirichlet with STRENGTH
events), as in clickstream models since Montgomery and others (2004). Knows nothing of items.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from domain.events import KINDS
from models.calibration import sigmoid
from training.fit.intent.sessions import Sessions

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
BASE = KINDS + 1
"""Symbols: the kinds, and the start of a session."""

STRENGTH = 20.0
MOST_ORDER = 3


@njit(cache=True, nogil=True)
def contexts(kinds: npt.NDArray[np.int8], offsets: I64, order: int) -> I64:
    """Answer int64[n], the `order` symbols before each event as one number."""
    out = np.zeros(len(kinds), np.int64)
    for s in range(len(offsets) - 1):
        for k in range(offsets[s], offsets[s + 1]):
            code = np.int64(0)
            for back in range(order, 0, -1):
                symbol = KINDS if k - back < offsets[s] else min(max(kinds[k - back], 0), KINDS - 1)
                code = code * BASE + symbol
            out[k] = code
    return out


@njit(cache=True, nogil=True)
def _sums(values: F64, offsets: I64) -> F64:
    out = np.empty(len(values))
    for s in range(len(offsets) - 1):
        total = 0.0
        for k in range(offsets[s], offsets[s + 1]):
            total += values[k]
            out[k] = total
    return out


@dataclass(frozen=True, eq=False)
class Markov:
    """ratios[c, x]: what kind x after context c adds to the log-odds, float64[BASE**m, KINDS]."""

    order: int
    prior: float
    ratios: F64

    def __call__(self, sessions: Sessions) -> F64:
        """Answer float64[n], the probability after every event."""
        codes = contexts(sessions.kinds, sessions.offsets, self.order)
        steps = self.ratios[codes, np.clip(sessions.kinds, 0, KINDS - 1)]
        return sigmoid(self.prior + _sums(steps, sessions.offsets))


def _chances(sessions: Sessions, chosen: npt.NDArray[np.bool_], order: int) -> F64:
    """Answer ln P(kind | context) float64[BASE**order, KINDS] over the chosen events."""
    kinds = np.clip(sessions.kinds, 0, KINDS - 1).astype(np.int64)
    below = np.full((1, KINDS), 1 / KINDS)
    for m in range(order + 1):
        codes = contexts(sessions.kinds, sessions.offsets, m)[chosen]
        cells = np.bincount(codes * KINDS + kinds[chosen], minlength=BASE**m * KINDS)
        counts = cells.reshape(BASE**m, KINDS).astype(np.float64)
        # The symbols nearest to the event are the lowest digits: a context's shorter self is
        # what is left of it modulo BASE**(m - 1).
        shorter = below[np.arange(BASE**m) % len(below)]
        below = (counts + STRENGTH * shorter) / (counts.sum(axis=1, keepdims=True) + STRENGTH)
    return np.log(below)


def fit_markov(
    sessions: Sessions, y: npt.NDArray[np.uint8], learn: npt.ArrayLike, order: int
) -> Markov:
    """Fit on the events flagged in bool[n] `learn`; y: uint8[n].

    The prior odds are those of a session's first event. Raises ValueError for another order.
    """
    if not 1 <= order <= MOST_ORDER:
        raise ValueError(f"an order from 1 to {MOST_ORDER}")
    flags = np.asarray(learn, np.bool_)
    goal = y > 0
    first = y[flags & (sessions.position == 1)]
    share = (first.sum() + 0.5) / (len(first) + 1)
    ratios = _chances(sessions, flags & goal, order) - _chances(sessions, flags & ~goal, order)
    return Markov(order, float(np.log(share / (1 - share))), ratios)
