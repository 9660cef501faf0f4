"""The fit of uplift: prove the lot, choose a learner, calibrate, judge held-out people, learn all.

The learner with the highest Qini coefficient among scores of people nobody learned from is taken;
the held-out people see nothing but the end. Knows nothing of tracking, release or bundles' files.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student
from tqdm import tqdm

from models.bundle import Golden, Metric
from models.uplift.action import Action, Terms, actions_of
from models.uplift.halves import Halves
from models.uplift.model import UpliftModel
from training.evaluate.qini import (
    Curve,
    gain_curve,
    qini,
    qini_difference,
    saved,
    seen_effects,
)
from training.fit.uplift.balance import Balance, check_enough, check_random, without_certain
from training.fit.uplift.calibrating import calibration_p, fit_line
from training.fit.uplift.crossing import cross
from training.fit.uplift.learners import Hands, Recipe, outcome_alone, pseudo_outcomes
from training.fit.uplift.settings import UpliftSettings
from training.fit.uplift.trial import Trial, held_out

F64 = npt.NDArray[np.float64]
Progress = Callable[..., Any]
REACH = 0.2
GOLDEN_ROWS = 20
GOLDEN_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Judged:
    """m held-out people: effects seen of them, foretold, with their interval, and the scores of
    rivals, float64[m] each. keys: who they are."""

    keys: npt.NDArray[np.uint64]
    seen: F64
    effect: F64
    low: F64
    high: F64
    rivals: dict[str, F64]


@dataclass(frozen=True)
class Fitted:
    """What a fit gives. found: what was chosen, every trial on the way, the proof of the lot."""

    model: UpliftModel
    metrics: dict[str, Metric]
    found: dict[str, Any]
    golden: Golden
    split: dict[str, Any]
    judged: Judged
    plots: dict[str, dict[str, Any]] = field(default_factory=dict)


def choose(
    trial: Trial, settings: UpliftSettings, done: Callable[[int], object] = lambda _: None
) -> tuple[Recipe, list[dict[str, Any]]]:
    """Answer the recipe with the highest coefficient out of halves, and all that were tried."""
    hands = Hands(settings.seed, settings.threads)
    seen = pseudo_outcomes(trial, hands)
    tried: list[dict[str, Any]] = []
    best, most = Recipe(settings.learners[0], settings.leaves[0], settings.trees[0]), -np.inf
    for learner in settings.learners:
        for leaves in settings.leaves:
            recipe = Recipe(learner, leaves, max(settings.trees))
            crossed = cross(trial, recipe, settings.trees, settings.choosing, hands, done)
            for trees, score in zip(sorted(settings.trees), crossed.scores, strict=True):
                found = qini(score, seen, rounds=settings.rounds, seed=settings.seed)
                tried.append({**recipe._replace(trees=trees)._asdict(), "qini": list(found)})
                if found.value > most:
                    best, most = recipe._replace(trees=trees), found.value
    return best, tried


def learn(
    trial: Trial,
    recipe: Recipe,
    settings: UpliftSettings,
    done: Callable[[int], object] = lambda _: None,
) -> UpliftModel:
    """Learn halves by the recipe and lay their scores on a line."""
    hands = Hands(settings.seed, settings.threads)
    crossed = cross(trial, recipe, [recipe.trees], settings.repeats, hands, done)
    line = fit_line(crossed.scores[0], pseudo_outcomes(trial, hands))
    return UpliftModel(
        halves=Halves.of(crossed.forests),
        line=line,
        deviations=float(student.ppf(0.975, 2 * settings.repeats - 1)),
        definition=definition_of(settings),
        terms=Terms(settings.value, settings.cost).checked(),
        attributes=trial.attributes,
        events=trial.events,
    )


def definition_of(settings: UpliftSettings) -> dict[str, Any]:
    """Answer what was dealt and what counted as good, for the manifest and every answer."""
    if settings.table:
        turned = " (turned: 1 is bad)" if settings.bad_outcome else ""
        return {"treatment": settings.treatment, "outcome": settings.outcome + turned}
    good = "active again" if settings.definition == "inactivity" else "term kept"
    return {
        "treatment": settings.campaign or settings.decisions,
        "outcome": good,
        "definition": settings.definition,
        "kinds": list(settings.kinds),
        "horizon_days": settings.horizon_days,
    }


def judge(
    train: Trial,
    test: Trial,
    recipe: Recipe,
    settings: UpliftSettings,
    done: Callable[[int], object] = lambda _: None,
) -> Judged:
    """Learn from some people, answer for others; beside it the order by risk when left alone."""
    model = learn(train, recipe, settings, done)
    found = model.effects(test.x)
    risk = -outcome_alone(train, test.x, Hands(settings.seed, settings.threads))
    seen = seen_effects(test.treated, test.outcome, test.propensity)
    return Judged(test.keys, seen, *found, {"risk": risk, "random": np.zeros(len(test))})


def metrics_of(judged: Judged, settings: UpliftSettings) -> dict[str, Metric]:
    """Answer the figures of the held-out people; the coefficient and what REACH of them saves."""
    drawn: dict[str, Any] = {"rounds": settings.rounds, "seed": settings.seed}
    score, seen = judged.effect, judged.seen
    out = {
        "qini": qini(score, seen, **drawn),
        "saved_at_20": saved(score, seen, REACH, **drawn),
    }
    for name, rival in judged.rivals.items():
        out[f"{name}_saved_at_20"] = saved(rival, seen, REACH, **drawn)
        if name != "random":
            out[f"{name}_qini"] = qini(rival, seen, **drawn)
            out[f"gain_over_{name}"] = qini_difference(score, rival, seen, **drawn)
    error = 1.96 * float(seen.std()) / np.sqrt(len(seen))
    mean = float(seen.mean())
    out["mean_effect"] = Metric(mean, mean - error, mean + error)
    done = actions_of(judged.low, judged.high, settings.value, settings.cost)
    shares = {f"{action.value}_share": float((done == n).mean()) for n, action in enumerate(Action)}
    shares["calibration_p"] = calibration_p(judged.effect, seen)
    return out | {name: Metric(one, one, one) for name, one in shares.items() if one == one}


def fit_trial(trial: Trial, settings: UpliftSettings, progress: Progress = tqdm) -> Fitted:
    """Fit uplift on a trial. progress: called as tqdm is.

    Raises TooLittleData when an arm or an outcome is too rare, and ScientistError when contact
    was not dealt by lot or by the chances that were logged.
    """
    hands = Hands(settings.seed, settings.threads)
    # As the model will read them: what is no finite number is missing.
    trial = replace(without_certain(trial), x=np.where(np.isinf(trial.x), np.nan, trial.x))
    check_enough(trial)
    balance = check_random(trial, hands)
    apart = held_out(trial.keys, settings.test_share, settings.seed)
    train, test = trial.take(~apart), trial.take(apart)
    for part in (train, test):
        check_enough(part)
    candidates = len(settings.learners) * len(settings.leaves) * settings.choosing
    with progress(desc="uplift", unit="half", total=2 * candidates + 4 * settings.repeats) as bar:
        recipe, tried = choose(train, settings, bar.update)
        judged = judge(train, test, recipe, settings, bar.update)
        model = learn(trial, recipe, settings, bar.update)
    curve = gain_curve(judged.effect, judged.seen, seed=settings.seed)
    return Fitted(
        model=model,
        metrics=metrics_of(judged, settings),
        found={**recipe._asdict(), "trials": tried, "slope": model.line.slope, **told(balance)},
        golden=golden_rows(model, trial.x, settings.seed),
        split={
            "kind": "people, by a hash of who they are",
            "rows": len(trial),
            "test_rows": len(test),
            "contacted": int(trial.treated.sum()),
            "propensities": "logged" if trial.logged else "the share contacted",
        },
        judged=judged,
        plots={"qini": chart_of(curve, judged), "learners": _chart_of_learners(tried)},
    )


def told(balance: Balance) -> dict[str, Any]:
    """Answer the proof of the lot as JSON values."""
    return {
        "balance_p": balance.p,
        "balance_omnibus_p": balance.omnibus,
        "balance_learned_p": balance.learned,
    }


def chart_of(curve: Curve, judged: Judged) -> dict[str, Any]:
    """Answer the chart of the gain curve beside the order by risk and contacting at random."""
    risk = gain_curve(judged.rivals["risk"], judged.seen, rounds=2)
    return {
        "title": "Good outcomes a head gained by contacting the first of the order",
        "labels": curve.reach.tolist(),
        "lines": {
            "uplift": curve.gain.tolist(),
            "risk": risk.gain.tolist(),
            "at random": (curve.reach * curve.gain[-1]).tolist(),
        },
        "low": curve.low.tolist(),
        "high": curve.high.tolist(),
    }


def _chart_of_learners(tried: list[dict[str, Any]]) -> dict[str, Any]:
    best = {
        name: max((one for one in tried if one["learner"] == name), key=lambda one: one["qini"][0])
        for name in dict.fromkeys(one["learner"] for one in tried)
    }
    rows = sorted(best.items(), key=lambda pair: -pair[1]["qini"][0])
    return {
        "title": "Qini coefficient out of halves, each learner at its best",
        "labels": [name for name, _ in rows],
        "values": [one["qini"][0] for _, one in rows],
        "low": [one["qini"][1] for _, one in rows],
        "high": [one["qini"][2] for _, one in rows],
    }


def golden_rows(model: UpliftModel, x: F64, seed: int) -> Golden:
    """Answer what the model says of some real rows and of one that is all missing, without ids."""
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(x), min(GOLDEN_ROWS, len(x)), replace=False)
    rows = [[None if value != value else float(value) for value in x[place]] for place in chosen]
    rows.append([None] * x.shape[1])
    answers = [{"input": {"features": row}, "output": model.answer({"features": row})}
               for row in rows]  # fmt: skip
    return Golden(answers, GOLDEN_TOLERANCE)
