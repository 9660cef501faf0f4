"""Judging churn at a cut-off: learned from labels known by then, asked about what came after.

Everything that is tuned is tuned on folds of the rows learned from. Knows nothing of bundles.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from feature_store.history import History
from models.btyd.features import Prospects
from training.baselines import baselines
from training.fit.churn.checks import check_labels, check_leaks_by_cutoff
from training.fit.churn.folds import Fold, purged, tuning_folds
from training.fit.churn.learner import Learned, Tuned, calibrate, learn, tune
from training.fit.churn.settings import ChurnSettings
from training.fit.churn.table import Table, fit_prospects

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
NONE = np.zeros(0, np.int64)


@dataclass(frozen=True)
class Judged:
    """m test rows. scores: "model" and each baseline → float64[m]. seen: bool[m], whether the
    customer was learned from."""

    y: npt.NDArray[np.uint8]
    owner: I64
    as_of: I64
    seen: npt.NDArray[np.bool_]
    scores: dict[str, F64]
    tuned: Tuned

    @classmethod
    def joined(cls, parts: Sequence["Judged"]) -> "Judged":
        """Pool the rows of several tests."""
        names = [name for name in parts[0].scores if all(name in p.scores for p in parts)]
        return cls(
            np.concatenate([part.y for part in parts]),
            np.concatenate([part.owner for part in parts]),
            np.concatenate([part.as_of for part in parts]),
            np.concatenate([part.seen for part in parts]),
            {name: np.concatenate([part.scores[name] for part in parts]) for name in names},
            parts[-1].tuned,
        )


def prospects_for(
    history: History | None, table: Table, rows: npt.NDArray[np.bool_], settings: ChurnSettings
) -> Prospects | None:
    """Fit buy-till-you-die numbers on orders before the last cut-off learned from."""
    if history is None or not table.views or settings.definition != "inactivity":
        return None
    cut = int(table.as_of[rows].max())
    return fit_prospects(history, cut, settings.btyd, settings.meaning())


def learn_from(
    x: F64, table: Table, rows: I64, settings: ChurnSettings, optional: I64 = NONE
) -> tuple[Learned, Tuned, list[Fold], str]:
    """Tune and learn from the rows; answer also the folds (places within `rows`) and their kind.

    optional: places of columns that tuning may leave out.
    """
    rng = np.random.default_rng(settings.seed)
    y = table.y[rows]
    folds, kind = tuning_folds(
        table.as_of[rows], table.owner[rows], y, table.window_ms, settings.folds, rng
    )
    tuned = tune(x[rows], y, folds, settings, optional)
    tuned = calibrate(x[rows], y, table.owner[rows], tuned, settings)
    return learn(x[rows], y, tuned, settings), tuned, folds, kind


def judge_rows(
    x: F64,
    table: Table,
    train: I64,
    test: I64,
    names: Sequence[str],
    settings: ChurnSettings,
    *,
    optional: I64 = NONE,
) -> Judged:
    """Learn from some rows, answer for others. Raises TooLittleData and ScientistError."""
    y = table.y[train]
    check_labels(y, table.owner[train], "to learn from")
    check_leaks_by_cutoff(x[train], y, table.as_of[train], names, settings.allowed_leaks)
    learned, tuned, _, _ = learn_from(x, table, train, settings, optional)
    scores = {"model": learned.probability(x[test])}
    scores |= baselines(x[train], y, x[test], names, learned)
    seen = np.isin(table.owner[test], table.owner[train])
    return Judged(table.y[test], table.owner[test], table.as_of[test], seen, scores, tuned)


def judge_cutoff(
    history: History | None, table: Table, cutoff: int, settings: ChurnSettings
) -> Judged:
    """Judge at one cut-off (ms UTC), learning only from labels known by it."""
    known = purged(table.as_of, cutoff, table.window_ms)
    check_labels(table.y[known], table.owner[known], "before the first test cut-off")
    prospects = prospects_for(history, table, known, settings)
    x = table.x(prospects)
    test = np.flatnonzero(table.as_of == cutoff)
    names, optional = table.names(prospects), table.optional(prospects)
    train = np.flatnonzero(known)
    return judge_rows(x, table, train, test, names, settings, optional=optional)
