"""A bandit learns, forgets, hears other workers once, and survives what is broken."""

import numpy as np
import pytest

from models.bandits.bandit import Bandit, BanditSettings, with_policy
from models.bandits.evidence import Dated, nothing, packed, unpacked
from models.bandits.policies import Epsilon, LinUCB, SquareCB, Thompson
from tests.models.bandits.worlds import random_evidence, sigmoid

SETTINGS = BanditSettings(arms=3, features=3, centre=0.0)
WEIGHTS = np.array([[0.0, 1.5, 0.0], [0.0, -1.5, 0.0], [0.2, 0.0, 1.0]])


def contexts(rng, n):
    return np.column_stack([np.ones(n), rng.normal(size=(n, 2))])


def live(bandit, steps, seed=0, weights=WEIGHTS):
    """Let it choose and learn; answer the expected reward of each step and the best there was."""
    rng = np.random.default_rng(seed)
    got, best = np.empty(steps), np.empty(steps)
    for t, x in enumerate(contexts(rng, steps)):
        p = sigmoid(weights @ x)
        arm = bandit.choose(x, rng.random()).arm
        bandit.learn(x, arm, float(rng.random() < p[arm]))
        got[t], best[t] = p[arm], p.max()
    return got, best


@pytest.mark.parametrize(
    "policy", [Thompson(), Thompson(1.0), SquareCB(), LinUCB(), Epsilon(0.05)], ids=repr
)
def test_every_policy_learns_what_is_best(policy):
    got, best = live(Bandit(with_policy(SETTINGS, policy)), 1500)
    rng = np.random.default_rng(5)
    lot = sigmoid(contexts(rng, 4000) @ WEIGHTS.T).mean()
    late = slice(1000, None)
    assert (got[late].mean() - lot) / (best[late].mean() - lot) > 0.8


def test_linear_rewards_of_any_size():
    settings = BanditSettings(2, 2, rewards="linear", noise=0.25, centre=0.0, centre_sd=10.0)
    bandit, rng = Bandit(settings), np.random.default_rng(0)
    for _ in range(400):
        x = np.array([1.0, rng.normal()])
        arm = bandit.choose(x, rng.random()).arm
        bandit.learn(x, arm, (5.0 + x[1] if arm else 5.5) + rng.normal() * 0.5)
    assert bandit.choose([1.0, 2.0], 0.5).greedy == 1
    assert bandit.choose([1.0, -2.0], 0.5).greedy == 0


def test_an_outcome_moves_the_arm_at_once_and_its_siblings_at_the_refresh():
    bandit = Bandit(BanditSettings(arms=2, features=2, refresh=1000))
    before = bandit.beliefs.copy()
    for _ in range(30):
        assert bandit.learn([1.0, 0.5], 0, 1.0)
    assert bandit.beliefs.mean[0, 0] > before.mean[0, 0] + 0.5
    assert bandit.beliefs.mean[1, 0] == before.mean[1, 0]
    bandit.refresh(0.0)
    assert bandit.beliefs.mean[1, 0] > before.mean[1, 0] + 0.5


def test_workers_that_share_evidence_believe_the_same_whichever_asks():
    rng = np.random.default_rng(1)
    workers = [Bandit(SETTINGS) for _ in range(3)]
    for x in contexts(rng, 300):
        worker = workers[rng.integers(3)]
        arm = worker.choose(x, rng.random()).arm
        worker.learn(x, arm, float(rng.random() < sigmoid(WEIGHTS[arm] @ x)))
    sent = [unpacked(packed(one.own, 0.0, 0.0)) for one in workers]
    for one in workers:
        one.spread_ = SETTINGS.spread.variances(3)
    for place, one in enumerate(workers):
        one.refresh(0.0, [sent[other] for other in range(3) if other != place])
    for one in workers[1:]:
        np.testing.assert_allclose(one.beliefs.mean, workers[0].beliefs.mean, rtol=1e-9)
        np.testing.assert_allclose(one.beliefs.covariance, workers[0].beliefs.covariance)
    assert workers[0].outcomes() == 300


