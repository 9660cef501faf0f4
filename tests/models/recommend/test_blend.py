import numpy as np
import pytest

from models.recommend.blend import blended, standard_parts, weigh
from models.recommend.popularity import Popularity
from tests.models.recommend.small import graph_of, past_of

GRAPH = graph_of(5, {(0, 1): 1.0, (0, 2): 0.5, (1, 2): 2.0})
POPULAR = Popularity(np.array([1, 2, 3, 4, 50]), None)


class Refusing:
    """A member that must not be asked."""

    def score(self, past, out):
        raise AssertionError("asked although its weight is 0")


def test_the_total_is_the_weighted_sum_and_the_parts_add_up_to_it():
    weights = np.array([0.25, 2], np.float32)
    past = past_of([0, 1])
    scored = blended([POPULAR, GRAPH], weights, past, 5)
    rows = np.empty((2, 5), np.float32)
    POPULAR.score(past, rows[0])
    GRAPH.score(past, rows[1])
    np.testing.assert_allclose(scored.total, 0.25 * rows[0] + 2 * rows[1], rtol=1e-6)
    np.testing.assert_allclose(scored.parts.sum(axis=0), scored.total, rtol=1e-6)
    np.testing.assert_allclose(scored.parts[1], 2 * rows[1], rtol=1e-6)


def test_a_member_of_no_weight_is_not_asked():
    weights = np.array([0, 1], np.float32)
    scored = blended([Refusing(), POPULAR], weights, past_of([0]), 5)
    assert not scored.parts[0].any()


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_order_of_members_changes_nothing(order):
    members, weights = [POPULAR, GRAPH], np.array([0.3, 1], np.float32)
    one = blended(members, weights, past_of([0]), 5)
    other = blended([members[i] for i in order], weights[list(order)], past_of([0]), 5)
    np.testing.assert_allclose(one.total, other.total, rtol=1e-6)
    np.testing.assert_allclose(one.parts[list(order)], other.parts, rtol=1e-6)


def test_standard_parts_are_not_weighed():
    heavy = standard_parts([POPULAR], np.array([9], np.float32), past_of([0]), 5)
    light = standard_parts([POPULAR], np.array([1], np.float32), past_of([0]), 5)
    assert (heavy == light).all()


def test_weighing_no_members_gives_zeros():
    total = np.ones(4, np.float32)
    weigh(np.empty((0, 4), np.float32), np.empty(0, np.float32), total)
    assert not total.any()
