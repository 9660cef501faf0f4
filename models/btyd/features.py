"""Buy-till-you-die figures as features of a churn model: vectorised, without scipy.

The numbers must have been fitted on orders before any label's time, or they would carry the
labels into the features. Knows nothing of what a churn model makes of its columns.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
from numba import njit

from models.btyd import geometric, pareto
from models.btyd.customers import F64, Customers, can_be
from models.btyd.gammagamma import GammaGamma, expected_one
from models.btyd.model import ORDER_MODELS

COLUMNS = ("expected", "alive", "inactive")
"""Of each model: orders to expect in the window, chance of not having left (never a score by
itself), chance of no order in the window."""


_KINDS = ("bgnbd", "mbgnbd", "pareto")
"""Names in ORDER_MODELS; the first two differ in whether the first order may be the last."""
_PARETO = _KINDS.index("pareto")


class Packed(NamedTuple):
    """The numbers as arrays, see `foretell_columns`."""

    kinds: npt.NDArray[np.int64]
    numbers: F64
    window: F64


@dataclass(frozen=True)
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

    @cached_property
    def width(self) -> int:
        """Answer how many columns there are."""
        return len(self.names())

    @cached_property
    def packed(self) -> Packed:
        """Answer all numbers as `foretell_columns` takes them."""
        unit, spend = self.unit_days, self.spend
        kinds = [_KINDS.index(name) for name in self.orders]
        numbers = [list(asdict(model).values()) for model in self.orders.values()]
        window = [unit, self.lead_days / unit, self.horizon_days / unit]
        if spend is not None:
            window += [spend.p, spend.q, spend.gamma, spend.mean()]
        return Packed(
            np.array(kinds, np.int64),
            np.array(numbers, np.float64).reshape(-1, 4),
            np.array(window, np.float64),
        )

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


@njit(cache=True, nogil=True, error_model="numpy")
def foretell_columns(
    kinds: np.ndarray,
    numbers: np.ndarray,
    window: np.ndarray,
    frequency: np.ndarray,
    recency: np.ndarray,
    age: np.ndarray,
    spend: np.ndarray,
    out: np.ndarray,
) -> None:
    """Write the columns of each customer who can be, NaN for the others.

    kinds: int64[m], places in _KINDS. numbers: float64[m, 4]. window: unit_days, lead and horizon
    in units, then p, q, gamma and the mean of an order's value, if the last column is it.
    """
    unit, lead, horizon = window[0], window[1], window[2]
    for i in range(frequency.shape[0]):
        x, tx, now = frequency[i], recency[i] / unit, age[i] / unit
        if not can_be(frequency[i], recency[i], age[i]):
            out[i, :] = np.nan
            continue
        for m in range(kinds.shape[0]):
            four = (numbers[m, 0], numbers[m, 1], numbers[m, 2], numbers[m, 3])
            if kinds[m] == _PARETO:
                here = pareto.alive_one(four, x, tx, now)
                some = pareto.some_one(four, x, now, horizon, lead)
                reach = here * pareto.expected_one(four, x, now, lead + horizon)
                if lead > 0:
                    reach -= here * pareto.expected_one(four, x, now, lead)
            else:
                early = kinds[m]
                here = geometric.alive_one(four, early, x, tx, now)
                some = geometric.some_one(four, early, x, now, horizon, lead)
                reach = here * geometric.expected_one(four, early, x, now, lead + horizon)
                if lead > 0:
                    reach -= here * geometric.expected_one(four, early, x, now, lead)
            out[i, 3 * m], out[i, 3 * m + 1], out[i, 3 * m + 2] = reach, here, 1.0 - here * some
        if out.shape[1] > 3 * kinds.shape[0]:
            p, q, gamma, mean = window[3], window[4], window[5], window[6]
            out[i, out.shape[1] - 1] = expected_one(p, q, gamma, mean, x + 1.0, spend[i])


def foretell(
    prospects: Prospects, frequency: F64, recency: F64, age: F64, spend: F64, out: F64
) -> None:
    """Write float64[n, columns], those of `prospects.names()`, in one compiled call.

    As `btyd_features`; all columns are float64[n], and `out` may be a part of a larger table.
    """
    foretell_columns(*prospects.packed, frequency, recency, age, spend, out)


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
    Raises ValueError unless the columns are of one length.
    """
    days = Customers.of(*(np.atleast_1d(one) for one in (frequency, recency, age)))
    own = np.zeros(len(days.age)) if spend is None else np.atleast_1d(spend).astype(np.float64)
    if own.shape != days.age.shape:
        raise ValueError("spend is a column as long as the others")
    out = np.empty((len(own), len(prospects.names())))
    foretell(prospects, *days, own, out)
    return dict(zip(prospects.names(), out.T.copy(), strict=True))
