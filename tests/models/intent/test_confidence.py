"""Confidence by its meaning: more events, known things, agreeing heads and haste raise it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.intent.confidence import BOLDEST, PLACES, SHYEST, Confidence, fresh

USUAL = np.array([1.0, 0.5, 0.9])
WIDTHS = np.tile(np.linspace(0, 1, 101), (len(PLACES), 1))
NAN = np.nan


@pytest.fixture
def trust() -> Confidence:
    return Confidence(2.0, USUAL, WIDTHS)


def known_part(trust: Confidence, known: np.ndarray, offsets: list[int]) -> np.ndarray:
    """The part of novelty alone."""
    usual = trust.before(np.ones_like(known), np.array(offsets))
    return trust.before(known, np.array(offsets)) / usual


def length_part(half: float, n: int) -> np.ndarray:
    """The part of length alone, after each of n events."""
    return Confidence(half, USUAL, WIDTHS).before(np.ones((n, 3)), np.array([0, n]))


def test_half_of_the_trust_is_there_after_half_events() -> None:
    assert length_part(2.0, 6)[[0, 1, 5]] == pytest.approx([1 / 3, 1 / 2, 3 / 4])


@given(st.floats(SHYEST, BOLDEST))
def test_length_rises_and_the_first_event_never_passes_one_half(half: float) -> None:
    parts = length_part(half, 300)
    assert (np.diff(parts) > 0).all()
    assert parts[0] <= 0.5
    assert parts[-1] < 1


def test_what_is_as_known_as_usual_costs_nothing(trust: Confidence) -> None:
    known = np.ones((4, 3))
    assert known_part(trust, known, [0, 4]).tolist() == [1, 1, 1, 1]


def test_nothing_to_know_costs_nothing(trust: Confidence) -> None:
    known = np.array([[1, NAN, NAN]] * 3)
    assert known_part(trust, known, [0, 3]).tolist() == [1, 1, 1]


def test_one_new_item_is_no_novelty_but_ten_are(trust: Confidence) -> None:
    known = np.column_stack([np.ones(10), np.zeros(10), np.ones(10)])
    parts = known_part(trust, known, [0, 10])
    assert parts[0] > 0.8
    assert (np.diff(parts) < 0).all()
    assert parts[-1] < 0.6


def test_nonsense_is_not_trusted(trust: Confidence) -> None:
    parts = known_part(trust, np.zeros((10, 3)), [0, 10])
    assert parts[-1] < 0.05


def test_sessions_do_not_share_their_novelty(trust: Confidence) -> None:
    known = np.concatenate([np.zeros((5, 3)), np.ones((2, 3))])
    assert known_part(trust, known, [0, 5, 7])[5:].tolist() == [1, 1]


def test_a_running_share_by_hand(trust: Confidence) -> None:
    known = np.ones((4, 3))
    known[:, 1] = [1.0, 0.0, NAN, 0.0]
    # Two usual events come first: (1 + 2 · ½) / (3 + 2) is 0.8 of the usual half.
    assert known_part(trust, known, [0, 4]) == pytest.approx([1, 1, 1, 0.9])


def test_what_is_never_known_is_no_measure() -> None:
    trust = Confidence(2.0, np.array([1.0, 0.0, 0.0]), WIDTHS)
    known = np.array([[1.0, 0.0, 0.0]] * 2)
    assert known_part(trust, known, [0, 2]).tolist() == [1, 1]


def test_usual_disagreement_costs_nothing_and_the_widest_all(trust: Confidence) -> None:
    width = np.array([0.0, 0.5, 0.85, 0.95, 2.0])
    parts = trust.steady(width, np.full(5, 3))
    assert parts[:3].tolist() == [1, 1, 1]
    assert 0 < parts[3] < 1
    assert parts[4] == 0


def test_disagreement_is_held_against_like_places() -> None:
    widths = WIDTHS.copy()
    widths[-1] *= 10
    trust = Confidence(2.0, USUAL, widths)
    assert trust.steady(np.array([2.0, 2.0]), np.array([1, 100])).tolist() == [0, 1]


def test_heads_twice_as_far_apart_are_judged_by_twice_the_widths(trust: Confidence) -> None:
    width, place = np.array([0.3, 0.95, 1.5]), np.full(3, 2)
    assert np.array_equal(
        trust.wider(np.full(len(PLACES), 2.0)).steady(2 * width, place), trust.steady(width, place)
    )


def test_without_a_network_nobody_disagrees() -> None:
    trust = Confidence(2.0, USUAL, np.zeros((len(PLACES), 0)))
    assert trust.steady(np.array([9.0]), np.array([1])).tolist() == [1]


@pytest.mark.parametrize(
    ("since", "asked", "wanted"), [(0, 100, 1), (25, 100, 0.75), (100, 100, 0), (999, 100, 0)]
)
def test_freshness_is_the_share_of_time_still_to_come(
    since: float, asked: float, wanted: float
) -> None:
    assert fresh(since, asked) == wanted


def test_an_event_of_the_future_is_fresh_and_no_time_is_not() -> None:
    assert fresh(-5, 100) == 1
    assert fresh(5, 0) == 0


@pytest.mark.parametrize("widths", [WIDTHS, np.zeros((len(PLACES), 0))])
def test_it_comes_back_from_its_params(widths: np.ndarray) -> None:
    trust = Confidence(2.5, USUAL, widths)
    again = Confidence.from_params(trust.params())
    assert again.params() == trust.params()
    assert again.widths.shape == widths.shape


@pytest.mark.parametrize(
    ("half", "usual", "widths"),
    [
        (0.5, USUAL, WIDTHS),
        (9.0, USUAL, WIDTHS),
        (2.0, USUAL[:2], WIDTHS),
        (2.0, USUAL, WIDTHS[:, ::-1]),
        (2.0, USUAL, WIDTHS[:2]),
        (2.0, USUAL, WIDTHS * NAN),
    ],
)
def test_numbers_that_mean_nothing_are_refused(
    half: float, usual: np.ndarray, widths: np.ndarray
) -> None:
    with pytest.raises(ValueError, match="confidence"):
        Confidence(half, usual, widths)
