"""What an impression is worth to a line: chances of click and conversion, turned into money.

Two forests foretell click and conversion; lines of log-odds calibrate them; evidence says how sure
they are. Below a confidence of one half the line's standard bid is the value (the rule of the
source papers), above it the value is drawn to the standard bid by what is missing of confidence.
One compiled call for all candidates. Knows nothing of budgets, pacing or prices.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from models.bidding.columns import BUCKETS
from models.bidding.evidence import confidence_of

F64 = npt.NDArray[np.float64]

CPM, CPC, CPA, ROAS, CLICKS, CONVERSIONS = range(6)
AIMS = {"cpm": 0, "cpc": 1, "cpa": 2, "roas": 3, "clicks": 4, "conversions": 5}
"""Aims of campaigns by the names they have in domain.campaigns."""

TRUSTED = 0.5
"""The least confidence at which a foretold value is used at all."""

LEAST_CHANCE, MOST_CLICK, MOST_CONVERSION = 1e-7, 0.5, 0.9
MOST_TIMES = 20.0
"""Sane limits: no impression is clicked every other time, and none is worth more than twenty
times the standard bid, whatever was learned."""


class Line(NamedTuple):
    """A candidate's terms as numbers: int64 and float64 arrays of n candidates.

    aim: see AIMS. target: micros (of a ratio for roas). standard: the standard bid, cpm micros.
    worth: micros that a conversion brings on average. click_factor, conversion_factor: of the
    online calibration, 1 without.
    """

    aim: npt.NDArray[np.int64]
    target: F64
    standard: F64
    worth: F64
    click_factor: F64
    conversion_factor: F64


class Valued(NamedTuple):
    """What came out, float64[n] each: value in cpm micros, chances, confidence 0 … 1.

    trusted: bool[n], False where the standard bid stands for the value.
    """

    value: F64
    click: F64
    conversion: F64
    confidence: F64
    trusted: npt.NDArray[np.bool_]


@njit(cache=True, nogil=True, error_model="numpy")
def chance_of(raw: float, slope: float, intercept: float, factor: float, most: float) -> float:
    """Answer the calibrated chance of a forest's log-odds, within sane limits."""
    odds = slope * raw + intercept
    small = np.exp(-abs(odds))
    chance = (1.0 if odds >= 0.0 else small) / (1.0 + small) * factor
    if not chance > LEAST_CHANCE:
        return LEAST_CHANCE
    return min(chance, most)


@njit(cache=True, nogil=True, error_model="numpy")
def worth_of(
    aim: int, target: float, standard: float, worth: float, lift: float, expected: float
) -> float:
    """Answer the value in cpm micros of an impression, before confidence.

    lift: chance of the outcome over its mean, for aims without a target. expected: outcomes of
    1,000 impressions.
    """
    if aim == CPM:
        value = target
    elif aim in (CPC, CPA):
        value = target * expected
    elif aim == ROAS:
        # A target of 4 earned for 1 spent: a quarter of what is earned may be spent.
        value = worth * expected * 1e6 / target if target > 0.0 else 0.0
    else:
        value = standard * lift
    if not value > 0.0:
        return 0.0
    return min(value, MOST_TIMES * standard)


@njit(cache=True, nogil=True, error_model="numpy")
def trust(value: float, standard: float, confidence: float) -> float:
    """Answer the standard bid below TRUSTED, else the value drawn to it by the doubt left."""
    if not confidence >= TRUSTED:
        return standard
    return confidence * value + (1.0 - confidence) * standard


@njit(cache=True, nogil=True, error_model="numpy")
def one_value(
    raws: tuple[float, float],
    numbers: tuple[float, float, float, float, float, float],
    doubts: tuple[float, float, int],
    aim: int,
    money: tuple[float, float, float],
    factors: tuple[float, float],
) -> tuple[float, float, float, float]:
    """Answer value before trust (cpm micros), both chances and the confidence of one candidate.

    raws: of click and of conversion. numbers: slope, intercept and mean of each. doubts: summed
    variances of its words for click and for conversion, and how many words. money: target,
    standard bid, worth. factors: of the online calibration.
    """
    click = chance_of(raws[0], numbers[0], numbers[1], factors[0], MOST_CLICK)
    conversion = chance_of(raws[1], numbers[3], numbers[4], factors[1], MOST_CONVERSION)
    sure = confidence_of(doubts[0], doubts[2])
    lift, expected = click / numbers[2], 1e3 * click
    if aim in (CPA, ROAS, CONVERSIONS):
        lift, expected = lift * conversion / numbers[5], expected * conversion
        sure = confidence_of(doubts[0] + doubts[1], 2 * doubts[2])
    elif aim == CPM:
        # A price that was agreed is not foretold.
        sure = 1.0
    return worth_of(aim, money[0], money[1], money[2], lift, expected), click, conversion, sure


@njit(cache=True, nogil=True, error_model="numpy")
def doubts_of(
    variance: F64, categories: npt.NDArray[np.int64], codes: npt.NDArray[np.int64],
    own: npt.NDArray[np.int64],
) -> tuple[float, float, int]:  # fmt: skip
    """Answer the summed variances of a candidate's words, for click and conversion; and how many.

    codes: int64[s], words that are shared, by column. own: int64[k], those of the columns after.
    """
    words, shared = categories.shape[0], codes.shape[0]
    of_click, of_conversion = 0.0, 0.0
    for word in range(words):
        column = categories[word]
        code = codes[column] if column < shared else own[column - shared]
        place = word * BUCKETS + code
        of_click += variance[0, place]
        of_conversion += variance[1, place]
    return of_click, of_conversion, words


@njit(cache=True, nogil=True, error_model="numpy")
def valued(
    raws: tuple[F64, F64],
    numbers: tuple[float, float, float, float, float, float],
    variance: F64,
    columns: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]],
    lines: Line,
) -> Valued:
    """Answer the values of n candidates from the raw outputs of both forests.

    raws: float64[n] of click and of conversion. numbers: slope, intercept and mean of each.
    variance: float64[2, words · buckets], of every word's weight for click and for conversion
    (see evidence). columns: codes of what is shared, of what tells candidates apart, and which
    of all columns are words.
    """
    codes, own, categories = columns
    n = own.shape[0]
    out = Valued(np.empty(n), np.empty(n), np.empty(n), np.empty(n), np.empty(n, np.bool_))
    for row in range(n):
        standard = lines.standard[row]
        value, click, conversion, sure = one_value(
            (raws[0][row], raws[1][row]),
            numbers,
            doubts_of(variance, categories, codes, own[row]),
            lines.aim[row],
            (lines.target[row], standard, lines.worth[row]),
            (lines.click_factor[row], lines.conversion_factor[row]),
        )
        out.value[row] = trust(value, standard, sure)
        out.click[row], out.conversion[row] = click, conversion
        out.confidence[row], out.trusted[row] = sure, sure >= TRUSTED
    return out
