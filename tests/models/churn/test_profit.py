import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from models.churn.profit import Campaign, beta_share, expected_maximum_profit


@given(st.floats(0, 1), st.floats(0.2, 60), st.floats(0.2, 60))
def test_beta_share_is_the_incomplete_beta_function(x, a, b):
    assert beta_share(x, a, b) == pytest.approx(special.betainc(a, b, x), abs=1e-12)


def naive(labels, scores, terms, steps=5_000):
    """EMPC and its fraction by definition: every cut for every acceptance, on a fine grid."""
    accepted = (np.arange(steps) + 0.5) / steps
    weights = np.diff(stats.beta(terms.alpha, terms.beta).cdf(np.linspace(0, 1, steps + 1)))
    profits, fractions = [], []
    for cut in (2.0, *np.unique(scores)[::-1]):
        reached = scores >= cut
        leavers = (reached & (labels == 1)).sum() / len(labels)
        stayers = (reached & (labels == 0)).sum() / len(labels)
        gain = accepted * (terms.value - terms.offer) - terms.contact
        profits.append(leavers * gain - stayers * (terms.offer + terms.contact))
        fractions.append(leavers + stayers)
    best = np.argmax(profits, 0)
    return np.max(profits, 0) @ weights, np.array(fractions)[best] @ weights


campaigns = st.builds(
    Campaign,
    st.floats(50, 500),
    st.floats(0, 40),
    st.floats(0, 5),
    st.floats(1, 9),
    st.floats(1, 20),
)


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.floats(0, 3), campaigns)
def test_equals_brute_force(seed, skill, terms):
    rng = np.random.default_rng(seed)
    labels = np.r_[0, 1, rng.random(80) < rng.uniform(0.05, 0.6)].astype(int)
    scores = np.round(special.expit(labels * skill - 1 + rng.normal(size=82)), 2)
    found = expected_maximum_profit(labels, scores, terms)
    profit, fraction = naive(labels, scores, terms)
    assert found.empc == pytest.approx(profit, abs=1e-4 * terms.value)
    assert found.fraction == pytest.approx(fraction, abs=2e-3)


def test_a_perfect_score_earns_from_every_leaver():
    labels = np.array([1] * 20 + [0] * 80)
    found = expected_maximum_profit(labels, np.where(labels == 1, 0.9, 0.1))
    # Acceptance is 0.3 on average: 20 % leavers at 190 * 0.3 - 1 each.
    assert found.empc == pytest.approx(0.2 * (190 * 0.3 - 1), rel=1e-4)
    assert found.fraction == pytest.approx(0.2, abs=1e-3)


def test_its_threshold_contacts_no_more_than_its_fraction():
    rng = np.random.default_rng(3)
    scores = rng.random(5_000)
    labels = rng.random(5_000) < scores**2
    found = expected_maximum_profit(labels, scores)
    reached = (scores >= found.threshold).mean()
    assert found.fraction - 1 / 5_000 - 1e-9 <= reached <= found.fraction + 1e-9


def test_where_nothing_pays_nobody_is_contacted():
    rng = np.random.default_rng(0)
    labels = rng.random(500) < 0.02
    found = expected_maximum_profit(labels, rng.random(500), Campaign(20.0, 15.0, 5.0))
    assert found.empc == pytest.approx(0.0, abs=1e-6)
    assert found.fraction == pytest.approx(0.0, abs=1e-3)
    assert found.threshold > 1


def test_the_better_score_earns_more():
    rng = np.random.default_rng(1)
    labels = (rng.random(3_000) < 0.2).astype(float)
    earned = [
        expected_maximum_profit(labels, labels * skill + rng.normal(size=3_000)).empc
        for skill in (0.0, 1.0, 2.0, 4.0)
    ]
    assert earned == sorted(earned)


@pytest.mark.parametrize(
    ("labels", "scores", "terms"),
    [
        ([1, 1], [0.1, 0.2], Campaign()),
        ([], [], Campaign()),
        ([1, 0], [0.1], Campaign()),
        ([1, 0], [0.1, 0.2], Campaign(value=10.0, offer=10.0)),
        ([1, 0], [0.1, 0.2], Campaign(contact=-1.0)),
    ],
)
def test_impossible_questions_are_refused(labels, scores, terms):
    with pytest.raises(ValueError, match=r"profit wants|offer costs"):
        expected_maximum_profit(labels, scores, terms)
