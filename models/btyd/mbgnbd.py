"""MBG/NBD: as BG/NBD, but the first order may be the last.

Source: Batislam, Denizel and Filiztekin, Empirical validation and comparison of models for
customer base analysis (International Journal of Research in Marketing, 2007). Knows nothing of
fitting; times are in the unit the numbers were fitted in.
"""

from dataclasses import dataclass

from models.btyd import geometric
from models.btyd.customers import F64, Customers


@dataclass(slots=True, frozen=True)
class MBGNBD:
    """Rate ~ Gamma(r, alpha), leaving after any order ~ Beta(a, b); all above 0, alpha a time."""

    r: float
    alpha: float
    a: float
    b: float

    def _numbers(self) -> tuple[float, float, float, float]:
        return (self.r, self.alpha, self.a, self.b)

    def log_likelihood(self, customers: Customers) -> F64:
        """Answer float64[n]."""
        return geometric.log_likelihood(self._numbers(), 1, *customers)

    def alive(self, customers: Customers) -> F64:
        """Answer float64[n]: the chance of not having left. Never a churn score: `inactive` is."""
        return geometric.alive(self._numbers(), 1, *customers)

    def expected(self, customers: Customers, horizon: float) -> F64:
        """Answer float64[n]: orders to expect within `horizon` from now."""
        return geometric.expected(self._numbers(), 1, *customers, horizon)

    def inactive(self, customers: Customers, horizon: float, lead: float = 0.0) -> F64:
        """Answer float64[n]: the chance of no order in (lead, lead + horizon] from now."""
        return geometric.inactive(self._numbers(), 1, *customers, horizon, lead)
