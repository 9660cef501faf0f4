"""S-, T-, X- and DR-learners of effects, on small regularised trees with squared loss.

S: one booster with contact as a column; the effect is what the column adds.
T: a booster of each arm; the effect is their difference.
X: what each arm would have got from the other's booster, imputed and learned (Künzel, Sekhon,
   Bickel and Yu, 2019).
DR: the doubly robust pseudo-outcome, from boosters that have not seen the row (Kennedy, 2023).

Every effect comes as rounds of trees (see steps). Knows nothing of choosing between them.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from training.fit.uplift.steps import Step, added, contrast, steps_of
from training.fit.uplift.trial import Trial, halves

F64 = npt.NDArray[np.float64]
_NUISANCE_LEAVES = 8
_NUISANCE_TREES = 100


class Recipe(NamedTuple):
    """Which learner, with how many leaves a tree, and rounds of boosting."""

    learner: str
    leaves: int
    trees: int


class Hands(NamedTuple):
    """What the work is done with: seed and threads."""

    seed: int = 0
    threads: int = 1


def boost(x: F64, y: F64, weight: F64 | None, recipe: Recipe, hands: Hands) -> lgb.Booster:
    """Boost float64[n, f] against numbers with squared loss; least rows a leaf grow with n."""
    params: dict[str, Any] = {
        "objective": "regression",
        "num_leaves": recipe.leaves,
        "learning_rate": 0.05,
        "min_data_in_leaf": int(np.clip(len(x) // 100, 20, 400)),
        "lambda_l2": 5.0,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "feature_fraction": 0.6,
        "seed": hands.seed,
        "num_threads": hands.threads,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }
    data = lgb.Dataset(x, y, weight=weight)
    return lgb.train(params, data, recipe.trees)


def _nuisance(x: F64, y: F64, weight: F64 | None, hands: Hands) -> lgb.Booster:
    return boost(x, y, weight, Recipe("", _NUISANCE_LEAVES, _NUISANCE_TREES), hands)


def _weights(trial: Trial) -> F64 | None:
    """Answer the inverse chances of what was dealt, where chances differ; None in a plain trial."""
    if not trial.logged:
        return None
    dealt = np.where(trial.treated, trial.propensity, 1 - trial.propensity)
    return 1 / dealt


def _of(weight: F64 | None, rows: npt.NDArray[np.bool_]) -> F64 | None:
    return None if weight is None else weight[rows]


def s_learner(trial: Trial, recipe: Recipe, hands: Hands) -> list[Step]:
    """Learn one booster with contact as the last column."""
    wide = np.column_stack([trial.x, trial.treated.astype(np.float64)])
    booster = boost(wide, trial.outcome, _weights(trial), recipe, hands)
    return contrast(booster.dump_model(), trial.x.shape[1])


def t_learner(trial: Trial, recipe: Recipe, hands: Hands) -> list[Step]:
    """Learn each arm by itself."""
    weight, w = _weights(trial), trial.treated
    parts: list[list[Step]] = []
    for arm, sign in ((w, 1.0), (~w, -1.0)):
        booster = boost(trial.x[arm], trial.outcome[arm], _of(weight, arm), recipe, hands)
        parts.append(steps_of(booster.dump_model(), sign))
    return added(*parts)


def x_learner(trial: Trial, recipe: Recipe, hands: Hands) -> list[Step]:
    """Learn imputed effects of each arm and add them, weighted by the share contacted."""
    weight, w, x, y = _weights(trial), trial.treated, trial.x, trial.outcome
    with_, without = (_nuisance(x[arm], y[arm], _of(weight, arm), hands) for arm in (w, ~w))
    share = float(w.mean())
    parts: list[list[Step]] = []
    for arm, gained, part in (
        (w, y[w] - _predicted(without, x[w]), 1 - share),
        (~w, _predicted(with_, x[~w]) - y[~w], share),
    ):
        booster = boost(x[arm], gained, _of(weight, arm), recipe, hands)
        parts.append(steps_of(booster.dump_model(), part))
    return added(*parts)


def dr_learner(trial: Trial, recipe: Recipe, hands: Hands) -> list[Step]:
    """Learn the doubly robust pseudo-outcome."""
    booster = boost(trial.x, pseudo_outcomes(trial, hands), None, recipe, hands)
    return steps_of(booster.dump_model())


def pseudo_outcomes(trial: Trial, hands: Hands) -> F64:
    """Answer float64[n] whose mean, given the attributes, is the effect, if the chances are right.

    What both arms' boosters of the other half say, corrected by what was seen, over its chance.
    """
    weight, w, x, y = _weights(trial), trial.treated, trial.x, trial.outcome
    mine = halves(w, y, np.random.default_rng(hands.seed))
    means = np.empty((2, len(trial)))
    for asked in (mine, ~mine):
        for arm in (0, 1):
            known = ~asked & (w == bool(arm))
            booster = _nuisance(x[known], y[known], _of(weight, known), hands)
            means[arm, asked] = _predicted(booster, x[asked])
    return corrected(trial, means[1], means[0])


def corrected(trial: Trial, with_: F64, without: F64) -> F64:
    """Answer the doubly robust pseudo-outcome of expected outcomes with and without contact."""
    w, y, e = trial.treated, trial.outcome, trial.propensity
    return with_ - without + np.where(w, (y - with_) / e, -(y - without) / (1 - e))


def outcome_alone(trial: Trial, x: F64, hands: Hands) -> F64:
    """Answer float64[m], the expected outcome when left alone, of other rows float64[m, f]."""
    alone = ~trial.treated
    booster = _nuisance(trial.x[alone], trial.outcome[alone], _of(_weights(trial), alone), hands)
    return _predicted(booster, x)


def _predicted(booster: lgb.Booster, x: F64) -> F64:
    return np.asarray(booster.predict(x, num_threads=1), np.float64)


LEARNERS: dict[str, Callable[[Trial, Recipe, Hands], list[Step]]] = {
    "s": s_learner,
    "t": t_learner,
    "x": x_learner,
    "dr": dr_learner,
}
"""Learner → rounds of trees whose sum is the effect. A new learner adds its line here."""
