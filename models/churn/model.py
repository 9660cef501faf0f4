"""The churn model: trees and a line on the log-odds scale, calibrated, with every share kept.

    log-odds = (1 - blend) * forest(x) + blend * linear(x)      probability = calibration(log-odds)

Both parts share their answer out over the features exactly (tree Shapley values; products of a
line), so the shares of the whole add up to its log-odds. Knows nothing of stores or sentences.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from domain.errors import BundleRefused
from models.btyd.features import Prospects
from models.bundle import Bundle
from models.calibration import Calibration, from_params, sigmoid
from models.churn.attributes import Attributes
from models.churn.features import VIEWS, groups_of, matrix, names_of, units_of
from models.churn.hazard import Hazard
from models.churn.joining import cleaned, join, trust
from models.churn.linear import Linear
from models.churn.repute import Repute
from models.forest.blocks import FEW
from models.forest.forest import Forest

F64 = npt.NDArray[np.float64]


class Scored(NamedTuple):
    """n answers. probability, log_odds (before calibration), confidence: float64[n].

    contributions: float64[n, f + 1], what each feature adds to the log-odds and last the base;
    every row sums to its log-odds. None when they were not asked for.
    """

    probability: F64
    log_odds: F64
    confidence: F64
    contributions: F64 | None


@dataclass(frozen=True, eq=False)
class ChurnModel:
    """A loaded model; pure, may run in threads.

    names, groups: of the f columns. blend: share of the linear part, 0 to 1. low, high:
    float64[f], between them nearly all rows of training lay. definition: history_days,
    lead_days, horizon_days, active_days, definition. reference: float64[f], the median of
    training. hazard: None without survival. repute: what others' orders say of items, or None.
    """

    forest: Forest
    linear: Linear
    blend: float
    calibration: Calibration
    definition: Mapping[str, Any]
    low: F64
    high: F64
    reference: F64
    attributes: Attributes = field(default_factory=Attributes)
    prospects: Prospects | None = None
    hazard: Hazard | None = None
    events: bool = True
    repute: Repute | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Answer the names of the columns."""
        extra = self.attributes.names()
        if not self.events:
            return extra
        return names_of(self.prospects, extra, repute=self.repute is not None)

    @property
    def groups(self) -> tuple[str, ...]:
        """Answer the group of each column."""
        extra = self.attributes.groups()
        if not self.events:
            return extra
        return groups_of(self.prospects, extra, repute=self.repute is not None)

    @property
    def units(self) -> tuple[str, ...]:
        """Answer the unit of each column, "" where there is none."""
        extra = len(self.attributes.names())
        if not self.events:
            return ("",) * extra
        return units_of(self.prospects, extra, repute=self.repute is not None)

    @property
    def typical(self) -> dict[str, float]:
        """Answer the median of training by name, for the features of which one was known."""
        pairs = zip(self.names, self.reference.tolist(), strict=True)
        return {name: value for name, value in pairs if value == value}

    @property
    def horizon_days(self) -> float:
        """Answer the days that the probability speaks of."""
        return float(self.definition["horizon_days"])

    def matrix(
        self,
        rows: Mapping[str, npt.NDArray[Any]],
        people: Sequence[Mapping[str, Any]] | None = None,
    ) -> F64:
        """Answer float64[n, f] of rows of the views in VIEWS and n attribute mappings."""
        extra = None
        if self.attributes.names():
            n = len(rows[VIEWS[0]]) if people is None else len(people)
            extra = self.attributes.encode([{}] * n if people is None else people)
        if not self.events:
            if extra is None:
                raise ValueError("a model without events needs attributes")
            return extra
        repute = None if self.repute is None else self.repute.columns(rows["goods"])
        return matrix(rows, self.prospects, extra, repute)

    def score_many(self, features: F64, *, explain: bool = True) -> Scored:
        """Score float64[n, f]; NaN is missing, infinities count as missing."""
        x = cleaned(features)
        contributions = None
        if explain:
            contributions = self.forest.contributions(x)
            log_odds = join(contributions, x, self.linear, self.blend)
        else:
            log_odds = (1 - self.blend) * self.forest.raw(x) + self.blend * self.linear.raw(x)
        if len(x) <= FEW:
            probability = np.array([self.calibration.at(one) for one in log_odds.tolist()])
        else:
            probability = self.calibration.apply(sigmoid(log_odds))
        return Scored(probability, log_odds, trust(x, self.low, self.high), contributions)

    def confidence(self, features: F64) -> F64:
        """Answer float64[n], 0 to 1: the share of known features within the range of training.

        A row of which nothing is known has confidence 0.
        """
        return trust(np.ascontiguousarray(features, np.float64), self.low, self.high)

    def survival(self, features: F64, days: Sequence[float], probability: F64) -> F64 | None:
        """Answer float64[n, len(days)], through the calibrated probability at the horizon.

        inactivity: the chance that they stay silent so long, which is the probability itself at
        the horizon. contractual: the chance that the term still runs, one less the probability.
        Days count from as_of + lead. None when the model has no hazard.
        """
        if self.hazard is None:
            return None
        at = np.asarray(days, np.float64)
        known = 1 - probability if self.definition["definition"] == "contractual" else probability
        return self.hazard.survival(features, at, self.horizon_days, known)

    def answer(self, row: Any) -> Any:
        """Answer one golden row: {"features": f numbers or null} → everything that is served."""
        given = row["features"]
        if len(given) != len(self.names):
            raise ValueError("a golden row of another width")
        x = np.array([[np.nan if value is None else value for value in given]], np.float64)
        scored = self.score_many(x)
        horizon = self.horizon_days
        curve = self.survival(x, [horizon / 2, horizon, 2 * horizon], scored.probability)
        assert scored.contributions is not None
        return {
            "probability": float(scored.probability[0]),
            "log_odds": float(scored.log_odds[0]),
            "confidence": float(scored.confidence[0]),
            "contributions": scored.contributions[0].tolist(),
            "survival": None if curve is None else curve[0].tolist(),
        }

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Answer every array by name, for a bundle."""
        parts: dict[str, Mapping[str, npt.NDArray[Any]]] = {
            "forest": self.forest.arrays(),
            "linear": self.linear.arrays(),
        }
        if self.hazard is not None:
            parts["hazard"] = self.hazard.arrays()
        if self.repute is not None:
            parts["repute"] = self.repute.arrays()
        out = {f"{part}-{name}": a for part, own in parts.items() for name, a in own.items()}
        return out | {"low": self.low, "high": self.high, "reference": self.reference}

    def params(self) -> dict[str, Any]:
        """Answer everything else as JSON values."""
        return {
            "blend": self.blend,
            "calibration": self.calibration.params(),
            "definition": dict(self.definition),
            "attributes": self.attributes.params(),
            "prospects": None if self.prospects is None else self.prospects.params(),
            "events": self.events,
            "names": list(self.names),
        }

    @classmethod
    def from_bundle(cls, bundle: Bundle) -> Self:
        """Load a bundle; raises BundleRefused when it does not hold such a model."""
        try:
            return cls.from_parts(bundle.arrays, bundle.params)
        except (KeyError, ValueError, TypeError) as error:
            raise BundleRefused(
                f"bundle {bundle.family}/{bundle.version} is no churn model this release can "
                f"read ({type(error).__name__}: {error}); fit again"
            ) from error

    @classmethod
    def from_parts(cls, arrays: Mapping[str, npt.NDArray[Any]], params: Mapping[str, Any]) -> Self:
        """Make it of what `arrays` and `params` answered; raises KeyError and ValueError."""

        def part(name: str) -> dict[str, npt.NDArray[Any]]:
            start = name + "-"
            return {key[len(start) :]: a for key, a in arrays.items() if key.startswith(start)}

        prospects = params["prospects"]
        hazard, repute = part("hazard"), part("repute")
        model = cls(
            forest=Forest.from_arrays(part("forest")),
            linear=Linear.from_arrays(part("linear")),
            blend=float(params["blend"]),
            calibration=from_params(params["calibration"]),
            definition=dict(params["definition"]),
            # Copies: to a kernel a read-only map of a file would be another type, compiled anew.
            low=np.array(arrays["low"], np.float64),
            high=np.array(arrays["high"], np.float64),
            reference=np.array(arrays["reference"], np.float64),
            attributes=Attributes.from_params(params["attributes"]),
            prospects=None if prospects is None else Prospects.from_params(prospects),
            hazard=Hazard.from_arrays(hazard) if hazard else None,
            events=bool(params["events"]),
            repute=Repute.from_arrays(repute) if repute else None,
        )
        if list(model.names) != params["names"]:
            raise ValueError("its features are not those of this release")
        return model
