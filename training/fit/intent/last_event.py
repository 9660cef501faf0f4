"""The rival that looks at the last event only: how often its kind led to the goal.

A kind's rate is shrunk toward the rate of all by STRENGTH events. Knows nothing of order.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from domain.events import KINDS
from training.fit.intent.sessions import Sessions

F64 = npt.NDArray[np.float64]
Predict = Callable[[Sessions], F64]
"""Answers float64[n], the probability after every event of a table."""

STRENGTH = 50.0


def fit_last_event(sessions: Sessions, y: npt.NDArray[np.uint8], learn: npt.ArrayLike) -> Predict:
    """Fit on the events flagged in bool[n] `learn`; y: uint8[n]."""
    flags = np.asarray(learn, np.bool_)
    kinds = np.clip(sessions.kinds[flags], 0, KINDS - 1)
    base = float(y[flags].mean())
    seen = np.bincount(kinds, minlength=KINDS)
    led = np.bincount(kinds, weights=y[flags], minlength=KINDS)
    rates = (led + STRENGTH * base) / (seen + STRENGTH)
    return lambda table: rates[np.clip(table.kinds, 0, KINDS - 1)]
