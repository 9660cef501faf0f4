"""How much may still be spent on exploring: a share of all spend, never more.

Counters in micros, so that workers' sums add up. Knows nothing of arms; answers the `limit` that
models.bandits.choosing takes.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Allowance:
    """Spend on arms other than the greedy one stays within `share` of all spend.

    opening_micros: spend that is granted before it has happened, so that a new campaign can learn
    at all. Raises ValueError for a share outside 0 to 1 or an opening below 0.
    """

    share: float = 0.05
    opening_micros: int = 1_000_000

    def __post_init__(self) -> None:
        if not 0.0 <= self.share <= 1.0 or self.opening_micros < 0:
            raise ValueError("an allowance is a share from 0 to 1 and an opening not below 0")

    def left(self, spent: int, explored: int, pending: int = 0) -> int:
        """Answer the micros that may still go to exploring, 0 or more.

        spent: all spend; explored: the part on other arms than the greedy one; pending: reserved
        for explorations whose outcome is not known yet.
        """
        granted = int(self.share * max(spent, self.opening_micros))
        return max(0, granted - explored - pending)

    def limit(self, spent: int, explored: int, price: int, pending: int = 0) -> float:
        """Answer the greatest chance of exploring in a choice that costs up to `price` micros.

        0 when one more could break the promise. Otherwise full while much is left, and falling
        to `share` as the allowance is used up, so that it is not spent in bursts.
        """
        left = self.left(spent, explored, pending)
        if price <= 0 or left < price:
            return 0.0
        full = self.share * max(self.opening_micros, price)
        return min(1.0, left / full) if full > 0 else 0.0
