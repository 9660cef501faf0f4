"""What confidence is learned from: skill by length, usual shares, usual disagreement."""

import numpy as np
import pytest
from scipy.stats import norm

from models.calibration import sigmoid
from models.intent.confidence import BOLDEST, PLACES, SHYEST
from training.fit.intent.trust import half_of, learn_confidence

MIDDLE = (SHYEST + BOLDEST) / 2


def answers(skill: dict[int, float], n: int = 3000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw places, labels and log-odds whose skill (2 · area - 1) at each place is given."""
    rng = np.random.default_rng(0)
    place = np.repeat(list(skill), n)
    y = rng.integers(0, 2, len(place)).astype(np.uint8)
    # Two normal curves this far apart overlap to just that area (Hanley and McNeil, 1982).
    apart = np.sqrt(2) * norm.ppf((1 + np.array(list(skill.values()))) / 2)
    odds = y * np.repeat(apart, n) + rng.normal(size=len(place))
    return place, y, odds


def test_skill_that_is_there_at_once_makes_bold() -> None:
    assert half_of(*answers({1: 0.8, 2: 0.8, 3: 0.8, 5: 0.8})) == SHYEST


def test_skill_that_comes_late_makes_shy() -> None:
    assert half_of(*answers({1: 0.02, 2: 0.05, 3: 0.2, 5: 0.9})) == BOLDEST


def test_skill_that_follows_the_curve_is_found() -> None:
    half = 2.0
    found = half_of(*answers({k: 0.9 * k / (k + half) for k in (1, 2, 3, 5, 8)}))
    assert found == pytest.approx(half, abs=0.5)


def test_too_few_answers_say_nothing() -> None:
    assert half_of(*answers({1: 0.8, 2: 0.1}, n=20)) == MIDDLE
    assert half_of(*answers({1: 0.8})) == MIDDLE


def test_no_skill_at_all_is_no_error() -> None:
    rng = np.random.default_rng(1)
    place = np.repeat([1, 3], 500)
    y = rng.integers(0, 2, 1000).astype(np.uint8)
    assert SHYEST <= half_of(place, y, np.zeros(1000)) <= BOLDEST


def test_shares_and_widths_are_those_of_the_validation() -> None:
    rng = np.random.default_rng(2)
    n = 4000
    place = rng.integers(1, 20, n)
    width = rng.gamma(2.0, 0.1, n) * place
    known = (rng.random((n, 3)) < [1.0, 0.4, 0.9]).astype(float)
    known[::2, 1] = np.nan
    odds = rng.normal(size=n)
    y = (rng.random(n) < sigmoid(odds)).astype(np.uint8)
    found = learn_confidence(place, y, odds, width, known)
    assert found.usual == pytest.approx([1.0, 0.4, 0.9], abs=0.03)
    assert len(found.widths) == len(PLACES)
    # At its own places the median width is usual; the widest tenth is not.
    assert found.steady(width, place).mean() == pytest.approx(0.95, abs=0.01)
    assert (found.widths[-1] > found.widths[0]).all()


def test_a_place_few_sessions_reached_is_held_against_all() -> None:
    place, y, odds = answers({1: 0.5, 2: 0.5}, n=400)
    found = learn_confidence(place, y, odds, np.linspace(0, 1, len(y)), np.ones((len(y), 3)))
    assert found.widths[-1].tolist() == pytest.approx(np.linspace(0, 1, 101).tolist())


def test_without_a_network_there_are_no_widths() -> None:
    place, y, odds = answers({1: 0.5, 2: 0.5}, n=400)
    found = learn_confidence(place, y, odds, None, np.ones((len(y), 3)))
    assert found.widths.shape == (len(PLACES), 0)
