"""Whom contact saves, on a simulated trial whose effects are known. Every figure is simulated.

A trial of 60,000 customers is parted in halves; the learner is chosen, calibrated and learned on
one, and its order of the other is held against the order by the true effects, by the true risk,
and by lot. A share is of what the oracle saves with the same reach. Knows nothing of real people.
"""

import numpy as np
import polars as pl

from benchmarks.harness import Arguments, Outcome, at_least
from training.datasets.synthetic.trial import SimulatedTrial, simulate_trial
from training.evaluate.qini import qini, saved
from training.fit.churn.table import attributes_of
from training.fit.uplift.run import REACH, Judged, choose, judge
from training.fit.uplift.settings import UpliftSettings
from training.fit.uplift.trial import Trial

CUSTOMERS = 60_000
SEED = 3
Figures = dict[str, float]


def trial_of(simulated: SimulatedTrial) -> Trial:
    """Answer a simulated trial as learners take it: without effects and risks."""
    people = pl.DataFrame(simulated.people).to_dicts()
    attributes = attributes_of(people)
    return Trial(
        x=attributes.encode(people),
        names=attributes.names(),
        treated=simulated.treated,
        outcome=simulated.stayed.astype(np.float64),
        propensity=simulated.propensity,
        keys=np.arange(len(simulated), dtype=np.uint64),
        attributes=attributes,
    )


def _shares(judged: Judged, effect: np.ndarray, risk: np.ndarray, rounds: int) -> Figures:
    """Answer the shares of the oracle, and the interval of ours less that of the risk."""
    oracle = saved(effect, effect, REACH, rounds=0).value
    scores = {
        "oracle_share": judged.effect,
        "risk_share": risk,
        "random_share": np.zeros(len(risk)),
    }
    out = {
        name: saved(score, effect, REACH, rounds=0).value / oracle for name, score in scores.items()
    }
    rng = np.random.default_rng(0)
    drawn: dict[str, list[float]] = {"oracle_share": [], "gain_over_risk": []}
    for _ in range(rounds):
        rows = rng.integers(0, len(effect), len(effect))
        best, ours, theirs = (
            saved(score[rows], effect[rows], REACH, rounds=0).value
            for score in (effect, judged.effect, risk)
        )
        drawn["oracle_share"].append(ours / best)
        drawn["gain_over_risk"].append((ours - theirs) / best)
    out["gain_over_risk"] = out["oracle_share"] - out["risk_share"]
    for name, values in drawn.items():
        low, high = np.quantile(values, (0.025, 0.975))
        out |= {f"{name}_low": float(low), f"{name}_high": float(high)}
    return out


def figures_of(customers: int, seed: int, settings: UpliftSettings) -> tuple[Figures, list[str]]:
    """Measure one simulated trial; answer its figures and what was chosen."""
    simulated = simulate_trial(customers, np.random.default_rng(seed))
    trial = trial_of(simulated)
    test = np.arange(customers) % 2 == 1
    recipe, tried = choose(trial.take(~test), settings)
    judged = judge(trial.take(~test), trial.take(test), recipe, settings)
    effect, risk = simulated.effect[test], simulated.risk[test]
    figures = _shares(judged, effect, risk, settings.rounds)
    found = qini(judged.effect, judged.seen, rounds=settings.rounds)
    figures |= {"qini": found.value, "qini_low": found.low, "qini_high": found.high}
    figures["true_qini"] = qini(judged.effect, effect, rounds=1).value
    figures["oracle_qini"] = qini(effect, effect, rounds=1).value
    inside = (judged.low <= effect) & (effect <= judged.high)
    figures["coverage"] = float(inside.mean())
    figures["mean_width"] = float((judged.high - judged.low).mean())
    for name, chosen, right in (
        ("contact", judged.low > 0, effect > 0),
        ("leave_alone", judged.high < 0, effect < 0),
    ):
        figures[f"{name}_share"] = float(chosen.mean())
        figures[f"{name}_right"] = float(right[chosen].mean()) if chosen.any() else float("nan")
    best = {one["learner"]: max(two["qini"][0] for two in tried if two["learner"] == one["learner"])
            for one in tried}  # fmt: skip
    notes = [f"simulated: {recipe}", *(f"out of halves, {k}: {v:.5f}" for k, v in best.items())]
    return figures, notes


def run(arguments: Arguments) -> Outcome:
    """Measure; with several runs the seeds follow each other and figures are means."""
    settings = UpliftSettings()
    rows: list[Figures] = []
    notes: list[str] = []
    for number in range(arguments.runs or 1):
        figures, told = figures_of(CUSTOMERS, SEED + number, settings)
        rows.append(figures)
        notes += told
    means = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    means["random_over_risk"] = means["random_share"] - means["risk_share"]
    bars = [
        at_least("oracle_share", means, 0.85),
        at_least("gain_over_risk_low", means, 1e-9),
        at_least("random_over_risk", means, 0.0),
        at_least("qini_low", means, 0.0),
    ]
    return Outcome(means, bars, notes)
