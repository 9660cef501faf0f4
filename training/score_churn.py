"""Churn of everyone in the log as of a time, as a Parquet file.

Columns: user, probability, confidence, log_odds, survival at half, one and two horizons (null
without a hazard), the three strongest groups of features, as_of, the model and its definition.
Knows nothing of bands, value or sentences: the sweep adds those.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from domain.clock import system_clock
from domain.errors import CallerError, OperatorError, ScientistError
from domain.events import parse_at
from feature_store.history import History
from feature_store.views.catalogue import views_named
from models.bundle import CHALLENGER, Bundle, open_bundle, read_pointer
from models.churn.features import VIEWS
from models.churn.model import ChurnModel
from models.families import load_scorer
from training.desk import desk_from_env
from training.profiles import profiles_from_env

_CHUNK = 50_000
_STRONGEST = 3


def chosen_bundle(family: Path, version: str | None) -> Bundle:
    """Answer the bundle to score with; raises OperatorError when there is none."""
    pointer = read_pointer(family) or read_pointer(family, CHALLENGER)
    if version is None and pointer is None:
        name = family.name
        raise OperatorError(f"no {name} model yet: run `python -m training fit {name}` first")
    name = version or (pointer.version if pointer is not None else "")
    return open_bundle(family / name)


def scored(
    history: History, model: ChurnModel, as_of: int, people: dict[str, dict[str, Any]]
) -> pl.DataFrame:
    """Answer one row a user who has an event before `as_of` (ms UTC), in the log's order."""
    users = np.array([name[0] == "u" for name in history.entities], np.bool_)
    replayed = history.replay(views_named(VIEWS), [as_of])
    places = np.flatnonzero(users[replayed.entity])
    frames = [_frame(history, model, replayed, places[k : k + _CHUNK], as_of, people)
              for k in range(0, len(places), _CHUNK)]  # fmt: skip
    if not frames:
        raise ScientistError("the log holds no user with an event before as_of")
    return pl.concat(frames)


def _frame(
    history: History,
    model: ChurnModel,
    replayed: Any,
    places: np.ndarray,
    as_of: int,
    people: dict[str, dict[str, Any]],
) -> pl.DataFrame:
    names = [history.entities[one][1:] for one in replayed.entity[places]]
    rows = {name: view[places] for name, view in replayed.views.items()}
    x = model.matrix(rows, [people.get(name, {}) for name in names])
    found = model.score_many(x)
    assert found.contributions is not None
    groups = list(dict.fromkeys(model.groups))
    sums = np.zeros((len(names), len(groups)))
    for place, group in enumerate(model.groups):
        sums[:, groups.index(group)] += found.contributions[:, place]
    strongest = np.argsort(-np.abs(sums), axis=1)[:, :_STRONGEST]
    horizon = model.horizon_days
    curve = model.survival(x, [horizon / 2, horizon, 2 * horizon], found.probability)
    columns: dict[str, Any] = {
        "user": names,
        "probability": found.probability,
        "confidence": found.confidence,
        "log_odds": found.log_odds,
        "survival": [None] * len(names) if curve is None else curve.tolist(),
        "groups": [[groups[place] for place in row] for row in strongest],
        "shares": np.take_along_axis(sums, strongest, axis=1).tolist(),
    }
    schema = {"survival": pl.List(pl.Float64), "shares": pl.List(pl.Float64)}
    return pl.DataFrame(columns, schema_overrides=schema).with_columns(
        pl.lit(as_of).alias("as_of"),
        *(
            pl.lit(value).alias(name)
            for name, value in model.definition.items()
            if not isinstance(value, list)
        ),
    )


def score(out: Path, as_of: str | None, version: str | None) -> int:
    """Score the log of the deployment; answer how many rows were written.

    Raises ScientistError for a time that cannot be read or lies in the future.
    """
    now = system_clock()
    try:
        at = None if as_of is None else parse_at(as_of, now)
    except CallerError as error:
        raise ScientistError(f"--as-of: {error.message}") from error
    if at is not None and at > now:
        raise ScientistError("--as-of lies in the future")
    desk = desk_from_env()
    bundle = chosen_bundle(desk.family("churn"), version)
    model: Any = load_scorer(bundle)
    log = desk.log()
    when = int(log.history.records["at"].max()) + 1 if at is None else at
    users = [name[1:] for name in log.history.entities if name[0] == "u"]
    people = profiles_from_env(users) if model.attributes.names() else {}
    frame = scored(log.history, model, when, people).with_columns(
        pl.lit(bundle.version).alias("model"), pl.lit(None, pl.String).alias("fallback")
    )
    fresh = out.with_name(out.name + ".tmp")
    frame.write_parquet(fresh, compression="zstd")
    os.replace(fresh, out)
    return frame.height
