"""Players that hold a plan of spend, and a target of what a conversion costs, around another.

They turn the value up or down before the other player shades it, by models.bidding.pacing; what is
measured here is therefore what serves. Knows nothing of shading.
"""

from dataclasses import dataclass, field

import numpy as np

from models.bidding.pacing import Pace, PacingSettings, Plan
from training.evaluate.auction.episode import Opening, Player, Told
from training.evaluate.auction.prices import Floats


@dataclass(slots=True)
class Paced:
    """Bids through `inner` with values times the pace's multiplier; stops when all is spent.

    plan: one interval a slot. target: micros a conversion may cost, 0 for none; with one, an
    impression is worth its chance times that. path: the multiplier of each slot so far. No bid
    is placed that could overspend what is left, if it won.
    """

    inner: Player
    plan: Plan
    settings: PacingSettings = field(default_factory=PacingSettings)
    target: float = 0.0
    pace: Pace = field(default_factory=Pace)
    spent: float = 0.0
    earned: float = 0.0
    path: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.target > 0 and self.pace == Pace():
            self.pace = Pace(0.0, 0.0)

    def _seen(self, opening: Opening) -> Opening:
        worth = opening.chance * self.target * 1_000.0 if self.target > 0 else opening.value
        return opening._replace(value=worth * self.pace.multiplier)

    def bid(self, opening: Opening) -> Floats:
        """See Player."""
        self.path.append(self.pace.multiplier)
        bids = np.maximum(self.inner.bid(self._seen(opening)), 0.0)
        room = self.plan.budget - self.spent
        # As a reservation does: what the earlier bids of the slot may cost is set aside.
        return np.where(np.cumsum(bids) / 1_000.0 <= room, bids, 0.0)

    def learn(self, opening: Opening, told: Told) -> None:
        """See Player."""
        self.inner.learn(self._seen(opening), told)
        due = self.plan.due(opening.slot, self.spent)
        earned = self.target * float(opening.chance[told.won].sum())
        if self.target > 0:
            self.pace = self.pace.targeted(
                told.spent, earned, (self.spent, self.earned), self.settings
            )
        self.pace = self.pace.paced(due, told.spent, self.settings)
        self.spent += told.spent
        self.earned += earned
