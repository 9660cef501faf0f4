import numpy as np

from models.recommend.ease import Ease
from tests.models.recommend.small import past_of

WEIGHTS = np.array([[0, 2, -1, 0], [0.5, 0, 0, -3], [0, 0, 0, 1], [0, 0, 0, 0]], np.float32)


def ease_of(weights, decay=0.5) -> Ease:
    rows, targets = np.nonzero(weights)
    offsets = np.searchsorted(rows, np.arange(len(weights) + 1))
    return Ease(offsets, targets, weights[rows, targets], decay)


def test_the_score_is_the_faded_sum_of_the_rows_of_the_history():
    out = np.empty(4, np.float32)
    mean, scale = ease_of(WEIGHTS).raw(past_of([0, 1, 2], weights=[1, 1, 0.5]), out)
    wanted = 0.25 * WEIGHTS[0] + 0.5 * WEIGHTS[1] + 0.5 * WEIGHTS[2]
    np.testing.assert_allclose(out, wanted, rtol=1e-6)
    np.testing.assert_allclose([mean, scale], [wanted.mean(), 1 / wanted.std()], rtol=1e-5)


def test_what_speaks_against_an_item_puts_it_below_those_nobody_spoke_of():
    out = np.empty(4, np.float32)
    ease_of(WEIGHTS).score(past_of([1]), out)
    assert np.argsort(out).tolist() == [3, 1, 2, 0]
    assert out[3] < 0 < out[0]


def test_influences_of_either_sign_add_up_to_the_score():
    member, past = ease_of(WEIGHTS), past_of([0, 1, 1, 2])
    out = np.empty(4, np.float32)
    member.raw(past, out)
    found = member.influences(np.arange(4, dtype=np.int32), past)
    np.testing.assert_allclose(found.sum(axis=1), out, rtol=1e-6)
    assert (found < 0).any()
    assert (found > 0).any()


def test_an_empty_past_says_nothing():
    out = np.ones(4, np.float32)
    assert ease_of(WEIGHTS).raw(past_of([]), out) == (0, 0)
    ease_of(WEIGHTS).score(past_of([]), out)
    assert not out.any()


def test_survives_its_parts():
    member = ease_of(WEIGHTS, 0.7)
    again = Ease.from_parts(member.arrays(), member.params())
    assert isinstance(again, Ease)
    one, other = np.empty(4, np.float32), np.empty(4, np.float32)
    member.score(past_of([0, 2]), one)
    again.score(past_of([0, 2]), other)
    assert (one == other).all()
