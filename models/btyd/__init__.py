"""Buy till you die: how many more orders to expect of a customer, from three numbers each.

BG/NBD, MBG/NBD and Pareto/NBD for the orders, Gamma-Gamma for their value; a fitted model is a
few numbers, applied without scipy. Knows nothing of events, of fitting or of churn models.
"""

from models.btyd.bgnbd import BGNBD
from models.btyd.customers import Customers, customers_from_orders
from models.btyd.features import Prospects, btyd_features
from models.btyd.gammagamma import GammaGamma
from models.btyd.mbgnbd import MBGNBD
from models.btyd.model import ORDER_MODELS, OrderModel
from models.btyd.pareto import ParetoNBD

__all__ = [
    "BGNBD",
    "MBGNBD",
    "ORDER_MODELS",
    "Customers",
    "GammaGamma",
    "OrderModel",
    "ParetoNBD",
    "Prospects",
    "btyd_features",
    "customers_from_orders",
]
