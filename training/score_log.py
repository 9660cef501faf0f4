"""What scores of everyone share: which model, as of when, of whom, and the file they end in.

Everyone is who has an event before that time, and of a model learned from a label set those
labelled as well; who refused analytics is nobody. Knows nothing of what a family says of them.
"""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from domain.clock import system_clock
from domain.errors import CallerError, OperatorError, ScientistError
from domain.events import parse_at
from feature_store.history import History
from feature_store.views.catalogue import views_named
from models.bundle import CHALLENGER, Bundle, open_bundle, read_pointer
from models.churn.features import VIEWS
from models.families import load_scorer
from training.desk import desk_from_env
from training.importing.labels import load_labels
from training.profiles import Told, told_from_env


class Crowd(NamedTuple):
    """n users as of a time (ms UTC, exclusive): ids, a row of each view, attributes."""

    users: list[str]
    rows: dict[str, npt.NDArray[Any]]
    people: list[dict[str, Any]]
    as_of: int

    def part(self, some: slice) -> "Crowd":
        """Answer some of them."""
        rows = {name: view[some] for name, view in self.rows.items()}
        return Crowd(self.users[some], rows, self.people[some], self.as_of)


def crowd_of(history: History, as_of: int, told: Told, labelled: Sequence[str] = ()) -> Crowd:
    """Answer everyone who has an event before `as_of`, in the log's order, then who is labelled.

    Raises ScientistError when that is nobody.
    """
    users = np.array([name[0] == "u" for name in history.entities], np.bool_)
    replayed = history.replay(views_named(VIEWS), [as_of])
    names = [history.entities[one][1:] for one in replayed.entity]
    kept = np.flatnonzero(
        users[replayed.entity] & np.array([name not in told.refused for name in names], np.bool_)
    )
    found = [names[place] for place in kept]
    more = sorted(set(labelled) - set(names) - told.refused)
    if not found and not more:
        raise ScientistError(
            "the log holds no user with an event before as_of"
            + (f" who may be asked about: {len(told.refused):,} refused" if told.refused else "")
        )
    nobody = np.full(len(more), -1, np.int64)
    blank = history.replay_at(views_named(VIEWS), nobody, as_of).views
    rows = {
        name: np.concatenate([view[kept], blank[name]]) for name, view in replayed.views.items()
    }
    both = [*found, *more]
    return Crowd(both, rows, [told.people.get(user, {}) for user in both], as_of)


def chosen_bundle(family: Path, version: str | None) -> Bundle:
    """Answer the bundle to score with; raises OperatorError when there is none."""
    pointer = read_pointer(family) or read_pointer(family, CHALLENGER)
    if version is None and pointer is None:
        name = family.name
        raise OperatorError(f"no {name} model yet: run `python -m training fit {name}` first")
    name = version or (pointer.version if pointer is not None else "")
    return open_bundle(family / name)


def moment_of(text: str | None, now_ms: int) -> int | None:
    """Answer the time of --as-of in ms UTC, None where it is not given.

    Raises ScientistError for a time that cannot be read or lies in the future.
    """
    try:
        at = None if text is None else parse_at(text, now_ms)
    except (CallerError, OverflowError) as error:
        raise ScientistError(f"--as-of: {error}") from error
    if at is not None and at > now_ms:
        raise ScientistError("--as-of lies in the future")
    return at


def write_scores(frame: pl.DataFrame, bundle: Bundle, out: Path) -> None:
    """Write scores with the model that gave them; the file appears whole or not at all.

    Raises ScientistError where it cannot be written.
    """
    fresh = out.with_name(out.name + ".tmp")
    try:
        frame.with_columns(
            pl.lit(bundle.version).alias("model"), pl.lit(None, pl.String).alias("fallback")
        ).write_parquet(fresh, compression="zstd")
        os.replace(fresh, out)
    except OSError as error:
        raise ScientistError(f"--out cannot be written: {error.strerror or error}") from error


def score_everyone(
    family: str,
    scored: Callable[[Crowd, Any], pl.DataFrame],
    out: Path,
    as_of: str | None,
    version: str | None,
) -> pl.DataFrame:
    """Score everyone in the deployment's log with its model of a family; answer the rows.

    scored: (crowd, model) → one row a user. Raises ScientistError for a time that makes no sense
    or nobody to score, OperatorError without a model, and what opening the store raises.
    """
    now = system_clock()
    at = moment_of(as_of, now)
    desk = desk_from_env()
    bundle = chosen_bundle(desk.family(family), version)
    model = load_scorer(bundle)
    fit = bundle.manifest.settings.get("fit", {})
    history = desk.log(fit).history
    # Without an event nothing but attributes is known, and those are of now.
    end = int(history.records["at"].max()) + 1 if history.events else now
    when = end if at is None else at
    name = str(fit.get("label_set", ""))
    labelled = load_labels(desk.home.root, name)[0]["user"].unique().to_list() if name else []
    users = [one[1:] for one in history.entities if one[0] == "u"]
    told = told_from_env(list(dict.fromkeys([*users, *labelled])))
    frame = scored(crowd_of(history, when, told, labelled), model)
    frame = frame.with_columns(pl.lit(when).alias("as_of"))
    write_scores(frame, bundle, out)
    if told.refused:
        print(f"{len(told.refused):,} users refused and were left out", file=sys.stderr)
    return frame
