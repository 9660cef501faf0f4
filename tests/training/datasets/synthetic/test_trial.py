"""The simulated trial is what it says: dealt by lot, effects as stated, risk no guide."""

import numpy as np
import pytest

from training.datasets.synthetic.trial import simulate_trial


@pytest.fixture(scope="module")
def trial():
    return simulate_trial(60_000, np.random.default_rng(7))


def test_the_same_generator_gives_the_same_trial():
    one, other = (simulate_trial(50, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(one.effect, other.effect)
    np.testing.assert_array_equal(one.stayed, other.stayed)
    assert all(len(column) == len(one) == 50 for column in one.people.values())


def test_what_is_seen_agrees_with_what_is_known(trial):
    for mine in (trial.effect > 0.05, trial.effect < -0.03, trial.risk > 0.5):
        arms = [trial.stayed[mine & (trial.treated == arm)] for arm in (True, False)]
        seen = arms[0].mean() - arms[1].mean()
        error = np.sqrt(sum(arm.var() / len(arm) for arm in arms))
        assert abs(seen - trial.effect[mine].mean()) < 4 * error
    alone = trial.stayed[~trial.treated]
    assert 1 - alone.mean() == pytest.approx(trial.risk.mean(), abs=0.01)


def test_contact_is_dealt_by_lot(trial):
    assert set(trial.propensity) == {0.5}
    assert trial.treated.mean() == pytest.approx(0.5, abs=0.01)
    silent = trial.people["days_silent"]
    apart = silent[trial.treated].mean() - silent[~trial.treated].mean()
    assert abs(apart) < 4 * silent.std() * 2 / np.sqrt(len(silent))


def test_a_targeted_campaign_follows_the_risk_by_the_chances_it_states():
    found = simulate_trial(40_000, np.random.default_rng(1), share=0.3, targeted=1.0)
    assert np.corrcoef(found.propensity, found.risk)[0, 1] > 0.7
    for mine in (found.propensity < 0.2, found.propensity > 0.5):
        assert found.treated[mine].mean() == pytest.approx(found.propensity[mine].mean(), abs=0.02)


def test_whom_to_save_is_not_who_is_at_risk(trial):
    fifth = len(trial) // 5
    at_risk, savable = (np.argsort(-by)[:fifth] for by in (trial.risk, trial.effect))
    assert trial.effect[at_risk].mean() < 0 < trial.effect.mean()
    assert trial.effect[savable].mean() > 4 * trial.effect.mean()
    assert 0.1 < (trial.effect < 0).mean() < 0.4


def test_chances_are_chances(trial):
    assert ((trial.risk > 0) & (trial.risk < 1)).all()
    assert ((trial.risk - trial.effect > 0) & (trial.risk - trial.effect < 1)).all()
