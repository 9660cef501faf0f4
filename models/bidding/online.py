"""Online calibration: what came against what was foretold, by campaign, with forgetting.

The factor by which chances are off has a gamma posterior (prior mean 1) for everybody, and one for
each campaign around it: (k + came) / (k + foretold). Sums are all that is kept, so those of several
workers add up. Knows nothing of where outcomes come from.
"""

from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]

MOST_FACTOR = 4.0
"""A factor is within a quarter and four: beyond that something else is broken, and a fit is due."""


class Calibration(NamedTuple):
    """came, foretold: float64[c + 1], outcomes and summed chances of c campaigns, then of all.

    strength: k, outcomes that the prior is worth. half_life: ms after which a sum counts half.
    at: ms UTC up to which sums have faded.
    """

    came: F64
    foretold: F64
    strength: float
    half_life: float
    at: int

    @classmethod
    def fresh(
        cls, campaigns: int, at: int, strength: float = 20.0, half_life: float = 86_400_000.0
    ) -> Self:
        """Answer a calibration that has seen nothing."""
        return cls(np.zeros(campaigns + 1), np.zeros(campaigns + 1), strength, half_life, at)

    def faded(self, now: int) -> "Calibration":
        """Answer the sums as they count at `now`; time that runs backwards changes nothing."""
        kept = 0.5 ** (max(now - self.at, 0) / self.half_life)
        return self._replace(
            came=self.came * kept, foretold=self.foretold * kept, at=max(now, self.at)
        )

    def seen(self, campaign: int, chance: float, came: float, now: int) -> "Calibration":
        """Answer the sums after one impression of `campaign`; what is no chance counts nothing.

        came: 1 or 0 when it is known, or −chance's correction later: a click that arrives after
        its impression was counted is seen(campaign, 0, 1, now).
        """
        after = self.faded(now)
        if 0.0 <= chance <= 1.0 and 0.0 <= came <= 1.0 and 0 <= campaign < len(self.came) - 1:
            for place in (campaign, -1):
                after.came[place] += came
                after.foretold[place] += chance
        return after

    def merged(self, other: "Calibration") -> "Calibration":
        """Answer the sums of two workers, faded to the later of their times."""
        now = max(self.at, other.at)
        one, two = self.faded(now), other.faded(now)
        return one._replace(came=one.came + two.came, foretold=one.foretold + two.foretold)

    def factors(self) -> F64:
        """Answer float64[c]: by what each campaign's chances are to be multiplied."""
        k = self.strength
        everybody = (k + self.came[-1]) / (k + self.foretold[-1])
        own = (k * everybody + self.came[:-1]) / (k + self.foretold[:-1])
        return np.clip(own, 1 / MOST_FACTOR, MOST_FACTOR)
