"""What future orders are worth today: discounted orders, and with a value each, lifetime value.

Works with any model of orders. Knows nothing of margins of single items or of costs of contact.
"""

import numpy as np

from models.btyd.customers import F64, Customers
from models.btyd.model import OrderModel

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)


def discounted_orders(
    model: OrderModel, customers: Customers, horizon: float, discount: float
) -> F64:
    """Answer float64[n]: orders to expect within `horizon`, each worth exp(-discount * time).

    discount: per unit of the model's time, continuous (0.15 a year is ln(1.15) / 52 a week). By
    parts it is exp(-d h) E(h) + d * integral of exp(-d t) E(t), E(t) the orders to expect, which
    is smooth: 16 Gauss-Legendre points.
    """
    total = np.exp(-discount * horizon) * model.expected(customers, horizon)
    if discount:
        for node, weight in zip(_NODES, _WEIGHTS, strict=True):
            time = float(horizon * (1 + node) / 2)
            share = discount * weight * horizon / 2 * np.exp(-discount * time)
            total = total + share * model.expected(customers, time)
    return total


def lifetime_value(orders: F64, order_value: F64, margin: float = 1.0) -> F64:
    """Answer float64[n]: money. orders: (discounted) orders to expect; order_value: money each.

    Takes it, as Gamma-Gamma does, that value and number of orders are independent.
    """
    return margin * orders * order_value
