"""How sure a chance is: the width of a posterior, and the confidence that follows from it.

Every word of a context has a weight with a normal posterior of its own (as in adPredictor, Graepel
and others, ICML 2010): the more clicks a word was seen with, the narrower. A row's variance is the
sum over its words; confidence is 1 less the share of the prior's width that is left. Knows nothing
of values or bids.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

F64 = npt.NDArray[np.float64]

PRIOR_VARIANCE = 0.25
"""Of a word's weight, on the log-odds scale: words differ by a factor of e^±1 and seldom more."""


class Evidence(NamedTuple):
    """variance: float64[words · buckets], of every word's weight, at most PRIOR_VARIANCE.

    words: how many words a row has.
    """

    variance: F64
    words: int


def evidence_of(
    places: npt.NDArray[np.int32], chance: F64, size: int, weight: F64 | None = None
) -> Evidence:
    """Answer what rows say of their words.

    places: int32[n, words]. chance: float64[n], foretold; a row tells p(1 − p) of each of its
    words (the information of a Bernoulli on the log-odds scale). size: of the whole array.
    """
    counts = np.ones(len(chance)) if weight is None else weight
    told = np.repeat(counts * chance * (1 - chance), places.shape[1])
    information = np.bincount(places.ravel(), weights=told, minlength=size)
    variance = 1.0 / (1.0 / PRIOR_VARIANCE + information)
    return Evidence(np.asarray(variance, np.float64), places.shape[1])


@njit(cache=True, nogil=True, error_model="numpy")
def variance_of(variance: F64, places: npt.NDArray[np.int32]) -> float:
    """Answer the variance of one row's log-odds."""
    total = 0.0
    for place in places:
        total += float(variance[place])
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def confidence_of(variance: float, words: int) -> float:
    """Answer 0 … 1: 1 less the posterior's width over the prior's."""
    prior = words * PRIOR_VARIANCE
    if not 0.0 <= variance < prior:
        return 0.0
    return 1.0 - np.sqrt(variance / prior)
