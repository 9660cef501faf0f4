"""What to do about one customer: contact, leave alone, or wait, from the effect's interval.

The effect is on a good outcome (they stay, they come): above 0 contact helps, below 0 it harms.
Knows nothing of how the interval came about or of what contact means.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from domain.scores import Action

F64 = npt.NDArray[np.float64]
ACTIONS = tuple(Action)


class Terms(NamedTuple):
    """What a good outcome is worth and what one contact costs, both in one unit of money."""

    value: float = 1.0
    cost: float = 0.0

    def checked(self) -> "Terms":
        """Answer these terms; raises ValueError unless they are finite and 0 or more."""
        if not (0 <= self.value < np.inf and 0 <= self.cost < np.inf):
            raise ValueError("value and cost are finite amounts of 0 or more")
        return self


def recommended_action(low: float, high: float, value: float, cost: float) -> Action:
    """Answer what to do, given the ends of the interval of the effect of contact.

    leave_alone: even the upper end is below 0, a sleeping dog. contact: even the lower end,
    times what the outcome is worth, is above 0 and pays for the cost. wait: all else, and
    whatever is not a number.
    """
    if high < 0:
        return Action.leave_alone
    return Action.contact if low * value >= cost and low * value > 0 else Action.wait


def actions_of(low: F64, high: F64, value: npt.ArrayLike, cost: float) -> npt.NDArray[np.int8]:
    """Answer int8[n], places in ACTIONS, as `recommended_action` does for one.

    low, high: float64[n]. value: one for all, or float64[n].
    """
    gain = low * np.asarray(value, np.float64)
    out = np.full(len(low), ACTIONS.index(Action.wait), np.int8)
    out[(gain >= cost) & (gain > 0)] = ACTIONS.index(Action.contact)
    out[high < 0] = ACTIONS.index(Action.leave_alone)
    return out


def sleeping_dogs(high: F64) -> npt.NDArray[np.int64]:
    """Answer the places of those whom contact would lose, the surest first: upper end below 0."""
    found = np.flatnonzero(high < 0)
    return found[np.argsort(high[found], kind="stable")]
