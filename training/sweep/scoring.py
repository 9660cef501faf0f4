"""Scoring some thousand users at once: probability, what is at stake, survival, reasons.

Histories are replayed from the log by the functions that serving calls, so a sweep says what a
request would have been told, as of any time, of everybody the log knows; the store lists nobody.
Knows nothing of parts, bands or files.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from feature_store.audiences import feature_columns
from feature_store.history import History
from feature_store.sweeps.table import SweepTable, joined, table_of
from feature_store.views.catalogue import views_named
from models.churn.attributes import number
from models.churn.features import VIEWS
from models.churn.model import ChurnModel
from models.churn.picks import pick_many
from models.churn.reasons import Teller, teller_of
from models.churn.stakes import value_at_stake
from models.churn.value import expected_loss
from models.uplift.model import UpliftModel

F64 = npt.NDArray[np.float64]
People = Sequence[Mapping[str, Any]]
CHUNK = 4_096
"""Rows scored together: enough to spread the cost of a call, few enough to stay in the cache."""
REASONS = 3
NOBODY: Mapping[str, Any] = {}


@dataclass(frozen=True)
class ValueFrom:
    """An attribute of the profile that says what a user is worth, and how often a year."""

    attribute: str
    times: float = 1.0


def teller_for(model: ChurnModel) -> Teller:
    """Answer who puts this model's reasons in words."""
    return teller_of(list(zip(model.names, model.groups, model.units, strict=True)), model.typical)


def survival_days(model: ChurnModel) -> tuple[float, ...]:
    """Answer the days that survival is told for: half, one and two horizons."""
    horizon = model.horizon_days
    return horizon / 2, horizon, 2 * horizon


@dataclass(frozen=True)
class Scoring:
    """What a sweep scores with; `value` None takes the value from the history, `uplift` None says
    nothing of what contact would change."""

    model: ChurnModel
    teller: Teller
    value: ValueFrom | None = None
    uplift: UpliftModel | None = None

    def score(
        self, history: History, users: Sequence[str], entity: npt.NDArray[np.int64],
        as_of: int, people: People | None = None,
    ) -> SweepTable:  # fmt: skip
        """Answer a row a user: scores, then what conditions may name of them, in full.

        entity: int64[n], -1 without events; people: attributes of each. as_of: ms UTC, exclusive.
        """
        tables: list[SweepTable] = []
        for start in range(0, max(len(users), 1), CHUNK):
            some = slice(start, start + CHUNK)
            replayed = history.replay_at(views_named(VIEWS), entity[some], as_of)
            own = [NOBODY] * len(users[some]) if people is None else people[some]
            columns = self.columns(replayed.views, own)
            columns |= feature_columns(replayed.views)
            columns |= self.advice(replayed.views, own, columns["value"])
            tables.append(table_of(list(users[some]), columns))
        return tables[0] if len(tables) == 1 else joined(tables)

    def columns(
        self, rows: Mapping[str, npt.NDArray[Any]], people: People
    ) -> dict[str, npt.NDArray[Any]]:
        """Answer the columns of feature_store.sweeps.table.SCORED for n rows of each view."""
        x = self.model.matrix(rows, people)
        scored = self.model.score_many(x)
        assert scored.contributions is not None
        days = survival_days(self.model)
        curve = self.model.survival(x, days, scored.probability)
        if curve is None:
            curve = np.full((len(x), len(days)), np.nan)
        value = self._value(rows, people)
        picked = pick_many(self.teller, scored.contributions, x, REASONS)
        return {
            "probability": scored.probability,
            "confidence": scored.confidence,
            "value": value,
            "expected_loss": expected_loss(scored.probability, value),
            "survival": curve,
            "reason_group": picked.group,
            "reason_line": picked.line,
            "reason_numbers": picked.numbers.reshape(len(x), 2 * REASONS),
            "reason_total": picked.total,
            "reason_share": picked.share,
            "rest": picked.rest,
        }

    def advice(
        self, rows: Mapping[str, npt.NDArray[Any]], people: People, value: F64
    ) -> dict[str, npt.NDArray[Any]]:
        """Answer the uplift columns by full name, none without a model; value: at stake."""
        if self.uplift is None:
            return {}
        effects, action = self.uplift.advice(rows, people, value)
        told = {**effects._asdict(), "action": action}
        return {f"uplift.{name}": column for name, column in told.items()}

    def _value(self, rows: Mapping[str, npt.NDArray[Any]], people: People) -> F64:
        if self.value is None:
            return value_at_stake(rows)
        name, times = self.value.attribute, self.value.times
        return np.array([number(person.get(name)) * times for person in people], np.float64)
