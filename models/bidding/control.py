"""A controller that holds what a click costs: proportional, integral and derivative.

The bid's limit on the price of a click is the reference times e^phi (Zhang and others, "Feedback
control of real-time display advertising", WSDM 2016). The error is the logarithm of a ratio: twice
too dear and twice too cheap weigh the same. Knows nothing of auctions or of where sums come from.
"""

import math
from typing import NamedTuple

from numba import njit


class Gains(NamedTuple):
    """What the controller is tuned by.

    p, i, d: of the error, its sum and its last change. start: log of the first limit over the
    reference. low, high: bounds of phi beside the start. prior: clicks at the reference price
    that stand for what is not known yet, so that the first clicks do not throw it about.
    """

    p: float
    i: float
    d: float
    start: float
    low: float
    high: float
    prior: float


class State(NamedTuple):
    """What the controller remembers: the sum of errors, the last one, the exponent phi."""

    total: float
    last: float
    phi: float


MOST_TOTAL = 2.0
"""The sum of errors is kept within this: what could not be helped is not paid back for ever."""


@njit(cache=True, nogil=True, error_model="numpy")
def controlled(gains: Gains, state: State, reference: float, cost: float, clicks: float) -> State:
    """Answer the state after a round in which cost and clicks stood at these sums.

    reference and cost in the same unit; reference above 0. phi never leaves its bounds, and
    figures that are no numbers leave it where it was.
    """
    seen = (cost + gains.prior * reference) / (clicks + gains.prior)
    ratio = reference / max(seen, reference * 1e-9)
    if not (ratio > 0.0 and ratio < 1e18):
        return state
    # The logarithm by which a price must rise or fall to meet the reference.
    error = math.log(ratio)
    total = min(max(state.total + error, -MOST_TOTAL), MOST_TOTAL)
    phi = gains.p * error + gains.i * total + gains.d * (error - state.last)
    return State(total, error, min(max(phi, gains.low), gains.high))
