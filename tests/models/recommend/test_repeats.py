import numpy as np
import pytest

from models.recommend.member import standardise
from models.recommend.repeats import Repeats
from tests.models.recommend.small import past_of


def scores(member, past, n=6):
    out = np.full(n, 5, np.float32)
    member.score(past, out)
    return out


@pytest.mark.parametrize("half_life", [None, 10.0])
def test_scores_as_the_formula_says(half_life):
    rates = np.array([0.1, 0.9, 0.5, 0.3, 0.2, 1.0])
    past = past_of([1, 2, 1, 4], weights=[1, 0.5, 1, 1], days=[30, 20, 10, 0])
    wanted = np.zeros(6)
    for item, weight, days in zip(past.indices, past.weights, past.days, strict=True):
        wanted[item] += weight * (2 ** (-days / half_life) if half_life else 1)
    wanted = (np.log1p(wanted) * rates).astype(np.float32)
    standardise(wanted)
    np.testing.assert_allclose(scores(Repeats(rates, half_life), past), wanted, atol=1e-5)


def test_only_items_of_the_past_rise():
    out = scores(Repeats(np.ones(6), 30.0), past_of([2, 2, 4]))
    assert np.argsort(-out)[:2].tolist() == [2, 4]
    assert len(set(out[[0, 1, 3, 5]])) == 1


def test_an_empty_past_says_nothing():
    assert not scores(Repeats(np.ones(6), 30.0), past_of([])).any()


def test_influences_are_the_target_s_own_events():
    member = Repeats(np.ones(6), 10.0)
    targets = np.array([2, 0], np.int32)
    found, other = member.influences(targets, past_of([2, 1, 2], days=[10, 5, 0]))
    assert not other.any()
    np.testing.assert_allclose(found, [0.5, 0, 1], rtol=1e-6)


def test_says_nothing_of_likeness():
    out = np.ones(6, np.float32)
    Repeats(np.ones(6), None).similar(1, out)
    assert not out.any()


def test_survives_its_parts():
    member = Repeats(np.linspace(0.1, 1, 6), 20.0)
    again = Repeats.from_parts(member.arrays(), member.params())
    past = past_of([0, 5, 5])
    assert (scores(again, past) == scores(member, past)).all()
