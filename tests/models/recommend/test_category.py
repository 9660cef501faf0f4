import numpy as np
import pytest

from models.recommend.category import Category
from models.recommend.member import standardise
from tests.models.recommend.small import past_of

# Items 0, 1 and 2 are fruit, 2 and 3 are red, 4 is nothing.
BELONGS = (np.array([0, 1, 2, 4, 5, 5]), np.array([0, 0, 0, 1, 1]))
HOLDS = (np.array([0, 3, 5]), np.array([0, 1, 2, 2, 3]), np.array([0.5, 0.3, 0.2, 0.9, 0.1]))
SHARES = {(0, 0): 0.5, (1, 0): 0.3, (2, 0): 0.2, (2, 1): 0.9, (3, 1): 0.1}
MINE = {0: [0], 1: [0], 2: [0, 1], 3: [1], 4: []}


def naive(past, decay):
    out = np.zeros((5, len(past.indices)))
    for j, item in enumerate(past.indices.tolist()):
        fading = decay ** (len(past.indices) - 1 - j) * past.weights[j]
        for group in MINE[item]:
            for target in range(5):
                out[target, j] += fading / len(MINE[item]) * SHARES.get((target, group), 0)
    return out


@pytest.mark.parametrize("decay", [0.5, 1.0])
def test_scores_and_influences_are_what_categories_pass_on(decay):
    member = Category(BELONGS, HOLDS, decay)
    past = past_of([3, 4, 2, 0], weights=[1, 1, 0.5, 1])
    wanted = naive(past, decay)
    found = member.influences(np.arange(5, dtype=np.int32), past)
    np.testing.assert_allclose(found, wanted, rtol=1e-6)
    scores = wanted.sum(axis=1).astype(np.float32)
    standardise(scores)
    out = np.full(5, 9, np.float32)
    member.score(past, out)
    np.testing.assert_allclose(out, scores, atol=1e-6)


def test_an_item_that_its_category_does_not_list_gets_nothing_from_it():
    holds = (np.array([0, 2, 3]), np.array([0, 1, 2]), np.array([0.5, 0.3, 0.9]))
    member = Category(BELONGS, holds, 1.0)
    past = past_of([0])
    assert member.influences(np.array([2, 1], np.int32), past).tolist() == [
        [0], [pytest.approx(0.3)],
    ]  # fmt: skip


@pytest.mark.parametrize("items", [[], [4], [4, 4]])
def test_without_a_category_nothing_is_said(items):
    out = np.ones(5, np.float32)
    Category(BELONGS, HOLDS, 0.9).score(past_of(items), out)
    assert not out.any()


def test_like_an_item_is_what_is_wanted_where_it_is():
    out = np.empty(5, np.float32)
    member = Category(BELONGS, HOLDS, 0.9)
    member.similar(3, out)
    assert np.argsort(-out)[:2].tolist() == [2, 3]
    assert out.mean() == pytest.approx(0, abs=1e-6)


def test_survives_its_parts():
    member = Category(BELONGS, HOLDS, 0.7)
    again = Category.from_parts(member.arrays(), member.params())
    one, other = np.empty(5, np.float32), np.empty(5, np.float32)
    past = past_of([3, 0])
    member.score(past, one)
    again.score(past, other)
    assert (one == other).all()
    assert again.params() == {"decay": 0.7}