def test_hearing_the_same_twice_changes_nothing():
    bandit = Bandit(BanditSettings(arms=3, features=3, learn=False))
    told = [Dated(random_evidence(np.random.default_rng(2), 3, 3), 0.0, 0.0)]
    bandit.refresh(0.0, told)
    once = bandit.beliefs.copy()
    bandit.refresh(0.0, told)
    np.testing.assert_allclose(bandit.beliefs.mean, once.mean)


def test_it_forgets_by_half_lives():
    bandit = Bandit(BanditSettings(arms=2, features=2, half_life=100.0), now=1000.0)
    for _ in range(40):
        bandit.learn([1.0, 0.0], 0, 1.0)
    sure = bandit.beliefs.covariance[0, 0, 0]
    bandit.refresh(1200.0)
    assert bandit.outcomes() == pytest.approx(10.0)
    assert bandit.beliefs.covariance[0, 0, 0] > sure
    bandit.refresh(1100.0)
    assert bandit.outcomes() == pytest.approx(10.0), "a clock that went back forgets nothing"


def test_after_a_change_a_bandit_that_forgets_does_better():
    def late(half_life):
        bandit = Bandit(BanditSettings(3, 3, centre=0.0, half_life=half_life))
        total = 0.0
        for part, weights in enumerate((WEIGHTS, -WEIGHTS)):
            for chunk in range(20):
                got, _ = live(bandit, 60, seed=100 * part + chunk, weights=weights)
                bandit.refresh(bandit.as_of + 60.0)
                total += got.mean() * part
        return total

    assert late(200.0) > late(0.0)


def test_broken_evidence_of_others_is_left_out():
    good = random_evidence(np.random.default_rng(3), 3, 3)
    broken = random_evidence(np.random.default_rng(4), 3, 3)
    broken.precision[1] = np.nan
    one, two = Bandit(SETTINGS), Bandit(SETTINGS)
    one.refresh(0.0, [Dated(good, 0.0, 0.0), Dated(broken, 0.0, 0.0)])
    assert np.isfinite(one.beliefs.mean).all()
    assert not one.fell_back.any()
    broken.precision[1], broken.shift[1], broken.tallies[1] = 0.0, 0.0, 0.0
    two.refresh(0.0, [Dated(good, 0.0, 0.0), Dated(broken, 0.0, 0.0)])
    np.testing.assert_allclose(one.beliefs.mean, two.beliefs.mean)
    two.refresh(0.0, [Dated(nothing(4, 3), 0.0, 0.0)])
    assert two.outcomes() == 0


def test_outcomes_that_are_none_are_counted_and_change_nothing():
    bandit = Bandit(SETTINGS)
    before = bandit.beliefs.copy()
    for arm, reward in ((0, np.nan), (0, 2.0), (-1, 1.0), (3, 1.0)):
        assert not bandit.learn([1.0, 0.0, 0.0], arm, reward)
    assert bandit.refused == 4
    np.testing.assert_array_equal(bandit.beliefs.mean, before.mean)
    assert bandit.learn([1.0, np.nan, 1e300], 0, 1.0), "a wild feature is clipped, not believed"
    assert np.isfinite(bandit.beliefs.mean).all()


def test_no_exploration_when_the_limit_says_so():
    bandit = Bandit(SETTINGS)
    for chance in np.linspace(0, 0.999, 50):
        choice = bandit.choose([1.0, 0.3, 0.1], chance, limit=0.0)
        assert not choice.explores
        assert choice.propensity == 1.0


def test_nothing_to_choose_is_said():
    choice = Bandit(SETTINGS).choose([1.0, 0.0, 0.0], 0.5, allowed=np.zeros(3, np.bool_))
    assert (choice.arm, choice.propensity) == (-1, 0.0)


@pytest.mark.parametrize(
    "given",
    [
        {"arms": 0}, {"features": 0}, {"refresh": 0}, {"rewards": "poisson"},
        {"noise": 0.0}, {"centre": float("nan")},
    ],
)  # fmt: skip
def test_settings_that_make_no_bandit_are_refused(given):
    with pytest.raises(ValueError, match=r"bandit|rewards|noise"):
        BanditSettings(**{"arms": 2, "features": 2, **given})


def test_a_context_of_another_length_is_refused():
    with pytest.raises(ValueError, match="3 features"):
        Bandit(SETTINGS).choose([1.0, 2.0], 0.5)
