"""BG/NBD: orders at a gamma rate; after each repeat order a customer may leave for good.

Source: Fader, Hardie and Lee, "Counting Your Customers" the Easy Way (Marketing Science, 2005).
Knows nothing of fitting; times are in the unit the numbers were fitted in.
"""

from dataclasses import dataclass

from models.btyd import geometric
from models.btyd.customers import F64, Customers


@dataclass(slots=True, frozen=True)
class BGNBD:
    """Rate ~ Gamma(r, alpha), leaving after a repeat order ~ Beta(a, b); all above 0.

    alpha is a time. A customer without a repeat order is alive for certain, which is the
    model's known oddity (MBG/NBD has it not).
    """

    r: float
    alpha: float
    a: float
    b: float

    def _numbers(self) -> tuple[float, float, float, float]:
        return (self.r, self.alpha, self.a, self.b)

    def log_likelihood(self, customers: Customers) -> F64:
        """Answer float64[n] (equation 6 of the paper)."""
        return geometric.log_likelihood(self._numbers(), 0, *customers)

    def alive(self, customers: Customers) -> F64:
        """Answer float64[n]: the chance of not having left. Never a churn score.

        Those alive may still buy nothing in a horizon, and those who never came back count as
        alive for certain; use `inactive`.
        """
        return geometric.alive(self._numbers(), 0, *customers)

    def expected(self, customers: Customers, horizon: float) -> F64:
        """Answer float64[n]: orders to expect within `horizon` (equation 10)."""
        return geometric.expected(self._numbers(), 0, *customers, horizon)

    def inactive(self, customers: Customers, horizon: float, lead: float = 0.0) -> F64:
        """Answer float64[n]: the chance of no order in (lead, lead + horizon] from now."""
        return geometric.inactive(self._numbers(), 0, *customers, horizon, lead)
