"""Delayed conversions: labels that allow for what has not come yet.

A click without a conversion may still bring one. With a chance p of converting at all and
exponential delays (Chapelle, "Modeling delayed feedback in display advertising", KDD 2014), one
that has waited e in vain converts yet with chance p·e^(−λe) / (1 − p + p·e^(−λe)). Expectation
maximisation: labels from chances and λ, chances and λ from labels. Knows nothing of what foretells
a chance.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]

FASTEST_MS, SLOWEST_MS = 1_000.0, 90 * 86_400_000.0
"""Sane limits of the mean delay: a second to 90 days."""


class Delayed(NamedTuple):
    """labels: float64[n], 1 for what converted, else the chance that it will. delay: mean ms
    from click to conversion. rounds: taken until nothing moved."""

    labels: F64
    delay: float
    rounds: int


def to_come(chance: F64, waited: F64, delay: float) -> F64:
    """Answer the chance that a click which waited so long (ms) without converting converts yet."""
    silent = chance * np.exp(-waited / delay)
    return silent / (1 - chance + silent)


def correct(
    converted: npt.NDArray[np.bool_],
    waited: F64,
    foretell: Callable[[F64], F64],
    window: float = np.inf,
    rounds: int = 50,
    near: float = 1e-4,
) -> Delayed:
    """Answer corrected labels of n clicks.

    waited: ms from click to conversion where there was one, else from click to now; 0 or more.
    foretell: chances float64[n] learned from labels float64[n]. window: ms after which a
    conversion does not count any more, so that the wait is over. Ends when the mean label moves
    less than the share `near`. Raises ValueError for times before the click.
    """
    if np.any(waited < 0):
        raise ValueError("nobody converts before the click")
    labels = converted.astype(np.float64)
    waited = np.minimum(waited, window)
    if not converted.any():
        return Delayed(labels, SLOWEST_MS, 0)
    delay = _bounded(float(waited[converted].mean()))
    done = 0
    while done < rounds:
        done += 1
        before = float(labels.mean())
        chance = np.clip(foretell(labels), 0.0, 1.0 - 1e-9)
        open_yet = np.where(waited < window, to_come(chance, waited, delay), 0.0)
        labels = np.where(converted, 1.0, open_yet)
        # Time spent waiting, for conversions that came and for the part that is still to come.
        delay = _bounded(float((labels * waited).sum()) / float(converted.sum()))
        if abs(float(labels.mean()) - before) < near * before:
            break
    return Delayed(labels, delay, done)


def _bounded(delay: float) -> float:
    return float(np.clip(delay, FASTEST_MS, SLOWEST_MS))
