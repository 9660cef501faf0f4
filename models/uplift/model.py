"""The uplift model: what contact adds to the chance of a good outcome, and how sure that is.

Forests learned from halves of a randomised trial answer together; their mean, laid on a line, is
the effect. The 95 % interval takes in how far the halves differ and the doubt about the line (see
docs/decisions). An effect above 0 keeps or brings somebody, below 0 it loses them. Knows nothing
of how any of it was learned or of who sends anything.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from domain.errors import BundleRefused
from models.bundle import Bundle
from models.churn.attributes import Attributes
from models.churn.features import VIEWS, groups_of, matrix, names_of
from models.uplift.action import Terms, actions_of, recommended_action
from models.uplift.halves import Halves
from models.uplift.line import Line

F64 = npt.NDArray[np.float64]


class Effects(NamedTuple):
    """What contact adds, per row: effect, low and high (95 %), each float64[n], -1 to 1."""

    effect: F64
    low: F64
    high: F64


@dataclass(frozen=True, eq=False)
class UpliftModel:
    """A loaded model; pure, may run in threads.

    halves: a forest of each half, over f columns. deviations: how many standard deviations
    the interval reaches to either side. definition: what was dealt and what counted as good.
    terms: what an action costs and earns unless someone says otherwise. events: whether the first
    columns are those of views; `attributes` are the others.
    """

    halves: Halves
    line: Line
    deviations: float
    definition: Mapping[str, Any] = field(default_factory=dict)
    terms: Terms = field(default_factory=Terms)
    attributes: Attributes = field(default_factory=Attributes)
    events: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Answer the names of the columns."""
        extra = self.attributes.names()
        return names_of(None, extra) if self.events else extra

    @property
    def groups(self) -> tuple[str, ...]:
        """Answer the group of each column, as churn's reasons group them."""
        extra = self.attributes.groups()
        return groups_of(None, extra) if self.events else extra

    def matrix(
        self,
        rows: Mapping[str, npt.NDArray[Any]],
        people: Sequence[Mapping[str, Any]] | None = None,
    ) -> F64:
        """Answer float64[n, f] of rows of churn's views and n attribute mappings.

        Raises ValueError for a model of attributes alone that is given none.
        """
        extra = None
        if self.attributes.names():
            n = len(rows[VIEWS[0]]) if people is None else len(people)
            extra = self.attributes.encode([{}] * n if people is None else people)
        if self.events:
            return matrix(rows, None, extra)
        if extra is None or people is None:
            raise ValueError("a model without events needs attributes")
        return extra

    def effects(self, features: F64) -> Effects:
        """Answer the effects of float64[n, f]; NaN is missing, infinities count as missing.

        Raises ValueError for rows of another width.
        """
        x = np.where(np.isinf(features), np.nan, features)
        scores = self.halves.scores(x)
        score = scores.mean(axis=0)
        # What regularisation holds back shows in no spread. Where the number of rounds is chosen
        # well, its square is about as large as the spread, so the spread is taken twice.
        spread = 2 * scores.var(axis=0, ddof=1) if len(scores) > 1 else np.zeros(len(x))
        reach = self.deviations * np.sqrt(self.line.variance(score, spread))
        effect = np.clip(self.line.effect(score), -1.0, 1.0)
        return Effects(effect, np.maximum(effect - reach, -1.0), np.minimum(effect + reach, 1.0))

    def contributions(self, features: F64) -> F64:
        """Answer float64[n, f+1]: what each column adds to the effect, and last the base.

        Shapley values (see models.forest.paths); each row sums to its effect before it is kept
        within -1 to 1.
        """
        x = np.where(np.isinf(features), np.nan, features)
        out = self.halves.contributions(x) * self.line.slope
        out[:, -1] += self.line.mean - self.line.slope * self.line.centre
        return out

    def actions(
        self, effects: Effects, value: npt.ArrayLike | None = None, cost: float | None = None
    ) -> npt.NDArray[np.int8]:
        """Answer int8[n], places in models.uplift.action.ACTIONS.

        value: what a good outcome is worth, one for all or float64[n]; cost: of one contact.
        """
        worth = self.terms.value if value is None else value
        return actions_of(
            effects.low, effects.high, worth, self.terms.cost if cost is None else cost
        )

    def advice(
        self,
        rows: Mapping[str, npt.NDArray[Any]],
        people: Sequence[Mapping[str, Any]],
        values: F64,
    ) -> tuple[Effects, npt.NDArray[np.int8]]:
        """Answer the effects on n customers, and what to do: int8[n], places in ACTIONS.

        rows, people: see `matrix`. values: float64[n], what is at stake with each, NaN where it
        is not known: the model's own terms stand in. Who is worth nothing is worth no contact.
        """
        effects = self.effects(self.matrix(rows, people))
        worth = np.where(np.isnan(values), self.terms.value, np.maximum(values, 0.0))
        return effects, self.actions(effects, worth)

    def answer(self, row: Any) -> Any:
        """Answer one golden row: {"features": f numbers or null} → effect, low, high, action."""
        given = row["features"]
        if len(given) != len(self.names):
            raise ValueError("a golden row of another width")
        x = np.array([[np.nan if value is None else value for value in given]], np.float64)
        effect, low, high = (float(one[0]) for one in self.effects(x))
        action = recommended_action(low, high, self.terms.value, self.terms.cost)
        return {"effect": effect, "low": low, "high": high, "action": action.value}

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Answer every array by name, for a bundle."""
        return self.halves.arrays()

    def params(self) -> dict[str, Any]:
        """Answer everything else as JSON values."""
        return {
            "line": self.line.params(),
            "deviations": self.deviations,
            "definition": dict(self.definition),
            "terms": self.terms._asdict(),
            "attributes": self.attributes.params(),
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
                f"bundle {bundle.family}/{bundle.version} is no uplift model this release can "
                f"read ({type(error).__name__}: {error}); fit again"
            ) from error

    @classmethod
    def from_parts(cls, arrays: Mapping[str, npt.NDArray[Any]], params: Mapping[str, Any]) -> Self:
        """Make it of what `arrays` and `params` answered; raises KeyError and ValueError."""
        model = cls(
            halves=Halves.from_arrays(arrays),
            line=Line.from_params(params["line"]),
            deviations=float(params["deviations"]),
            definition=dict(params["definition"]),
            terms=Terms(**params["terms"]).checked(),
            attributes=Attributes.from_params(params["attributes"]),
            events=bool(params["events"]),
        )
        if list(model.names) != params["names"]:
            raise ValueError("its features are not those of this release")
        if len(model.names) != model.halves.forest.features:
            raise ValueError("its forests are over other features")
        return model
