"""The whole fit on made-up trials: what it chooses, what it measures, what its intervals hold."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.uplift import trial_of
from domain.errors import ScientistError, TooLittleData
from models.uplift.model import UpliftModel
from tests.training.trials import EFFECT, plain_trial
from training.datasets.synthetic.trial import simulate_trial
from training.evaluate.qini import qini_cases
from training.fit.uplift.learners import Recipe
from training.fit.uplift.run import choose, definition_of, fit_trial, judge, learn
from training.fit.uplift.settings import UpliftSettings

QUICK = UpliftSettings(
    learners=["t", "x"],
    leaves=[4],
    trees=[20, 60],
    choosing=1,
    repeats=3,
    rounds=60,
    table="somewhere.csv",
)
HASTY = replace(QUICK, learners=["t"], trees=[20], repeats=2)


@pytest.fixture(scope="module")
def fitted():
    return fit_trial(plain_trial(4000)[0], QUICK)


def test_every_trial_on_the_way_is_told_and_the_best_is_taken(fitted):
    tried = fitted.found["trials"]
    assert len(tried) == 4
    best = max(tried, key=lambda one: one["qini"][0])
    assert {name: fitted.found[name] for name in Recipe._fields} == {
        name: best[name] for name in Recipe._fields
    }
    assert fitted.found["balance_p"] > 0.001


def test_held_out_people_are_ordered_nearly_as_the_truth_orders_them(fitted):
    metrics = fitted.metrics
    # Half of the people have the effect, the other half its mirror: a quarter of it is the area.
    assert metrics["qini"].value == pytest.approx(EFFECT / 4, abs=0.02)
    assert metrics["qini"].low > 0
    # Here those are at risk who are helped, so that the order by risk is no worse a guide.
    assert metrics["risk_qini"].low > 0
    assert metrics["gain_over_risk"].low < 0.02
    # Nobody is helped on average: by lot nothing is gained, by the best fifth a fifth of it.
    assert metrics["random_saved_at_20"].low < 0 < metrics["random_saved_at_20"].high
    assert metrics["saved_at_20"].value == pytest.approx(0.2 * EFFECT, abs=0.03)
    assert metrics["calibration_p"].value > 1e-3
    shares = [metrics[f"{name}_share"].value for name in ("wait", "contact", "leave_alone")]
    assert sum(shares) == pytest.approx(1.0)
    assert shares[1] > 0.02
    assert shares[2] > 0.02


def test_the_model_that_is_kept_has_learned_from_everyone(fitted):
    trial, truth = plain_trial(2000, seed=9)
    found = fitted.model.effects(trial.x)
    assert np.corrcoef(found.effect, truth)[0, 1] > 0.9
    assert len(fitted.model.halves) == 2 * QUICK.repeats
    assert fitted.split["rows"] == 4000
    assert 1800 < fitted.split["test_rows"] < 2200
    assert fitted.split["propensities"] == "the share contacted"


def test_golden_rows_hold_no_ids_and_are_answered_again(fitted):
    model = UpliftModel.from_parts(fitted.model.arrays(), fitted.model.params())
    for row in fitted.golden.rows:
        assert set(row["input"]) == {"features"}
        assert model.answer(row["input"]) == row["output"]
    assert fitted.golden.rows[-1]["input"]["features"] == [None] * 3


def test_the_charts_are_the_curve_and_the_learners(fitted):
    curve = fitted.plots["qini"]
    assert set(curve["lines"]) == {"uplift", "risk", "at random"}
    assert all(len(line) == len(curve["labels"]) for line in curve["lines"].values())
    assert sorted(fitted.plots["learners"]["labels"]) == ["t", "x"]


def test_the_same_trial_gives_the_same_fit(fitted):
    again = fit_trial(plain_trial(4000)[0], QUICK)
    assert again.metrics == fitted.metrics
    for name, array in fitted.model.arrays().items():
        np.testing.assert_array_equal(array, again.model.arrays()[name])


def test_outcomes_of_held_out_people_change_nothing_but_the_figures():
    trial, _ = plain_trial(3000)
    rows = np.arange(3000) < 1500
    recipe, tried = choose(trial.take(rows), QUICK)
    one = judge(trial.take(rows), trial.take(~rows), recipe, QUICK)
    turned = replace(trial, outcome=np.where(rows, trial.outcome, 1 - trial.outcome))
    assert choose(turned.take(rows), QUICK) == (recipe, tried)
    other = judge(turned.take(rows), turned.take(~rows), recipe, QUICK)
    np.testing.assert_array_equal(one.effect, other.effect)
    np.testing.assert_array_equal(one.rivals["risk"], other.rivals["risk"])
    assert not np.array_equal(one.seen, other.seen)


def test_where_contact_does_nothing_nobody_is_contacted():
    found = fit_trial(plain_trial(4000, effect=0.0, seed=3)[0], QUICK)
    assert found.metrics["qini"].low < 0.01
    assert found.metrics["contact_share"].value < 0.1
    assert found.metrics["leave_alone_share"].value < 0.1


@pytest.mark.parametrize("kind", ["constant", "missing", "infinite"])
def test_features_that_tell_nothing_leave_everybody_at_the_mean(kind):
    trial = plain_trial(1200, seed=2)[0]
    same = {"constant": 1.0, "missing": np.nan, "infinite": np.inf}[kind]
    found = fit_trial(replace(trial, x=np.full_like(trial.x, same)), HASTY)
    assert found.metrics["contact_share"].value == 0.0
    assert found.metrics["leave_alone_share"].value == 0.0
    effects = found.model.effects(np.full((2, 3), same))
    treated, outcome = trial.treated, trial.outcome
    mean = outcome[treated].mean() - outcome[~treated].mean()
    assert effects.effect == pytest.approx([mean, mean], abs=0.01)
    assert effects.low[0] < mean < effects.high[0]


def test_infinite_numbers_count_as_missing_when_learned_as_when_answered():
    trial = plain_trial(1200, seed=2)[0]
    third = (np.arange(len(trial)) % 3 == 0)[:, None]
    found, wanted = (
        fit_trial(replace(trial, x=np.where(third, odd, trial.x)), HASTY).model
        for odd in (np.inf, np.nan)
    )
    np.testing.assert_array_equal(found.effects(trial.x), wanted.effects(trial.x))


def test_permuted_contact_shows_no_effect():
    trial, _ = plain_trial(4000)
    mixed = np.random.default_rng(1).permutation(trial.treated)
    metrics = fit_trial(replace(trial, treated=mixed), QUICK).metrics
    assert metrics["qini"].low <= 0 <= metrics["qini"].high
    assert metrics["mean_effect"].low <= 0 <= metrics["mean_effect"].high


def test_the_interval_holds_the_known_effect():
    """Simulated, learned from 16,000: at least 93 of 100 true effects lie in the interval of
    95 %, and those that it would act on have the sign it says."""
    simulated = simulate_trial(24_000, np.random.default_rng(21))
    trial = trial_of(simulated)
    train = np.arange(24_000) < 16_000
    model = learn(trial.take(train), Recipe("x", 8, 50), UpliftSettings(repeats=8))
    found, truth = model.effects(trial.x[~train]), simulated.effect[~train]
    assert ((found.low <= truth) & (truth <= found.high)).mean() >= 0.93
    assert (truth[found.low > 0] > 0).mean() > 0.97
    # Narrow enough to act on: it tells apart and does not hold everything.
    assert (found.high - found.low).mean() < 3 * truth.std()
    assert 0.05 < (found.low > 0).mean() < 0.7


def test_the_order_by_effect_beats_the_order_by_risk_on_a_simulated_trial():
    simulated = simulate_trial(16_000, np.random.default_rng(31))
    trial = trial_of(simulated)
    train = np.arange(16_000) < 10_000
    judged = judge(trial.take(train), trial.take(~train), Recipe("x", 4, 60), QUICK)
    truth = simulated.effect[~train]
    ours, risk, best = (
        qini_cases(score, truth).mean() for score in (judged.effect, judged.rivals["risk"], truth)
    )
    assert ours > 0.8 * best
    assert risk < 0


def test_what_was_not_dealt_by_lot_is_not_fitted():
    with pytest.raises(ScientistError, match="not dealt at random"):
        fit_trial(plain_trial(3000, tilt=1.0)[0], QUICK)
    with pytest.raises(TooLittleData, match="100 of either"):
        fit_trial(plain_trial(300)[0], QUICK)


def test_what_the_effect_is_on_travels_with_the_model():
    assert definition_of(QUICK) == {"treatment": "treatment", "outcome": "outcome"}
    turned = definition_of(replace(QUICK, bad_outcome=True))
    assert "turned" in turned["outcome"]
    log = definition_of(replace(QUICK, table="", campaign="spring"))
    assert (log["treatment"], log["outcome"], log["horizon_days"]) == ("spring", "active again", 28)
    kept = definition_of(replace(QUICK, table="", definition="contractual"))
    assert (kept["treatment"], kept["outcome"]) == ("contact", "term kept")
