"""Trials dealt by lot pass as often as they should; campaigns that chose whom to contact do not."""

from dataclasses import replace

import numpy as np
import pytest

from domain.errors import ScientistError, TooLittleData
from tests.training.trials import plain_trial
from training.fit.uplift.balance import (
    LEVEL,
    balance_of,
    check_enough,
    check_random,
    ranked,
    without_certain,
)
from training.fit.uplift.learners import Hands
from training.fit.uplift.trial import even_chances


def dealt(trial, treated):
    return replace(trial, treated=treated, propensity=even_chances(treated))


def test_a_trial_by_lot_passes():
    trial, _ = plain_trial(3000)
    found = check_random(trial, Hands())
    assert found.p >= LEVEL
    assert found.freedom == 3


def test_proper_trials_are_refused_as_seldom_as_the_level_says():
    """Of 300 trials about one in twenty has p below .05; the classifier's test is no laxer."""
    omnibus, learned = [], []
    for seed in range(300):
        trial, _ = plain_trial(300, seed=seed)
        found = balance_of(trial, Hands(seed))
        omnibus.append(found.omnibus)
        learned.append(found.learned)
    assert 0.02 <= np.mean(np.array(omnibus) < 0.05) <= 0.09
    assert 0.40 <= np.mean(np.array(omnibus) < 0.50) <= 0.60
    assert 0.01 <= np.mean(np.array(learned) < 0.05) <= 0.08
    assert 0.30 <= np.mean(np.array(learned) < 0.50) <= 0.65


def test_whom_a_rule_chose_is_refused_and_the_rule_is_named():
    trial, _ = plain_trial(3000, tilt=0.5)
    with pytest.raises(ScientistError, match="hold out people by lot") as told:
        check_random(trial, Hands())
    assert "attribute.b +0.5" in str(told.value)
    assert "whoever runs the campaign" in str(told.value).lower()


def test_a_rule_that_no_single_attribute_shows_is_found_by_the_classifier():
    trial, _ = plain_trial(4000)
    rng = np.random.default_rng(0)
    corner = trial.x[:, 0] * trial.x[:, 1] > 0
    found = balance_of(dealt(trial, rng.random(4000) < np.where(corner, 0.65, 0.35)), Hands())
    assert found.omnibus > 0.01
    assert found.learned < 1e-10
    assert found.p < LEVEL


def test_chances_that_were_logged_make_a_rule_a_trial():
    trial, _ = plain_trial(4000, logged=True, tilt=1.0)
    assert check_random(trial, Hands()).freedom == 4


def test_chances_that_are_not_those_that_dealt_are_refused():
    trial, _ = plain_trial(4000, logged=True, tilt=1.0)
    wrong = replace(trial, propensity=np.full(4000, 0.5))
    with pytest.raises(ScientistError, match="whoever logs decisions"):
        check_random(wrong, Hands())
    # Right in their order, wrong on the whole: only the constant tells.
    high = replace(trial, propensity=np.clip(trial.propensity + 0.1, 0, 0.98))
    with pytest.raises(ScientistError, match="logged propensities"):
        check_random(high, Hands())


def test_an_attribute_that_is_missing_by_arm_is_found():
    trial, _ = plain_trial(2000)
    x = trial.x.copy()
    x[trial.treated & (x[:, 1] > 0), 2] = np.nan
    found = balance_of(replace(trial, x=x), Hands())
    assert found.p < LEVEL
    assert found.worst[0][0] == "attribute.noise missing"


def test_attributes_that_say_nothing_are_no_proof_and_no_fault():
    trial, _ = plain_trial(300)
    still = replace(trial, x=np.ones((300, 2)), names=("one", "two"))
    found = check_random(still, Hands())
    assert (found.p, found.freedom) == (1.0, 0)


def test_ranks_are_of_columns_that_vary():
    x = np.array([[1.0, 5.0, np.nan], [2.0, 5.0, 1.0], [9.0, 5.0, 1.0]])
    z, names = ranked(x, ("a", "same", "holes"))
    assert names == ["a", "holes missing"]
    assert z[:, 0] == pytest.approx([-np.sqrt(1.5), 0, np.sqrt(1.5)])
    assert z.mean(axis=0) == pytest.approx([0, 0])


def test_an_outlier_does_not_hide_what_ranks_show():
    trial, _ = plain_trial(2000)
    x = trial.x.copy()
    x[:, 2] += trial.treated * 0.5
    x[0, 2] = 1e9
    assert balance_of(replace(trial, x=x), Hands()).omnibus < 1e-9


def test_too_few_of_either_outcome_in_either_arm_are_refused():
    trial, _ = plain_trial(2000)
    check_enough(trial)
    rare = replace(trial, outcome=np.where(np.arange(2000) < 150, trial.outcome, 0.0))
    with pytest.raises(TooLittleData, match="100 of either are needed"):
        check_enough(rare)


def test_one_arm_is_no_trial():
    trial, _ = plain_trial(500)
    with pytest.raises(TooLittleData, match="nobody in the trial was not contacted"):
        check_enough(trial.take(trial.treated))
    with pytest.raises(TooLittleData, match="nobody in the trial was contacted"):
        check_enough(trial.take(~trial.treated))


def test_who_could_not_but_be_contacted_is_left_out():
    trial, _ = plain_trial(100, logged=True)
    chances = trial.propensity.copy()
    chances[:10], chances[10:15] = 1.0, 0.0
    kept = without_certain(replace(trial, propensity=chances))
    assert kept.keys.tolist() == list(range(15, 100))
    assert without_certain(trial) is trial
    with pytest.raises(ScientistError, match="nothing was left to chance"):
        without_certain(replace(trial, propensity=np.ones(100)))


@pytest.mark.parametrize("wrong", [1.5, -0.1, np.nan, np.inf])
def test_what_is_no_chance_is_refused(wrong):
    trial, _ = plain_trial(50, logged=True)
    chances = trial.propensity.copy()
    chances[3] = wrong
    with pytest.raises(ScientistError, match="from 0 to 1"):
        without_certain(replace(trial, propensity=chances))
