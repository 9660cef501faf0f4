"""Whom an e-mail brings to the shop: Hillstrom's randomised experiment, a held-out half.

Either e-mail is held against none, the outcome is a visit within two weeks. Customers are parted
in halves by a hash of their row; the learner is chosen, calibrated and learned on one, and the
other is looked at once, for the figures. An effect above 0 is a visit that the e-mail brought.
Knows nothing of how effects are learned.
"""

import polars as pl

from benchmarks.harness import Arguments, Outcome, at_least
from training.fit.uplift.balance import check_random
from training.fit.uplift.calibrating import group_effects
from training.fit.uplift.learners import Hands
from training.fit.uplift.run import Judged, choose, judge, metrics_of
from training.fit.uplift.settings import UpliftSettings
from training.fit.uplift.tables import read_table, trial_from_table
from training.fit.uplift.trial import Trial, held_out

DATASET = "hillstrom"
SETTINGS = UpliftSettings(
    treatment="segment",
    outcome="visit",
    treated=["Mens E-Mail", "Womens E-Mail"],
    control=["No E-Mail"],
    drop=["conversion", "spend"],
    rounds=1000,
)
"""conversion and spend come after the e-mail: they are no attributes."""


def trial_of(frame: pl.DataFrame, settings: UpliftSettings) -> tuple[Trial, Trial]:
    """Answer the half that is learned from and the half that is held out."""
    trial = trial_from_table(frame, settings)
    apart = held_out(trial.keys, settings.test_share, settings.seed)
    return trial.take(~apart), trial.take(apart)


def _figures(judged: Judged, settings: UpliftSettings) -> dict[str, float]:
    out: dict[str, float] = {}
    for name, metric in metrics_of(judged, settings).items():
        out[name] = metric.value
        if name != "calibration_p" and not name.endswith("_share"):
            out |= {f"{name}_low": metric.low, f"{name}_high": metric.high}
    for place, (told, seen, _) in enumerate(group_effects(judged.effect, judged.seen), 1):
        out |= {f"fifth_{place}_effect": told, f"fifth_{place}_seen": seen}
    return out


def run_hillstrom(arguments: Arguments, settings: UpliftSettings = SETTINGS) -> Outcome:
    """Measure the held-out half. Raises TooLittleData without the log."""
    frame = read_table(arguments.need(DATASET, "hillstrom.csv.gz"))
    train, test = trial_of(frame, settings)
    balance = check_random(train, Hands(settings.seed, settings.threads))
    recipe, tried = choose(train, settings)
    judged = judge(train, test, recipe, settings)
    figures = {
        "rows": float(len(test)),
        "visit_rate": float(test.outcome.mean()),
        "balance_p": balance.p,
        **_figures(judged, settings),
    }
    best = max(tried, key=lambda one: one["qini"][0])["qini"]
    notes = [f"{recipe}", "out of halves of the other half: {:.5f} [{:.5f}, {:.5f}]".format(*best)]
    # Above zero, not at it.
    return Outcome(figures, [at_least("qini_low", figures, 1e-9)], notes)
