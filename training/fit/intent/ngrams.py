"""Logistic regression on n-grams: how often each run of one to three kinds occurred so far.

Counts enter as ln(1 + count), the commonest MOST runs only. Knows nothing of items or users.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from domain.events import KINDS
from models.calibration import sigmoid
from models.churn.linear import Linear
from training.fit.churn.linear import fit_linear
from training.fit.intent.markov import BASE, contexts
from training.fit.intent.sessions import Sessions

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
LONGEST = 3
MOST = 64
MOST_ROWS = 60_000
PENALTY = 0.01
_CHUNK = 65_536


def _runs(sessions: Sessions) -> I64:
    """Answer int64[n, LONGEST], the numbers of the runs that end with each event."""
    kinds = np.clip(sessions.kinds, 0, KINDS - 1).astype(np.int64)
    out = np.empty((len(kinds), LONGEST), np.int64)
    first = 0
    for length in range(1, LONGEST + 1):
        codes = contexts(sessions.kinds, sessions.offsets, length - 1) * BASE + kinds
        out[:, length - 1] = first + codes
        first += BASE**length
    return out


@njit(cache=True, nogil=True)
def _counts(runs: I64, offsets: I64, columns: I64, width: int) -> F64:
    """Answer float64[n, width], how often each kept run occurred up to each event."""
    out = np.zeros((len(runs), width))
    for s in range(len(offsets) - 1):
        for k in range(offsets[s], offsets[s + 1]):
            if k > offsets[s]:
                out[k] = out[k - 1]
            for place in range(runs.shape[1]):
                column = columns[runs[k, place]]
                if column >= 0:
                    out[k, column] += 1
    return np.log1p(out)


@dataclass(frozen=True, eq=False)
class NGrams:
    """columns: int64[runs], the column of each run, -1 when it is not kept."""

    columns: I64
    line: Linear

    def rows(self, sessions: Sessions) -> F64:
        """Answer float64[n, columns], what the regression reads."""
        width = int(self.columns.max(initial=-1)) + 1
        return _counts(_runs(sessions), sessions.offsets, self.columns, width)

    def __call__(self, sessions: Sessions) -> F64:
        """Answer float64[n], the probability after every event."""
        x = self.rows(sessions)
        parts = [self.line.raw(x[a : a + _CHUNK]) for a in range(0, len(x), _CHUNK)]
        return sigmoid(np.concatenate(parts)) if parts else np.zeros(0)


def fit_ngrams(
    sessions: Sessions, y: npt.NDArray[np.uint8], learn: npt.ArrayLike, seed: int = 0
) -> NGrams:
    """Fit on the events flagged in bool[n] `learn`, MOST_ROWS of them at most; y: uint8[n]."""
    flags = np.asarray(learn, np.bool_)
    runs = _runs(sessions)
    size = sum(BASE**length for length in range(1, LONGEST + 1))
    seen = np.bincount(runs[flags].ravel(), minlength=size)
    kept = np.argsort(-seen, kind="stable")[:MOST]
    kept = np.sort(kept[seen[kept] > 0])
    columns = np.full(size, -1, np.int64)
    columns[kept] = np.arange(len(kept))
    places = np.flatnonzero(flags)
    if len(places) > MOST_ROWS:
        places = np.sort(np.random.default_rng(seed).choice(places, MOST_ROWS, replace=False))
    x = _counts(runs, sessions.offsets, columns, len(kept))[places]
    return NGrams(columns, fit_linear(x, y[places], PENALTY))
