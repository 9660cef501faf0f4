"""The effect of contact on everyone in the log as of a time, and what to do, as a Parquet file.

Columns: user, effect, low, high, action, as_of, model. Sleeping dogs, those whom contact would
lose, have the action leave_alone. Knows nothing of what an outcome is worth beyond the model's
own terms: the sweep knows each customer's value.
"""

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from domain.clock import system_clock
from domain.errors import CallerError, ScientistError
from domain.events import parse_at
from feature_store.history import History
from feature_store.views.catalogue import views_named
from models.churn.features import VIEWS
from models.families import load_scorer
from models.uplift.action import ACTIONS
from models.uplift.model import UpliftModel
from training.desk import desk_from_env
from training.profiles import profiles_from_env
from training.score_churn import chosen_bundle


def scored(
    history: History, model: UpliftModel, as_of: int, people: dict[str, dict[str, Any]]
) -> pl.DataFrame:
    """Answer one row a user who has an event before `as_of` (ms UTC), in the log's order.

    Raises ScientistError when nobody has, or when all that the model asks is a table's.
    """
    users = np.array([name[0] == "u" for name in history.entities], np.bool_)
    replayed = history.replay(views_named(VIEWS), [as_of])
    places = np.flatnonzero(users[replayed.entity])
    if not len(places):
        raise ScientistError("the log holds no user with an event before as_of")
    names = [history.entities[one][1:] for one in replayed.entity[places]]
    if not model.events and not any(name in people for name in names):
        raise ScientistError(
            "this model asks for attributes of profiles and nobody in the log has any: import "
            "users (`training import --users`), or fit from the log"
        )
    rows = {name: view[places] for name, view in replayed.views.items()}
    found = model.effects(model.matrix(rows, [people.get(name, {}) for name in names]))
    actions = [ACTIONS[place].value for place in model.actions(found)]
    return pl.DataFrame({"user": names, **found._asdict(), "action": actions}).with_columns(
        pl.lit(as_of).alias("as_of")
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
    bundle = chosen_bundle(desk.family("uplift"), version)
    model: UpliftModel = load_scorer(bundle)
    log = desk.log()
    when = int(log.history.records["at"].max()) + 1 if at is None else at
    users = [name[1:] for name in log.history.entities if name[0] == "u"]
    people = profiles_from_env(users) if model.attributes.names() else {}
    frame = scored(log.history, model, when, people).with_columns(
        pl.lit(bundle.version).alias("model")
    )
    fresh = out.with_name(out.name + ".tmp")
    frame.write_parquet(fresh, compression="zstd")
    os.replace(fresh, out)
    counts = dict(frame.group_by("action").len().iter_rows())
    told = ", ".join(f"{action.value} {counts.get(action.value, 0):,}" for action in ACTIONS)
    print(f"{told} (sleeping dogs are left alone)", file=sys.stderr)
    return frame.height
