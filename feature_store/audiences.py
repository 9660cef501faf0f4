"""What conditions may name, and where its values come from: a sweep's rows, or one user's state.

`churn.*` are the scores of a sweep; `rfm.*`, `rhythm.*` and `breadth.*` are the columns of those
views, as of the same time, kept beside the sweep's table. A field whose default says "there is
none" (-1) is unknown there. Knows nothing of conditions' text or of requests.
"""

from collections.abc import Mapping
from math import nan
from typing import Any

import numpy as np
import numpy.typing as npt

from domain.conditions import Column, Lookup
from domain.errors import NotFound
from domain.scores import Band
from feature_store.sweeps.reading import Sweep
from feature_store.views.catalogue import VIEWS

Array = npt.NDArray[Any]
SHOWN = ("rfm", "rhythm", "breadth")
"""The views whose columns may be named."""
_HIDDEN = ("found", "age")
"""Fields that every view opens with, for machines."""
_BANDS = tuple(band.value for band in Band)

SCORES: tuple[Column, ...] = (
    Column("churn.probability", "share", "of leaving, calibrated"),
    Column("churn.confidence", "share", "how far the probability may be trusted"),
    Column("churn.band", "", "by expected loss", _BANDS),
    Column("churn.previous_band", "", "in the sweep before", _BANDS),
    Column("churn.value", "house currency", "at stake in a year"),
    Column("churn.expected_loss", "house currency", "probability times value"),
)


def _view_columns() -> dict[str, tuple[str, str, int, bool]]:
    """Answer full name → view, field, place in it (-1: one number), whether -1 means none."""
    return {
        f"{name}.{column}": (name, field.name, place if field.labels else -1, field.default == -1)
        for name in SHOWN
        for field in VIEWS[name].own_fields
        for place, column in enumerate(field.columns)
    }


_PLACES = _view_columns()
FEATURES: tuple[str, ...] = tuple(_PLACES)
"""Full names of the columns of views."""
VOCABULARY: dict[str, Column] = {column.name: column for column in SCORES} | {
    f"{name}.{column}": Column(f"{name}.{column}", field.unit, field.description)
    for name in SHOWN
    for field in VIEWS[name].own_fields
    for column in field.columns
}


def feature_columns(rows: Mapping[str, Array]) -> dict[str, Array]:
    """Answer the columns of n rows of each shown view by full name, as the views have them."""
    found: dict[str, Array] = {}
    for name, (view, field, place, _) in _PLACES.items():
        held = rows[view][field]
        found[name] = np.ascontiguousarray(held if place < 0 else held[:, place])
    return found


def known(name: str, column: Array) -> Array:
    """Answer a column of a view with NaN where it says that there is none."""
    return np.where(column == -1, np.nan, column) if _PLACES[name][3] else column


def sweep_lookup(sweep: Sweep) -> Lookup:
    """Answer how a sweep's columns are found, n numbers each in the order of its rows.

    The lookup raises NotFound (code no_features) for a sweep that was kept without features.
    """

    def lookup(name: str) -> Array:
        family, _, rest = name.partition(".")
        if family != "churn":
            if sweep.features is None or name not in sweep.features.columns:
                raise NotFound(
                    "the last sweep kept no such feature: whoever operates this runs "
                    "`python -m training sweep churn`",
                    code="no_features",
                )
            return known(name, sweep.features[name])
        if rest == "band":
            return sweep.table["level"]
        if rest == "previous_band":
            held = sweep.table["previous"]
            return np.where(held < 0, np.nan, held)
        return sweep.table[rest]

    return lookup


def row_lookup(rows: Mapping[str, Array], place: int, scores: Mapping[str, float]) -> Lookup:
    """Answer how the numbers of one row of each shown view are found, beside scores by full name.

    A score that is not given is unknown. Numbers are read once, when they are first asked for.
    """
    found = dict(scores)

    def lookup(name: str) -> float:
        if name not in found:
            where = _PLACES.get(name)
            found[name] = nan if where is None else _number(rows, place, where)
        return found[name]

    return lookup


def _number(rows: Mapping[str, Array], place: int, where: tuple[str, str, int, bool]) -> float:
    view, field, at, may_be_absent = where
    held = rows[view][field][place]
    value = float(held if at < 0 else held[at])
    return nan if may_be_absent and value == -1 else value


def level_of(band: Band | None) -> float:
    """Answer a band as conditions see it: its place, NaN for none."""
    return nan if band is None else float(_BANDS.index(band.value))
