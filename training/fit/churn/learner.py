"""Learning a churn scorer from a table: tune on folds, choose the blend, calibrate, learn again.

Knows nothing of where rows come from or of the rows that test it.
"""

from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from models.calibration import Calibration, Uncalibrated, sigmoid
from models.churn.linear import Linear
from models.forest.forest import Forest
from training.evaluate.probabilities import losses
from training.fit.calibration import choose_calibration
from training.fit.churn.folds import Fold, customer_folds
from training.fit.churn.linear import fit_linear
from training.fit.churn.settings import ChurnSettings
from training.fit.churn.trees import boost, forest_of

F64 = npt.NDArray[np.float64]
Labels = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]
NONE = np.zeros(0, np.int64)
BLENDS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Shares of the linear part that are tried."""


class Recipe(NamedTuple):
    """What tuning chose."""

    leaves: int
    trees: int
    penalty: float
    blend: float


@dataclass(frozen=True)
class Tuned:
    """A recipe, the calibration chosen out of fold, the places of columns that did not help, and
    every trial on the way."""

    recipe: Recipe
    calibration: Calibration = field(default_factory=Uncalibrated)
    calibration_name: str = "none"
    left_out: tuple[int, ...] = ()
    trials: list[dict[str, Any]] = field(default_factory=list)


class Learned(NamedTuple):
    """The two parts and how they are joined. left_out: places of columns that neither reads."""

    forest: Forest
    linear: Linear
    blend: float
    calibration: Calibration
    left_out: tuple[int, ...] = ()

    def own(self, x: F64) -> F64:
        """Answer the columns that the parts read, of all that were offered."""
        return np.delete(x, self.left_out, axis=1) if self.left_out else x

    def log_odds(self, x: F64) -> F64:
        """Answer the joined log-odds before calibration; x: every column that was offered."""
        own = self.own(x)
        return (1 - self.blend) * self.forest.raw(own) + self.blend * self.linear.raw(own)

    def probability(self, x: F64) -> F64:
        """Answer the calibrated probability."""
        return self.calibration.apply(sigmoid(self.log_odds(x)))


def _mean_loss(y: Labels, folds: list[Fold], odds: list[F64]) -> float:
    """Answer the mean over folds of the mean log-loss: each fold weighs the same."""
    return float(
        np.mean(
            [losses(y[fold.valid], sigmoid(o)).mean() for fold, o in zip(folds, odds, strict=True)]
        )
    )


def tune(
    x: F64, y: Labels, folds: list[Fold], settings: ChurnSettings, optional: Places = NONE
) -> Tuned:
    """Choose with or without the `optional` columns, and trees, ridge and blend, by log-loss.

    They are left out unless they are better by more than one standard error over judged rows.
    """
    left_out = tuple(optional.tolist())
    recipe, odds, trials = tune_parts(np.delete(x, left_out, axis=1), y, folds, settings)
    if not left_out:
        return Tuned(recipe, trials=trials)
    heard, more_odds, more = tune_parts(x, y, folds, settings)
    told = [{**one, "optional": False} for one in trials]
    told += [{**one, "optional": True} for one in more]
    labels = np.concatenate([y[fold.valid] for fold in folds])
    lost, kept = (losses(labels, sigmoid(np.concatenate(one))) for one in (odds, more_odds))
    gain = lost - kept
    if gain.mean() > gain.std() / np.sqrt(len(gain)):
        return Tuned(heard, trials=told)
    return Tuned(recipe, left_out=left_out, trials=told)


def tune_parts(
    x: F64, y: Labels, folds: list[Fold], settings: ChurnSettings
) -> tuple[Recipe, list[F64], list[dict[str, Any]]]:
    """Choose trees, then the ridge, then the blend, by log-loss.

    Answers also the log-odds of each fold's judged rows, and every trial.

    Ties go to what was tried first: fewer leaves, fewer trees, the stronger ridge.
    """
    trials: list[dict[str, Any]] = []
    seed, threads = settings.seed, settings.threads
    best_trees: tuple[float, int, int, list[F64]] | None = None
    most = max(settings.trees)
    for leaves in sorted(settings.leaves):
        boosters = [
            boost(x[f.train], y[f.train], leaves, most, seed=seed, threads=threads) for f in folds
        ]
        for trees in sorted(settings.trees):
            odds = [
                np.asarray(b.predict(x[f.valid], num_iteration=trees, raw_score=True))
                for b, f in zip(boosters, folds, strict=True)
            ]
            loss = _mean_loss(y, folds, odds)
            trials.append({"leaves": leaves, "trees": trees, "log_loss": loss})
            if best_trees is None or loss < best_trees[0] - 1e-6:
                best_trees = (loss, leaves, trees, odds)
    best_line: tuple[float, float, list[F64]] | None = None
    for penalty in sorted(settings.penalties):
        odds = [fit_linear(x[f.train], y[f.train], penalty).raw(x[f.valid]) for f in folds]
        loss = _mean_loss(y, folds, odds)
        trials.append({"penalty": penalty, "log_loss": loss})
        if best_line is None or loss < best_line[0] - 1e-6:
            best_line = (loss, penalty, odds)
    assert best_trees is not None
    assert best_line is not None
    best: tuple[float, float, list[F64]] | None = None
    for blend in BLENDS:
        odds = [
            (1 - blend) * a + blend * b for a, b in zip(best_trees[3], best_line[2], strict=True)
        ]
        loss = _mean_loss(y, folds, odds)
        trials.append({"blend": blend, "log_loss": loss})
        if best is None or loss < best[0] - 1e-6:
            best = (loss, blend, odds)
    assert best is not None
    return Recipe(best_trees[1], best_trees[2], best_line[1], best[1]), best[2], trials


def calibrate(
    x: F64, y: Labels, owner: npt.NDArray[np.int64], tuned: Tuned, settings: ChurnSettings
) -> Tuned:
    """Choose the calibration on customers that the parts were not learned from.

    Folds are of customers, not of time: a few cut-offs share one season, and a calibration
    learned from their drift would carry that season into every other.
    """
    rng = np.random.default_rng(settings.seed)
    folds = customer_folds(owner, y, settings.folds, rng)
    out, number = np.empty(len(y)), np.empty(len(y), np.int64)
    for place, fold in enumerate(folds):
        part = learn(x[fold.train], y[fold.train], tuned, settings)
        out[fold.valid], number[fold.valid] = part.log_odds(x[fold.valid]), place
    chosen = choose_calibration(sigmoid(out), y, number, owner)
    told = [{"calibration": name, "log_loss": loss} for name, loss in chosen.log_loss.items()]
    return replace(
        tuned,
        calibration=chosen.calibration,
        calibration_name=chosen.name,
        trials=[*tuned.trials, *told],
    )


def learn(x: F64, y: Labels, tuned: Tuned, settings: ChurnSettings) -> Learned:
    """Learn both parts from all rows with the tuned recipe."""
    leaves, trees, penalty, blend = tuned.recipe
    x = np.delete(x, tuned.left_out, axis=1) if tuned.left_out else x
    booster = boost(x, y, leaves, trees, seed=settings.seed, threads=settings.threads)
    linear = fit_linear(x, y, penalty)
    forest = forest_of(booster, trees)
    return Learned(forest, linear, blend, tuned.calibration, tuned.left_out)
