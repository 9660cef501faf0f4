"""A trial from a table: CSV or Parquet, one row a person.

Knows nothing of the event log.
"""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import file_digest
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from domain.errors import ScientistError, TooLittleData
from domain.ids import hash64
from models.churn.attributes import number, word
from training.fit.churn.table import attributes_of
from training.fit.uplift.settings import UpliftSettings
from training.fit.uplift.trial import Flags, Trial, even_chances

TREATED = frozenset({"1", "true", "yes", "treated", "treatment", "contact", "contacted"})
CONTROL = frozenset({"0", "false", "no", "control", "holdout", "none", "wait", "untreated"})


def read_table(path: Path) -> pl.DataFrame:
    """Read a trial's table, a CSV as plain text. Raises ScientistError when it cannot be read."""
    try:
        if path.suffix in (".parquet", ".pq"):
            return pl.read_parquet(path)
        return pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ScientistError(
            f"the table {path.name} cannot be read as CSV or Parquet ({type(error).__name__})"
        ) from error


def digest_of(path: Path) -> str:
    """Answer the SHA-256 of a file. Raises ScientistError when it is not there."""
    try:
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ScientistError(f"the table {path.name} cannot be read") from error


def arms_of(
    words: Sequence[Any], treated: Sequence[str], control: Sequence[str]
) -> tuple[Flags, Flags]:
    """Answer which rows were contacted, and which belong to either arm; bool[n] each.

    Named words decide where there are any, and rows with others are left out; else the usual
    words, and another is refused. Raises ScientistError, showing the word.
    """
    usual = not treated and not control
    if not usual and not (treated and control):
        raise ScientistError("name the words of both arms in `treated` and in `control`")
    names = [(word(value) or "").strip() for value in words]
    yes = TREATED if usual else frozenset(treated)
    no = CONTROL if usual else frozenset(control)
    plain = [name.lower() if usual else name for name in names]
    contacted = np.array([name in yes for name in plain], np.bool_)
    known = contacted | np.array([name in no for name in plain], np.bool_)
    if usual and not known.all():
        odd = names[int(np.flatnonzero(~known)[0])]
        raise ScientistError(
            f"{odd[:40]!r} says neither contacted nor left alone; name the words of the arms in "
            "the settings treated and control"
        )
    return contacted, known


def _numbers(frame: pl.DataFrame, column: str) -> np.ndarray:
    return np.array([number(value) for value in frame[column].to_list()], np.float64)


def outcome_of(values: Sequence[Any], bad: bool) -> np.ndarray:
    """Answer float64[n], 1 for the good outcome. Raises ScientistError for neither 0 nor 1."""
    table = {"true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0}
    out = np.array(
        [
            table.get(str(value).strip().lower(), number(value)) if value is not None else np.nan
            for value in values
        ]
    )
    wrong = ~np.isin(out, (0.0, 1.0))
    if wrong.any():
        raise ScientistError(
            f"{int(wrong.sum()):,} outcomes are neither 0 nor 1 (yes, no, true, false): leave "
            "out people whose outcome is not known yet"
        )
    return 1 - out if bad else out


def trial_from_table(frame: pl.DataFrame, settings: UpliftSettings) -> Trial:
    """Answer the trial of a table. Raises ScientistError and TooLittleData, saying what is wrong.

    Without a column of propensities the share contacted is everyone's chance, which the check of
    balance then doubts.
    """
    named = [settings.treatment, settings.outcome]
    named += [name for name in (settings.propensity, settings.user) if name]
    missing = [name for name in [*named, *settings.drop] if name not in frame.columns]
    if missing:
        raise ScientistError(
            f"the table has no column {', '.join(missing)}; it has {', '.join(frame.columns[:30])}"
        )
    if not frame.height:
        raise TooLittleData("the table has no row")
    treated, known = arms_of(
        frame[settings.treatment].to_list(), settings.treated, settings.control
    )
    outcome = outcome_of(frame[settings.outcome].to_list(), settings.bad_outcome)
    users = frame[settings.user].to_list() if settings.user else list(range(frame.height))
    if len(set(users)) != len(users):
        raise ScientistError("a person stands in the table twice; one row a person is wanted")
    people = frame.drop([*named, *settings.drop]).to_dicts()
    attributes = attributes_of(people)
    if not attributes.names():
        raise TooLittleData("the table has no attribute that varies: nobody can be told apart")
    chances = _numbers(frame, settings.propensity) if settings.propensity else None
    trial = Trial(
        x=attributes.encode(people),
        names=attributes.names(),
        treated=treated,
        outcome=outcome,
        propensity=np.full(len(treated), 0.5) if chances is None else chances,
        keys=np.array([hash64(str(user)) for user in users], np.uint64),
        logged=chances is not None,
        attributes=attributes,
    ).take(known)
    if chances is not None or not len(trial):
        return trial
    return replace(trial, propensity=even_chances(trial.treated))
