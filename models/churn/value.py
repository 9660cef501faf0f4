"""What is at stake and whether contact pays: expected loss, profit, reach, the action advised.

Money is in units of the house's currency. Being at risk and being worth contacting are two
things: the first is a probability, the second needs a measured uplift. Knows nothing of how
either was estimated.
"""

from enum import StrEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class Estimate(NamedTuple):
    """What contacting everyone at or above a probability would bring.

    reach: how many. leavers: how many of those are expected to leave without contact. saved:
    how many of those would stay for it. cost, profit: in the house's currency; profit is the
    value saved less the cost. left_out: customers whose probability or value is unknown.
    """

    reach: int
    leavers: float
    saved: float
    cost: float
    profit: float
    left_out: int


class Action(StrEnum):
    """What is advised for a customer."""

    contact = "contact"
    leave_alone = "leave_alone"
    none = "none"


class Advice(NamedTuple):
    """An action, one word of why, and the least gain that contact would bring (may be below 0).

    why: "pays", "sleeping_dog" (contact drives them away), "not_proven", "no_uplift".
    """

    action: Action
    why: str
    least_gain: float | None = None


def expected_loss(probabilities: npt.ArrayLike, values: npt.ArrayLike) -> Floats:
    """Answer probability times value at stake; a value below 0 is nothing to lose."""
    return np.asarray(probabilities, np.float64) * np.maximum(np.asarray(values, np.float64), 0.0)


def survival_value(survival: Floats, margins: npt.ArrayLike, discount: float = 0.0) -> Floats:
    """Answer float64[n]: the margin to come from each customer over the periods of `survival`.

    survival: float64[n, periods], the probability to be there at each period's end. margins:
    float64[n] a period, earned at its end. discount: a period, 0.01 for one per cent.
    Raises ValueError for a discount of -1 or less.
    """
    if not discount > -1:
        raise ValueError("a discount is above -1")
    weights = (1.0 + discount) ** -np.arange(1, survival.shape[1] + 1)
    return (survival @ weights) * np.asarray(margins, np.float64)


def estimate(
    probabilities: npt.ArrayLike,
    values: npt.ArrayLike,
    threshold: float,
    *,
    cost: float = 0.0,
    success: float = 1.0,
) -> Estimate:
    """Answer what contacting everyone whose probability is at least `threshold` would bring.

    cost: of one contact. success: the share of leavers that contact keeps.
    Rows with a probability or value that is not a number are counted and left out.
    Raises ValueError for a threshold or success outside 0 to 1 or a cost below 0.
    """
    if not 0 <= threshold <= 1 or not 0 <= success <= 1 or not 0 <= cost < np.inf:
        raise ValueError("threshold and success are 0 to 1, and a cost is 0 or more")
    chances, stakes = np.broadcast_arrays(
        np.asarray(probabilities, np.float64), np.asarray(values, np.float64)
    )
    known = np.isfinite(chances) & np.isfinite(stakes)
    reached = known & (chances >= threshold)
    reach, leavers = int(reached.sum()), float(chances[reached].sum())
    saved_value = success * float(expected_loss(chances[reached], stakes[reached]).sum())
    return Estimate(
        reach=reach,
        leavers=leavers,
        saved=success * leavers,
        cost=reach * cost,
        profit=saved_value - reach * cost,
        left_out=int((~known).sum()),
    )


def recommended_action(
    uplift_low: float | None,
    uplift: float | None,
    value: float,
    cost: float,
    *,
    uplift_high: float | None = None,
) -> Advice:
    """Answer whether to contact: only when the lower bound of the uplift pays for it.

    uplift: how much contact lowers the probability to leave, with the bounds of its interval;
    without an upper bound the interval is taken as even on both sides. value: at stake.
    """
    if uplift_low is None or uplift is None or not np.isfinite([uplift_low, uplift, value]).all():
        return Advice(Action.none, "no_uplift")
    high = 2 * uplift - uplift_low if uplift_high is None else uplift_high
    least = uplift_low * max(value, 0.0) - cost
    if high < 0:
        return Advice(Action.leave_alone, "sleeping_dog", least)
    if uplift_low > 0 and least > 0:
        return Advice(Action.contact, "pays", least)
    return Advice(Action.none, "not_proven", least)
