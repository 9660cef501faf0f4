"""The expected maximum profit of a churn score, the threshold that earns it, and its reach.

EMPC of Verbraken, Verbeke and Baesens 2013 ("A novel profit maximizing metric for measuring
classification performance of customer churn prediction models"): the share of contacted
leavers who accept an offer is uncertain, Beta(alpha, beta). Knows nothing of models.
"""

from itertools import pairwise
from math import exp, lgamma, log, log1p
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_TINY = 1e-300
_STEPS = 500
_SETTLED = 1e-15


class Campaign(NamedTuple):
    """The paper's terms: mean lifetime value, cost of an offer taken, cost of one contact.

    alpha, beta: of the Beta distribution of the share of leavers who accept; the paper's
    defaults have a mean of 0.3. Money is in one unit of anyone's choice.
    """

    value: float = 200.0
    offer: float = 10.0
    contact: float = 1.0
    alpha: float = 6.0
    beta: float = 14.0


class Profit(NamedTuple):
    """EMPC a customer, the fraction eta to contact for it, and the probability to contact from.

    threshold: contact at or above it; above 1 when nobody should be contacted.
    """

    empc: float
    fraction: float
    threshold: float


def beta_share(x: float, a: float, b: float) -> float:
    """Answer the probability that a Beta(a, b) variable is at most x (Lentz's fraction)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1.0 - beta_share(1 - x, b, a)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)) / a
    c, d = 1.0, 1 / _away(1 - (a + b) * x / (a + 1))
    fraction = d
    for m in range(1, _STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d, c = 1 / _away(1 + term * d), _away(1 + term / c)
            fraction *= c * d
        if abs(c * d - 1) < _SETTLED:
            break
    return front * fraction


def _away(number: float) -> float:
    """Keep a divisor away from 0."""
    return number if abs(number) > _TINY else _TINY


def _hull(leavers: Floats, stayers: Floats) -> list[int]:
    """Answer the points of the ROC curve's upper convex hull, from nobody to everybody."""
    kept: list[int] = []
    for point in range(len(leavers)):
        while len(kept) > 1:
            first, second = kept[-2], kept[-1]
            gain = (leavers[second] - leavers[first]) * (stayers[point] - stayers[first])
            if gain > (leavers[point] - leavers[first]) * (stayers[second] - stayers[first]):
                break
            kept.pop()
        kept.append(point)
    return kept


def expected_maximum_profit(
    labels: npt.ArrayLike, probabilities: npt.ArrayLike, campaign: Campaign | None = None
) -> Profit:
    """Answer the EMPC in closed form: a sum over the hull, weighted by incomplete beta shares.

    labels: 1 for those who left. For an acceptance g, the best point of the ROC curve lies on
    its hull and moves along it as g grows; each point is best between two values of g.
    Raises ValueError for labels of one kind, or an offer that costs no less than the value.
    """
    terms = Campaign() if campaign is None else campaign
    left, scores = np.asarray(labels, np.float64), np.asarray(probabilities, np.float64)
    if left.shape != scores.shape or not len(left) or left.min() == left.max():
        raise ValueError("profit wants leavers and stayers, each with a probability")
    if not (terms.value > terms.offer >= 0 and terms.contact >= 0):
        raise ValueError("an offer costs less than the value it keeps, and costs are 0 or more")
    heights, first = np.unique(-scores, return_inverse=True)
    leavers = np.r_[0.0, np.cumsum(np.bincount(first, left))] / len(left)
    stayers = np.r_[0.0, np.cumsum(np.bincount(first, 1 - left))] / len(left)
    hull = _hull(leavers, stayers)
    bounds = [0.0]
    for here, there in pairwise(hull):
        bounds.append(max(_worthwhile(leavers, stayers, here, there, terms), bounds[-1]))
    bounds.append(1.0)
    a, b = terms.alpha, terms.beta
    share = np.diff([beta_share(bound, a, b) for bound in bounds])
    accepted = np.diff([beta_share(bound, a + 1, b) for bound in bounds]) * a / (a + b)
    n0, n1 = leavers[hull], stayers[hull]
    gains = (terms.value - terms.offer) * n0 * accepted
    costs = (terms.contact * n0 + (terms.offer + terms.contact) * n1) * share
    fraction = float(np.sum((n0 + n1) * share))
    return Profit(
        float(np.sum(gains - costs)), fraction, _cut(-heights, leavers + stayers, fraction)
    )


def _worthwhile(leavers: Floats, stayers: Floats, here: int, there: int, terms: Campaign) -> float:
    """Answer the acceptance from which the further leavers earn what further contacts cost."""
    further = float(leavers[there] - leavers[here])
    if further <= 0:
        return 1.0
    wasted = float(stayers[there] - stayers[here]) / further * (terms.offer + terms.contact)
    return min((terms.contact + wasted) / (terms.value - terms.offer), 1.0)


def _cut(heights: Floats, reached: Floats, fraction: float) -> float:
    """Answer the lowest probability whose reach does not pass `fraction`; 2 for nobody."""
    place = int(np.searchsorted(reached, fraction + 1e-12, side="right")) - 1
    return float(heights[place - 1]) if place > 0 else 2.0
