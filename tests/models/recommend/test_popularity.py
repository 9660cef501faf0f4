import numpy as np
import pytest

from models.recommend.popularity import Popularity
from tests.models.recommend.small import past_of


def test_scores_follow_the_counts_whoever_asks():
    member = Popularity(np.array([5, 0, 100, 20]), None)
    one, other = np.empty(4, np.float32), np.empty(4, np.float32)
    member.score(past_of([1]), one)
    member.score(past_of([]), other)
    assert np.argsort(-one).tolist() == [2, 3, 0, 1]
    assert (one == other).all()


def test_scores_are_standardised_logarithms():
    counts = np.array([0, 1, 3, 7], float)
    out = np.empty(4, np.float32)
    Popularity(counts, None).score(past_of([]), out)
    logs = np.log2(counts + 1)
    np.testing.assert_allclose(out, (logs - logs.mean()) / logs.std(), atol=1e-6)


def test_says_nothing_of_likeness_or_of_the_history():
    member = Popularity(np.array([5, 0, 100]), 7.0)
    out = np.ones(3, np.float32)
    member.similar(2, out)
    assert not out.any()
    targets = np.array([2, 0, 1], np.int32)
    assert member.influences(targets, past_of([2, 1])).tolist() == [[0, 0]] * 3


@pytest.mark.parametrize("half_life", [None, 12.5])
def test_survives_its_parts(half_life):
    member = Popularity(np.array([5, 0, 100]), half_life)
    again = Popularity.from_parts(member.arrays(), member.params())
    assert again.half_life_days == half_life
    assert (again.standing == member.standing).all()


def test_scoring_twice_does_not_wear_the_scores_out():
    member = Popularity(np.array([1, 2, 3]), None)
    out = np.empty(3, np.float32)
    member.score(past_of([]), out)
    first = out.copy()
    out *= 5
    member.score(past_of([]), out)
    assert (out == first).all()
