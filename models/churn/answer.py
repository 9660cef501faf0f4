"""The answer about one customer or many: probability, band, survival, value, loss and reasons.

Pure: rows of views and attributes in, answers out; the service and whoever else decides with it
give the same. Knows nothing of stores, consent, or of what an action would change.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from domain.scores import Band, Reason
from models.churn.bands import Limits, band_of
from models.churn.model import ChurnModel
from models.churn.picks import pick_many, reasons_at
from models.churn.reasons import Teller, teller_of
from models.churn.stakes import value_at_stake

F64 = npt.NDArray[np.float64]
Rows = Mapping[str, npt.NDArray[Any]]
REASONS = 3
SLACK = 0.15
"""How far below its entry a band is left, as a share, for limits nobody measured."""


class Person(NamedTuple):
    """What is known of a customer beside their events.

    attributes: of the profile. band: the one they were in last, None for the new. value: at
    stake as it was told last, None when it never was.
    """

    attributes: Mapping[str, Any] = {}
    band: Band | None = None
    value: float | None = None


class Answered(NamedTuple):
    """What is said of one customer; see the service's ChurnOut for the units.

    survival: chances at `ChurnDesk.days`, empty without a hazard. expected_loss: None without a
    value. reasons: the strongest, then the rest together; associations, not causes.
    """

    probability: float
    confidence: float
    band: Band
    survival: tuple[float, ...]
    value: float | None
    expected_loss: float | None
    reasons: tuple[Reason, ...]


def limits_around(base_rate: float) -> Limits:
    """Answer limits of the probability for a deployment that has not swept yet.

    medium is entered at the base rate (more likely to leave than most), high halfway from there
    to certainty. Raises ValueError for a base rate outside 0 to 1.
    """
    if not 0 < base_rate < 1:
        raise ValueError("a base rate lies between 0 and 1")
    medium, high = base_rate, (1 + base_rate) / 2
    return Limits(medium, medium * (1 - SLACK), high, high * (1 - SLACK)).checked()


@dataclass(frozen=True, eq=False)
class ChurnDesk:
    """All that answers are made from, swapped together.

    limits: where bands are entered and left, of the expected loss when `by_loss`, else of the
    probability. base_rate: share that left in the fit's tests, None when it was not noted.
    active_days: how far back the last purchase may lie, None where churn is something else.
    """

    model: ChurnModel
    limits: Limits
    by_loss: bool = False
    base_rate: float | None = None
    teller: Teller = field(init=False)
    days: tuple[float, ...] = field(init=False)
    active_days: float | None = field(init=False)

    def __post_init__(self) -> None:
        model = self.model
        features = list(zip(model.names, model.groups, model.units, strict=True))
        horizon = model.horizon_days
        days = (horizon / 2, horizon, 2 * horizon) if model.hazard is not None else ()
        object.__setattr__(self, "teller", teller_of(features, model.typical))
        meaning = model.definition
        by_orders = meaning["definition"] == "inactivity" and list(meaning["kinds"]) == ["purchase"]
        object.__setattr__(self, "days", days)
        object.__setattr__(self, "active_days", meaning["active_days"] if by_orders else None)

    def known(self, rows: Rows) -> list[bool]:
        """Tell of each row whether the model can say something. A model of events wants one."""
        found: list[int] = rows["rfm"]["found"].tolist()
        return [one == 1 or not self.model.events for one in found]

    def lapsed(self, rows: Rows) -> list[bool]:
        """Tell of each row: whose last purchase lies so far back that the model learned of none
        like them (more than active_days, or never; where churn means to purchase no more)."""
        recency: list[float] = rows["rfm"]["recency"].tolist()
        most = self.active_days
        return [most is not None and (one < 0 or one > most) for one in recency]

    def answers(self, rows: Rows, people: Sequence[Person]) -> list[Answered]:
        """Answer n customers of n rows of each view in VIEWS, in order."""
        model, teller = self.model, self.teller
        x = model.matrix(rows, [person.attributes for person in people])
        scored = model.score_many(x)
        contributions = scored.contributions
        assert contributions is not None
        curve = model.survival(x, self.days, scored.probability) if self.days else None
        values = value_at_stake(rows).tolist() if model.events else [float("nan")] * len(people)
        picked = pick_many(teller, contributions, x, REASONS)
        chances, trust = scored.probability.tolist(), scored.confidence.tolist()
        out: list[Answered] = []
        for place, person in enumerate(people):
            probability = chances[place]
            value = _known(values[place], person.value)
            loss = None if value is None else probability * max(value, 0.0)
            out.append(
                Answered(
                    probability,
                    trust[place],
                    self.band(probability, loss, person.band),
                    () if curve is None else tuple(curve[place].tolist()),
                    value,
                    loss,
                    reasons_at(teller, picked, place),
                )
            )
        return out

    def band(self, probability: float, loss: float | None, previous: Band | None) -> Band:
        """Answer the band of a customer who was in `previous`."""
        key = probability if not self.by_loss else float("nan") if loss is None else loss
        return band_of(key, previous, self.limits)


def _known(own: float, told: float | None) -> float | None:
    """Answer the value that the history shows, else the one that was told, else None."""
    return own if isfinite(own) else told
