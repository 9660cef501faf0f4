import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.recommend.topk import take, take_known, top_k


def naive(scores, k, allowed=None):
    places = [
        i for i in range(len(scores)) if scores[i] > -np.inf and (allowed is None or allowed[i])
    ]
    return sorted(places, key=lambda i: (-scores[i], i))[:k]


# Few distinct values, so that ties are common.
rows = st.lists(st.sampled_from([-np.inf, -1.0, 0.0, 0.5, 0.5, 2.0, np.inf, np.nan]), max_size=60)


@given(rows, st.integers(0, 70), st.integers(0, 2**60))
def test_equals_sorting(values, k, bits):
    scores = np.array(values, np.float32)
    allowed = np.array([bits >> i & 1 for i in range(len(values))], np.bool_)
    assert top_k(scores, k).tolist() == naive(scores, k)
    if len(values):
        assert top_k(scores, k, allowed).tolist() == naive(scores, k, allowed)


@pytest.mark.parametrize("k", [1, 10, 50, 500, 5_000])
@pytest.mark.parametrize("centre", [-10, 0, 10])
def test_equals_sorting_when_large(k, centre):
    scores = np.round(np.random.default_rng(k).normal(centre, size=3_000), 2).astype(np.float32)
    assert top_k(scores, k).tolist() == naive(scores, k)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(500, 2_200), st.integers(1, 700), st.integers(1, 900))
def test_equals_sorting_with_ties_holes_and_what_is_no_number(seed, n, k, values):
    rng = np.random.default_rng(seed)
    scores = rng.integers(-values, values, n).astype(np.float32)
    scores[rng.random(n) < 0.1] = rng.choice([-np.inf, np.inf, np.nan, -np.nan, -0.0])
    allowed = rng.random(n + 7) < rng.random()
    assert top_k(scores, k, allowed).tolist() == naive(scores, k, allowed)
    assert top_k(scores, k).tolist() == naive(scores, k)


def test_the_best_of_a_whole_block_of_equal_scores_are_the_first():
    scores = np.zeros(4_096, np.float32)
    assert top_k(scores, 300).tolist() == list(range(300))


def test_the_first_10_of_50_are_the_10_best():
    scores = np.random.default_rng(4).integers(0, 20, 1_000).astype(np.float32)
    assert top_k(scores, 10).tolist() == top_k(scores, 50)[:10].tolist()


def test_nothing_allowed_gives_nothing():
    assert top_k(np.ones(5, np.float32), 3, np.zeros(5, np.bool_)).tolist() == []


@pytest.mark.parametrize("k", [-1, 0])
def test_k_below_one_gives_nothing(k):
    assert top_k(np.ones(5, np.float32), k).tolist() == []


def test_ascending_and_descending_scores():
    up = np.arange(100, dtype=np.float32)
    assert top_k(up, 3).tolist() == [99, 98, 97]
    assert top_k(-up, 3).tolist() == [0, 1, 2]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 40))
def test_what_is_known_is_taken_as_if_it_had_been_looked_for(seed, k):
    rng = np.random.default_rng(seed)
    scores = rng.permutation(600).astype(np.float32) / 7
    allowed = rng.random(610) < 0.9
    best = top_k(scores, 30, allowed[:600])
    one, other = allowed.copy(), allowed.copy()
    found, (rows, values) = (
        take_known(best, scores, k, one, -np.inf),
        take(scores, k, other, -np.inf),
    )
    if k > 30:
        assert found is None
        return
    assert found is not None
    assert found[0].tolist() == rows.tolist()
    assert found[1].tolist() == values.tolist()
    assert (one == other).all()


def test_what_is_known_is_not_taken_where_it_may_be_wrong():
    scores, every = np.array([3, 9, 5, 7], np.float32), np.ones(4, np.bool_)
    best = np.array([1, 3, 2], np.int32)
    assert take_known(best, scores, 2, every.copy(), -np.inf) is not None
    gone = np.array([True, False, True, True])
    assert take_known(best, scores, 2, gone, -np.inf) is None
    assert take_known(best, scores, 2, every, 7.0) is None
    assert take_known(None, scores, 2, every, -np.inf) is None
    scores[1] = np.inf
    assert take_known(best, scores, 2, every, -np.inf) is None
    assert every.all()
