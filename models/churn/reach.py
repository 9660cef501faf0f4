"""Whom a campaign would reach: how many of them would leave, what it costs, what it brings.

The terms are those of models.churn.profit.Campaign: every contact costs, an offer costs where it
is taken, everybody who would have stayed takes it, of those who would leave the accepting share.
It says what contact brings if that share is right; whether contact changes anything at all is a
question for uplift. Knows nothing of bands or of where scores come from.
"""

from math import sqrt
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
_95 = 1.959964


class Terms(NamedTuple):
    """Money in units of the house's currency.

    contact, offer: what one contact and one offer taken cost. success: the share of leavers who
    accept and stay. margin: the share of value that is earned.
    """

    contact: float = 1.0
    offer: float = 10.0
    success: float = 0.3
    margin: float = 1.0

    def checked(self) -> "Terms":
        """Answer these terms; raises ValueError naming one that makes no sense."""
        for name in ("success", "margin"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is a share, 0 to 1")
        for name in ("contact", "offer"):
            if not 0 <= getattr(self, name) < np.inf:
                raise ValueError(f"{name} is a cost, 0 or more")
        return self


class Between(NamedTuple):
    """A number to expect and its 95 % interval."""

    expected: float
    low: float
    high: float


class Reach(NamedTuple):
    """What contacting some customers would bring.

    users: how many. leavers: how many of them would leave without contact. saved: how many of
    those would stay for it. cost: of contacts and offers. profit: value saved less the cost,
    None when nobody's value is known. unknown: of how many the value is not known; they cost
    and save nothing. worth: how many of them it pays to contact one by one, and the profit of
    contacting just those.
    """

    users: int
    leavers: Between
    saved: float
    cost: float
    profit: Between | None
    unknown: int
    worth: tuple[int, float] | None


def reach(probabilities: F64, values: F64, terms: Terms, error: float = 0.0) -> Reach:
    """Answer what contacting customers of these probabilities and values (NaN: unknown) brings.

    The number of leavers is Poisson-binomial, with the sum of the probabilities as its mean; its
    interval is the normal one, wider on both sides by `error`, how far the probabilities were
    off on average when the model was tested. Raises ValueError for terms that make no sense.
    """
    contact, offer, success, margin = terms.checked()
    p = np.asarray(probabilities, np.float64)
    known = np.isfinite(values)
    stake = margin * np.maximum(np.where(known, values, 0.0), 0.0)
    n, total = len(p), float(p.sum())
    spread = _95 * sqrt(float((p * (1 - p)).sum())) + error * n
    leavers = Between(total, max(total - spread, 0.0), min(total + spread, float(n)))
    gains = success * p * stake
    costs = contact + offer * (success * p + (1 - p))
    profit, worth = None, None
    if known.any():
        net = float(gains.sum() - costs.sum())
        bounds = [_net(float(gains.sum()), total, one, n, terms) for one in leavers[1:]]
        profit = Between(net, min(*bounds, net), max(*bounds, net))
        pays = gains > costs
        worth = int(pays.sum()), float((gains - costs)[pays].sum())
    return Reach(
        n, leavers, success * total, float(costs.sum()), profit, int((~known).sum()), worth
    )


def _net(gains: float, total: float, leavers: float, n: int, terms: Terms) -> float:
    """Answer the profit if so many leave instead of `total`."""
    ratio = leavers / total if total > 0 else 0.0
    offers = terms.offer * (terms.success * leavers + n - leavers)
    return gains * ratio - terms.contact * n - offers
