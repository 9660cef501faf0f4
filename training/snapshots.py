"""Rolling snapshots: who was there at each cut-off, what was known of them, what became of them.

Features come from History.replay, so a row is what serving would have seen; a label window that
is not over by `until` makes no row. Knows nothing of models or of how cut-offs are split.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from domain.clock import DAY_MS
from domain.errors import ScientistError
from feature_store.history import History
from feature_store.views.catalogue import views_named
from models.churn.features import VIEWS
from training.labels import NEVER, around, kind_flags, terms

I64 = npt.NDArray[np.int64]
Rows = dict[str, npt.NDArray[Any]]
DEFINITIONS = ("inactivity", "contractual")


@dataclass(slots=True, frozen=True)
class Definition:
    """What churn is taken to mean; travels with the model and with every score.

    definition: "inactivity" or "contractual". kinds: events that count as activity. Days:
    history_days, the least a first cut-off looks back upon; lead_days between now and the
    window, in which one would act; horizon_days, the window; active_days, only who was active
    within them is asked about (inactivity).
    """

    definition: str = "inactivity"
    kinds: tuple[str, ...] = ("purchase",)
    history_days: float = 0.0
    lead_days: float = 0.0
    horizon_days: float = 90.0
    active_days: float = 365.0

    def __post_init__(self) -> None:
        if self.definition not in DEFINITIONS:
            raise ScientistError("definition is one of " + ", ".join(DEFINITIONS))
        if not self.horizon_days > 0 or not self.active_days > 0:
            raise ScientistError("horizon_days and active_days are above 0")
        if not self.lead_days >= 0 or not self.history_days >= 0:
            raise ScientistError("lead_days and history_days are 0 or more")
        kind_flags(self.kinds)

    @property
    def lead_ms(self) -> int:
        """Answer the lead in milliseconds."""
        return round(self.lead_days * DAY_MS)

    @property
    def horizon_ms(self) -> int:
        """Answer the window's length in milliseconds."""
        return round(self.horizon_days * DAY_MS)

    @property
    def window_ms(self) -> int:
        """Answer how long after a cut-off its label is known."""
        return self.lead_ms + self.horizon_ms

    def words(self) -> dict[str, Any]:
        """Answer what travels in the manifest and in every score."""
        return {
            "definition": self.definition,
            "kinds": list(self.kinds),
            "history_days": self.history_days,
            "lead_days": self.lead_days,
            "horizon_days": self.horizon_days,
            "active_days": self.active_days,
        }


@dataclass(frozen=True)
class Snapshots:
    """n rows. entity: int64, numbers of History.entities. as_of: int64, ms UTC. views: rows of
    each view. y: uint8, 1 left. waited: float64, days from as_of + lead until what ended the
    silence (inactivity) or the term (contractual), infinite when nothing did."""

    entity: I64
    as_of: I64
    views: Rows
    y: npt.NDArray[np.uint8]
    waited: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.y)

    def take(self, chosen: npt.NDArray[Any]) -> "Snapshots":
        """Keep the chosen rows (places or flags)."""
        views = {name: rows[chosen] for name, rows in self.views.items()}
        return replace(
            self,
            entity=self.entity[chosen],
            as_of=self.as_of[chosen],
            views=views,
            y=self.y[chosen],
            waited=self.waited[chosen],
        )


def take_snapshots(history: History, as_ofs: Sequence[int], definition: Definition) -> Snapshots:
    """Answer every user of the population at each cut-off (ms UTC, exclusive).

    inactivity: last active within active_days. contractual: a term runs. Labels look at events
    of the whole log; whoever asks for a cut-off whose window is not over gets labels as if the
    log were complete, so do not.
    """
    replayed = history.replay(views_named(VIEWS), np.unique(np.asarray(as_ofs, np.int64)).tolist())
    entity, as_of = replayed.entity, replayed.as_of
    people = np.array([name[0] == "u" for name in history.entities], np.bool_)
    keep = people[entity]
    if definition.definition == "inactivity":
        seen = around(history, entity, as_of, definition.lead_ms, kind_flags(definition.kinds))
        within = as_of - seen.last <= definition.active_days * DAY_MS
        keep &= (seen.last >= 0) & within
        ends = seen.following
        waited = _days(ends, as_of, definition.lead_ms)
        y = waited >= definition.horizon_days
    else:
        running, ends = terms(history, entity, as_of, definition.lead_ms, definition.horizon_ms)
        keep &= running
        waited = _days(ends, as_of, definition.lead_ms)
        y = waited < definition.horizon_days
    rows = Snapshots(entity, as_of, replayed.views, y.astype(np.uint8), waited)
    return rows.take(keep)


def _days(ends: I64, as_of: I64, lead_ms: int) -> npt.NDArray[np.float64]:
    never = ends == NEVER
    return np.where(never, np.inf, (np.where(never, 0, ends) - as_of - lead_ms) / DAY_MS)


def names_at(history: History, entity: I64) -> list[str]:
    """Answer the user ids of entity numbers."""
    return [history.entities[one][1:] for one in entity]


def people_of(
    history: History, entity: I64, profiles: Mapping[str, Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """Answer the attributes of each row's user; none known is an empty mapping."""
    return [profiles.get(name, {}) for name in names_at(history, entity)]
