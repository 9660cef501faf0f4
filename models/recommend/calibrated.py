"""Calibrated slates: categories in about the shares they have in the history.

Each place goes to the item that adds most to (1 - w) * relevance - w * KL(p, (1 - a) q + a p),
p being the history's shares of categories and q the slate's. Steck, "Calibrated
Recommendations" (RecSys 2018), equations 2, 3, 5 and 6, greedily. Knows nothing of users.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

from models.recommend.catalogue import Codes, Scores
from models.recommend.lookup import Indices

Shares = npt.NDArray[np.float64]

WEIGHT = 0.95
"""How much the shares count against relevance, which runs from 0 to 1 among the candidates. The
divergence moves little with each further place: below .95 a slate of 20 is not calibrated."""
SMOOTHING = 0.01
"""The share of p mixed into q, so that an absent category costs much and not infinitely."""


@njit(cache=True, nogil=True, error_model="numpy")
def _add(codes: np.ndarray, row: int, weight: float, shares: np.ndarray) -> bool:
    """Share `weight` out among the categories of an item; tell whether it has any."""
    held = 0
    for place in range(codes.shape[1]):
        held += codes[row, place] >= 0
    for place in range(codes.shape[1]):
        if codes[row, place] >= 0:
            shares[codes[row, place]] += weight / held
    return held > 0


@njit(cache=True, nogil=True, error_model="numpy")
def _shares(codes: np.ndarray, rows: np.ndarray, weights: np.ndarray, out: np.ndarray) -> None:
    out[:] = 0.0
    whole = 0.0
    for event in range(rows.shape[0]):
        if (
            rows[event] >= 0
            and weights[event] > 0
            and _add(codes, rows[event], weights[event], out)
        ):
            whole += weights[event]
    if whole > 0:
        out /= whole


def shares_of(codes: Codes, rows: Indices, weights: Scores) -> Shares:
    """Answer float64[c]: how much of a history each category code has; zeros for none.

    codes: int32[n, w], -1 padded. rows: int32[h], -1 for unknown items. weights: float32[h].
    An item's weight is shared out evenly among its categories; items without are left out.
    """
    out = np.zeros(int(codes.max(initial=-1)) + 1, np.float64)
    _shares(codes, rows, weights, out)
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _term(wanted, have):
    """What one category adds to the divergence."""
    if wanted <= 0:
        return 0.0
    return wanted * np.log(wanted / ((1 - SMOOTHING) * have + SMOOTHING * wanted))


@njit(cache=True, nogil=True, error_model="numpy")
def _calibrate(
    relevance: np.ndarray,
    codes: np.ndarray,
    rows: np.ndarray,
    wanted: np.ndarray,
    weight: float,
    order: np.ndarray,
) -> None:
    held = np.zeros(wanted.shape[0], np.float64)
    taken = np.zeros(rows.shape[0], np.bool_)
    width = codes.shape[1]
    for place in range(order.shape[0]):
        size = place + 1.0
        whole = 0.0
        for category in range(wanted.shape[0]):
            whole += _term(wanted[category], held[category] / size)
        best, most = -1, -np.inf
        for one in range(rows.shape[0]):
            if taken[one]:
                continue
            count = 0
            for slot in range(width):
                count += codes[rows[one], slot] >= 0
            divergence = whole
            for slot in range(width):
                category = codes[rows[one], slot]
                if category >= 0 and wanted[category] > 0:
                    divergence += _term(
                        wanted[category], (held[category] + 1.0 / count) / size
                    ) - _term(wanted[category], held[category] / size)
            gain = (1 - weight) * relevance[one] - weight * divergence
            if gain > most:
                best, most = one, gain
        order[place] = best
        taken[best] = True
        _add(codes, rows[best], 1.0, held)


def calibrate(
    scores: Scores, k: int, codes: Codes, rows: Indices, wanted: Shares, weight: float = WEIGHT
) -> npt.NDArray[np.intp]:
    """Choose up to `k` of the candidates, best first, and answer their places.

    scores: relevance of each candidate, best first. rows: int32 of the same shape, their places
    in `codes`, int32[n, w]. wanted: float64[c], the history's share of each category. Without
    shares the order of relevance stays. Equal gains go to the earlier candidate.
    """
    k = min(k, scores.size)
    order = np.empty(k, np.intp)
    if not k:
        return order
    low, span = float(scores.min()), float(scores.max() - scores.min())
    relevance = (scores.astype(np.float64) - low) / (span or 1.0)
    _calibrate(relevance, codes, rows, wanted, weight, order)
    return order
