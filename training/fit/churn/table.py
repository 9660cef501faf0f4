"""The table that churn is learned from: rows of views and attributes, labels, and when known.

Buy-till-you-die columns depend on when their numbers were fitted, so they are added for a cut.
Knows nothing of learning.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from domain.clock import DAY_MS
from domain.errors import TooLittleData
from feature_store.history import History
from models.btyd.customers import customers_from_orders
from models.btyd.features import Prospects
from models.churn.attributes import Attributes, number, word
from models.churn.features import groups_of, matrix, names_of
from models.churn.repute import COLUMNS as REPUTE
from training.fit.btyd import fit_orders, fit_spend
from training.labels import kind_flags, lasting_groups
from training.snapshots import Definition

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
MOST_WORDS = 30
"""Categories of one attribute; an attribute with more is an id or a text, and left out."""

LEAST_OF_WORD = 5
_WEEK = 7.0


@dataclass(frozen=True)
class Table:
    """n rows. owner: int64, whose. as_of: int64, ms UTC. y: uint8. waited: float64 days, see
    training.snapshots. views: rows of views, empty without events. extra: float64[n, k], the
    encoded attributes. window_ms: how long after as_of the label is known. repute:
    float64[n, REPUTE] of what was bought, each row's by its own day's table; None without."""

    owner: I64
    as_of: I64
    y: npt.NDArray[np.uint8]
    waited: F64
    views: Mapping[str, npt.NDArray[Any]]
    extra: F64
    attributes: Attributes = field(default_factory=Attributes)
    window_ms: int = 0
    repute: F64 | None = None

    def __len__(self) -> int:
        return len(self.y)

    def names(self, prospects: Prospects | None) -> tuple[str, ...]:
        """Answer the names of the columns of `x`."""
        extra = self.attributes.names()
        return names_of(prospects, extra, repute=self._told()) if self.views else extra

    def groups(self, prospects: Prospects | None) -> tuple[str, ...]:
        """Answer the group of each column of `x`."""
        extra = self.attributes.groups()
        return groups_of(prospects, extra, repute=self._told()) if self.views else extra

    def x(self, prospects: Prospects | None) -> F64:
        """Answer float64[n, f]."""
        if not self.views:
            return self.extra
        extra = self.extra if self.extra.shape[1] else None
        return matrix(self.views, prospects, extra, self.repute)

    def optional(self, prospects: Prospects | None) -> I64:
        """Answer the places of the columns that tuning may leave out: the repute's."""
        names = self.names(prospects)
        chosen = set(REPUTE if self._told() else ())
        return np.array([place for place, name in enumerate(names) if name in chosen], np.int64)

    def _told(self) -> bool:
        return self.repute is not None


def attributes_of(people: Sequence[Mapping[str, Any]]) -> Attributes:
    """Answer how the attributes of these people are read: as numbers where all of them are.

    An attribute with one value only, or with too many words, is left out.
    """
    names = sorted({name for person in people for name in person})
    numbers: list[str] = []
    words: dict[str, tuple[str, ...]] = {}
    for name in names:
        values = [person.get(name) for person in people]
        given = [value for value in values if word(value) is not None]
        figures = np.array([number(value) for value in given])
        if given and np.isfinite(figures).mean() > 0.9:
            if len(np.unique(figures[np.isfinite(figures)])) > 1:
                numbers.append(name)
            continue
        kinds, counts = np.unique([word(value) or "" for value in given], return_counts=True)
        if 2 <= len(kinds) <= MOST_WORDS:
            kept = [str(kind) for kind, n in zip(kinds, counts, strict=True) if n >= LEAST_OF_WORD]
            # Of two categories one column says it all.
            words[name] = tuple(kept[1:] if len(kinds) == 2 else kept)
    return Attributes(tuple(numbers), {name: kinds for name, kinds in words.items() if kinds})


def fit_prospects(
    history: History, cut: int, models: Sequence[str], definition: Definition
) -> Prospects | None:
    """Fit the buy-till-you-die models on orders before `cut` (ms UTC); None when too few."""
    if not models:
        return None
    counted = kind_flags(definition.kinds)
    records, codes = history.records, lasting_groups(history)
    owner = np.repeat(np.arange(len(history.offsets) - 1), np.diff(history.offsets))
    user = np.zeros(len(history.offsets) - 1, np.bool_)
    people = np.array([name[0] == "u" for name in history.entities], np.bool_)
    user[codes[people & (codes >= 0)]] = True
    mine = (counted[records["kind"]] == 1) & (records["at"] < cut) & user[owner]
    times = records["at"][mine] / DAY_MS
    who, days = customers_from_orders(owner[mine].astype(np.int64), times, cut / DAY_MS)
    customers = days.scaled(_WEEK)
    value = np.bincount(owner[mine], records["value"][mine] / 1e6, len(user))[who]
    orders = days.frequency + 1
    try:
        fitted = {name: fit_orders(name, customers).model for name in models}
        spend = fit_spend(orders, value / orders).model
    except TooLittleData:
        return None
    return Prospects(fitted, definition.horizon_days, definition.lead_days, _WEEK, spend)
