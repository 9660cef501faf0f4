"""What conditions may name, and where its values come from: a sweep's rows, or one user's state.

`churn.*` are the scores of a sweep; `uplift.*` what contact would change, by the model released
then; `intent.*` what was told last of a visit; `rfm.*`, `rhythm.*` and `breadth.*` the columns of
those views, as of the same time, kept beside the sweep's table with `attributes.*`. A field whose
default says "there is none" (-1) is unknown there. Knows nothing of conditions' text or requests.
"""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from math import nan
from typing import Any

import numpy as np
import numpy.typing as npt

from domain.conditions import NOT_SAID, Column, Free, Lookup, own_name
from domain.errors import NotFound
from domain.scores import Action, Band, Score
from feature_store.sweeps.attributes import column_of, names_in, said
from feature_store.sweeps.reading import Sweep
from feature_store.views.catalogue import VIEWS

Array = npt.NDArray[Any]
SHOWN = ("rfm", "rhythm", "breadth")
"""The views whose columns may be named."""
_HIDDEN = ("found", "age")
"""Fields that every view opens with, for machines."""
_BANDS = tuple(band.value for band in Band)
_ACTIONS = tuple(action.value for action in Action)
HOUR_MS = 3_600_000
ATTRIBUTES = "attributes"

SCORES: tuple[Column, ...] = (
    Column("churn.probability", "share", "of leaving, calibrated"),
    Column("churn.confidence", "share", "how far the probability may be trusted"),
    Column("churn.band", "", "by expected loss", _BANDS),
    Column("churn.previous_band", "", "in the sweep before", _BANDS),
    Column("churn.value", "house currency", "at stake in a year"),
    Column("churn.expected_loss", "house currency", "probability times value"),
)
BESIDE: tuple[Column, ...] = (
    Column("uplift.effect", "share", "what contact adds to the chance that they stay"),
    Column("uplift.low", "share", "lower end of the effect's 95 % interval"),
    Column("uplift.high", "share", "its upper end; below 0 contact loses them"),
    Column("uplift.action", "", "what is advised, by the interval and what is at stake",
           _ACTIONS),
    Column("intent.probability", "share", "that their last visit ends as its model asks"),
    Column("intent.confidence", "share", "how far that may be trusted"),
    Column("intent.hours_ago", "hours", "since that was told"),
)  # fmt: skip
"""Scores of other families; unknown where no model was released or nobody asked."""


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
_SAID = Column(
    f"{ATTRIBUTES}.*", "", "an attribute of the profile: a number, a word, or a flag", free=True
)
VOCABULARY: dict[str, Column] = {
    **{column.name: column for column in (*SCORES, *BESIDE, _SAID)},
    **{
        f"{name}.{column}": Column(f"{name}.{column}", field.unit, field.description)
        for name in SHOWN
        for field in VIEWS[name].own_fields
        for column in field.columns
    },
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
    What is no view's and was not kept is unknown of everybody; see `missing`.
    """

    def lookup(name: str) -> Any:
        family, _, rest = name.partition(".")
        if family == "churn":
            return _churn(sweep, rest)
        kept = sweep.features
        if kept is None or (name in _PLACES and name not in kept.columns):
            raise NotFound(
                "the last sweep kept no such feature: whoever operates this runs "
                "`python -m training sweep churn`",
                code="no_features",
            )
        if family == ATTRIBUTES:
            return column_of(kept, own_name(name))
        if name in _PLACES:
            return known(name, kept[name])
        return kept.columns.get(name, np.full(len(kept), nan))

    return lookup


def _churn(sweep: Sweep, name: str) -> Array:
    if name == "band":
        return sweep.table["level"]
    if name == "previous_band":
        held = sweep.table["previous"]
        return np.where(held < 0, np.nan, held)
    return sweep.table[name]


def advised(sweep: Sweep, rows: npt.NDArray[np.integer[Any]]) -> list[str | None]:
    """Answer what is advised of some rows, as domain.scores.Action has it; None without a model."""
    kept = sweep.features
    if kept is None or not sweep.summary.uplift:
        return [None] * len(rows)
    return [_ACTIONS[place] for place in kept["uplift.action"][rows].tolist()]


def missing(sweep: Sweep, names: Iterable[str]) -> list[str]:
    """Answer, in words, which of the named columns the sweep knows of nobody, and why."""
    columns = () if sweep.features is None else sweep.features.columns
    told = names_in(columns)
    out: list[str] = []
    for name in sorted(names):
        family = name.partition(".")[0]
        if family == ATTRIBUTES and own_name(name) not in told:
            near = get_close_matches(own_name(name), told, n=1)
            hint = f"; did you mean {ATTRIBUTES}.{near[0]}?" if near else ""
            out.append(f"{name}: nobody in the last sweep has this attribute{hint}")
        elif family in _WHY and name not in columns:
            out.append(f"{name}: {_WHY[family]}")
    return out


_WHY = {
    "uplift": "no uplift model was released when the last sweep was made",
    "intent": "the last sweep was made without a store, or by an earlier release",
}


def row_lookup(
    rows: Mapping[str, Array],
    place: int,
    scores: Mapping[str, float],
    attributes: Mapping[str, Any] | None = None,
) -> Lookup:
    """Answer how the numbers of one row of each shown view are found, beside scores by full name
    and attributes of the profile.

    What is not given is unknown. Numbers are read once, when they are first asked for.
    """
    found: dict[str, Any] = dict(scores)

    def lookup(name: str) -> Any:
        if name not in found:
            where = _PLACES.get(name)
            if where is not None:
                found[name] = _number(rows, place, where)
            elif name.startswith(f"{ATTRIBUTES}."):
                found[name] = _said(attributes or {}, own_name(name))
            else:
                found[name] = nan
        return found[name]

    return lookup


def _said(attributes: Mapping[str, Any], wanted: str) -> Free:
    for name, value in attributes.items():
        if name.lower() == wanted:
            return said(value)
    return NOT_SAID


def _number(rows: Mapping[str, Array], place: int, where: tuple[str, str, int, bool]) -> float:
    view, field, at, may_be_absent = where
    held = rows[view][field][place]
    value = float(held if at < 0 else held[at])
    return nan if may_be_absent and value == -1 else value


def intent_columns(scores: Sequence[Score | None], until: int) -> dict[str, Array]:
    """Answer the columns of n users' last intent scores, unknown for None and what was told after
    `until` (ms UTC)."""
    known = [None if one is None or one.as_of > until else one for one in scores]
    out = np.full((3, len(known)), nan)
    for place, one in enumerate(known):
        if one is not None:
            out[:, place] = tuple(intent_numbers(one, until).values())
    return dict(zip(_INTENT, out, strict=True))


_INTENT = tuple(column.name for column in BESIDE if column.name.startswith("intent."))


def intent_numbers(score: Score, now_ms: int) -> dict[str, float]:
    """Answer an intent score by full name."""
    hours = max(0, now_ms - score.as_of) / HOUR_MS
    return dict(zip(_INTENT, (score.probability, score.confidence, hours), strict=True))


def level_of(band: Band | None) -> float:
    """Answer a band as conditions see it: its place, NaN for none."""
    return nan if band is None else float(_BANDS.index(band.value))
