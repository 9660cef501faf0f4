"""Buy-till-you-die figures as features of a churn model: vectorised, without scipy.

The numbers must have been fitted on orders before any label's time, or they would carry the
labels into the features. Knows nothing of what a churn model makes of its columns.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from models.btyd.customers import F64, Customers
from models.btyd.gammagamma import GammaGamma
from models.btyd.model import ORDER_MODELS, OrderModel

COLUMNS = ("expected", "alive", "inactive")
"""Of each model: orders to expect in the window, chance of not having left (never a score by
itself), chance of no order in the window."""


@dataclass(slots=True, frozen=True)
class Prospects:
    """Fitted models of one population and the window that is asked about.

    orders: model by its name in ORDER_MODELS. unit_days: how many days one unit of the models'
    time has. horizon_days, lead_days: the window is (lead, lead + horizon] from now. spend: the
    model of an order's value, or None.
    """

    orders: Mapping[str, Any]
    horizon_days: float
    lead_days: float = 0.0
    unit_days: float = 7.0
    spend: GammaGamma | None = None

    def names(self) -> tuple[str, ...]:
        """Answer the names of the columns, `<model>_<column>`, then "order_value_expected"."""
        of_orders = tuple(f"{name}_{column}" for name in self.orders for column in COLUMNS)
        return of_orders if self.spend is None else (*of_orders, "order_value_expected")

    def params(self) -> dict[str, Any]:
        """Answer everything as JSON values, for a manifest."""
        return {
            "orders": {name: asdict(model) for name, model in self.orders.items()},
            "horizon_days": self.horizon_days,
            "lead_days": self.lead_days,
            "unit_days": self.unit_days,
            "spend": None if self.spend is None else asdict(self.spend),
        }

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Self:
        """Make them again from what `params` answered; raises KeyError naming what is missing."""
        orders = {name: ORDER_MODELS[name](**own) for name, own in params["orders"].items()}
        spend = params["spend"]
        return cls(
            orders,
            params["horizon_days"],
            params["lead_days"],
            params["unit_days"],
            None if spend is None else GammaGamma(**spend),
        )


def _of_model(model: OrderModel, customers: Customers, prospects: Prospects) -> tuple[F64, ...]:
    unit = prospects.unit_days
    lead, horizon = prospects.lead_days / unit, prospects.horizon_days / unit
    expected = model.expected(customers, lead + horizon)
    if lead > 0:
        expected = expected - model.expected(customers, lead)
    inactive = model.inactive(customers, horizon, lead)
    return expected, model.alive(customers), inactive


def btyd_features(
    prospects: Prospects,
    frequency: npt.ArrayLike,
    recency: npt.ArrayLike,
    age: npt.ArrayLike,
    spend: npt.ArrayLike | None = None,
) -> dict[str, F64]:
    """Answer float64[n] by the names of `prospects.names()`.

    frequency: repeat orders. recency: days from the first order to the last. age: days from the
    first order to now. spend: mean value an order. What is no customer (no order yet, NaN,
    recency beyond age) is NaN in every column; without an own spend it is everybody's mean.
    """
    days = Customers.of(frequency, recency, age)
    good = ~days.faults()
    customers = Customers(*(column[good] for column in days)).scaled(prospects.unit_days)
    found = [
        column
        for model in prospects.orders.values()
        for column in _of_model(model, customers, prospects)
    ]
    if prospects.spend is not None:
        own = np.zeros(good.shape) if spend is None else np.atleast_1d(spend)
        found.append(prospects.spend.expected(customers.frequency + 1, own[good]))
    table = np.full((len(found), len(good)), np.nan)
    table[:, good] = found
    return dict(zip(prospects.names(), table, strict=True))
