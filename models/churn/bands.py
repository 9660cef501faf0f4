"""Bands: low, medium or high by the loss to expect, slow to change back.

A customer enters a band at one loss and leaves it at a lower one, so that a score that wobbles
around a limit does not call for contact today and call it off tomorrow. Knows nothing of
what the losses are made of.
"""

from math import isnan
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from domain.scores import Band

BANDS = tuple(Band)
LEAST = 1e-9
"""Nobody with nothing to lose enters a band above low."""


class Limits(NamedTuple):
    """Losses, in units of the house's currency, at which a band is entered and left.

    A band is entered at or above `enter` and left below `leave`, which is no higher.
    """

    medium_enter: float
    medium_leave: float
    high_enter: float
    high_leave: float

    def checked(self) -> "Limits":
        """Answer these limits; raises ValueError when they are out of order."""
        if not (
            0 < self.medium_enter <= self.high_enter < np.inf
            and 0 <= self.medium_leave <= self.medium_enter
            and self.medium_leave <= self.high_leave <= self.high_enter
        ):
            raise ValueError("limits rise from medium to high, and a band is left below its entry")
        return self

    def params(self) -> dict[str, Any]:
        """Answer the limits as JSON values."""
        return self._asdict()


def limits_from(
    losses: npt.ArrayLike, *, medium: float = 0.7, high: float = 0.9, slack: float = 0.15
) -> Limits:
    """Answer limits by which `1 - high` of these losses are high and the next down to `medium`.

    slack: how far below its entry a band is left, as a share of the entry.
    Raises ValueError without a finite loss, or for shares out of order.
    """
    kept = np.asarray(losses, np.float64)
    kept = kept[np.isfinite(kept)]
    if not len(kept) or not 0 < medium <= high < 1 or not 0 <= slack < 1:
        raise ValueError("limits want some losses, 0 < medium <= high < 1 and 0 <= slack < 1")
    one, two = (max(float(np.quantile(kept, share)), LEAST) for share in (medium, high))
    return Limits(one, one * (1 - slack), two, two * (1 - slack)).checked()


def band_of(loss: float, previous: Band | None, limits: Limits) -> Band:
    """Answer the band of an expected loss for a customer who was in `previous` (None: new).

    A loss that is not a number changes nothing.
    """
    level = BANDS.index(previous) if previous else 0
    if isnan(loss):
        return BANDS[level]
    enter = (limits.medium_enter, limits.high_enter)
    leave = (limits.medium_leave, limits.high_leave)
    while level < len(enter) and loss >= enter[level]:
        level += 1
    while level > 0 and loss < leave[level - 1]:
        level -= 1
    return BANDS[level]


def levels_of(
    losses: npt.NDArray[np.float64], previous: npt.NDArray[np.int8], limits: Limits
) -> npt.NDArray[np.int8]:
    """Answer int8[n], places in BANDS, as `band_of` does for one; previous is -1 for the new."""
    level = np.maximum(previous, 0).astype(np.int8)
    for place, enter in enumerate((limits.medium_enter, limits.high_enter)):
        level[(level == place) & (losses >= enter)] = place + 1
    for place, leave in ((2, limits.high_leave), (1, limits.medium_leave)):
        level[(level == place) & (losses < leave)] = place - 1
    return level
