"""What every model of orders answers, and the visible table of them.

Knows no formula: each model is a module of its own.
"""

from typing import Protocol

from models.btyd.bgnbd import BGNBD
from models.btyd.customers import F64, Customers
from models.btyd.mbgnbd import MBGNBD
from models.btyd.pareto import ParetoNBD


class OrderModel(Protocol):
    """Numbers of one population; n customers in, float64[n] out, times in the model's unit."""

    def log_likelihood(self, customers: Customers) -> F64:
        """Answer the log-likelihood of each customer."""
        ...

    def alive(self, customers: Customers) -> F64:
        """Answer the chance of not having left; never a churn score."""
        ...

    def expected(self, customers: Customers, horizon: float) -> F64:
        """Answer the orders to expect within `horizon` from now."""
        ...

    def inactive(self, customers: Customers, horizon: float, lead: float = 0.0) -> F64:
        """Answer the chance of no order in (lead, lead + horizon] from now."""
        ...


ORDER_MODELS: dict[str, type[BGNBD] | type[MBGNBD] | type[ParetoNBD]] = {
    "bgnbd": BGNBD,
    "mbgnbd": MBGNBD,
    "pareto": ParetoNBD,
}
"""Every model of orders by name; its fields are its numbers, in the order of its constructor."""
