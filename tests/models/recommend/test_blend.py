import numpy as np
import pytest

from models.recommend.blend import Blend, standard_parts, weigh
from models.recommend.popularity import Popularity
from tests.models.recommend.small import graph_of, past_of

GRAPH = graph_of(5, {(0, 1): 1.0, (0, 2): 0.5, (1, 2): 2.0})
POPULAR = Popularity(np.array([1, 2, 3, 4, 50]), None)


EVERYTHING = np.arange(5, dtype=np.int32)


class Refusing:
    """A member that must not be asked."""

    standing = None

    def raw(self, past, out):
        raise AssertionError("asked although its weight is 0")


def blend_of(*members, weights):
    names = [f"member{place}" for place in range(len(members))]
    return Blend(names, members, np.array(weights, np.float32), 5)


def test_the_total_is_the_weighted_sum_and_the_parts_add_up_to_it():
    past = past_of([0, 1])
    scored = blend_of(POPULAR, GRAPH, weights=[0.25, 2]).score(past)
    rows = np.empty((2, 5), np.float32)
    POPULAR.score(past, rows[0])
    GRAPH.score(past, rows[1])
    parts = scored.parts(EVERYTHING)
    np.testing.assert_allclose(scored.total, 0.25 * rows[0] + 2 * rows[1], rtol=1e-6)
    np.testing.assert_allclose(parts.sum(axis=0), scored.total, rtol=1e-6)
    np.testing.assert_allclose(parts, [0.25 * rows[0], 2 * rows[1]], rtol=1e-6)


def test_a_member_of_no_weight_is_not_asked():
    blend = blend_of(Refusing(), POPULAR, weights=[0, 1])
    assert blend.voices == ("member1",)
    assert blend.score(past_of([0])).parts(EVERYTHING).shape == (1, 5)


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 1, 0)])
def test_the_order_of_members_changes_nothing_but_the_order_of_voices(order):
    other = graph_of(5, {(0, 4): 1.0, (0, 3): 0.25})
    members, weights = [POPULAR, GRAPH, other], [0.3, 1, 0.5]
    one = blend_of(*members, weights=weights)
    two = blend_of(*[members[i] for i in order], weights=[weights[i] for i in order])
    past = past_of([0])
    np.testing.assert_allclose(one.score(past).total, two.score(past).total, rtol=1e-6)
    named = dict(zip(two.voices, two.score(past).parts(EVERYTHING), strict=True))
    for voice, part in zip(one.voices, one.score(past).parts(EVERYTHING), strict=True):
        place = order.index(int(voice[-1]))
        np.testing.assert_allclose(named[f"member{place}"], part, rtol=1e-6)


def test_what_is_the_same_for_everybody_speaks_first():
    blend = blend_of(GRAPH, POPULAR, weights=[1, 1])
    assert blend.voices == ("member1", "member0")


@pytest.mark.parametrize("rows", [[], [4], [3, 0, 3]])
def test_parts_are_answered_for_the_items_asked_for(rows):
    scored = blend_of(POPULAR, GRAPH, weights=[0.25, 2]).score(past_of([0, 1]))
    found = scored.parts(np.array(rows, np.int32))
    assert (found == scored.parts(EVERYTHING)[:, rows]).all()


def test_standard_parts_are_not_weighed():
    heavy = standard_parts([POPULAR], np.array([9], np.float32), past_of([0]), 5)
    light = standard_parts([POPULAR], np.array([1], np.float32), past_of([0]), 5)
    assert (heavy == light).all()


@pytest.mark.parametrize("m", [0, 1, 2, 3])
def test_weighing_adds_every_row_to_the_base(m):
    rng = np.random.default_rng(m)
    rows, base = rng.random((m, 4), np.float32), rng.random(4, np.float32)
    means, gains = rng.random(m, np.float32), rng.random(m, np.float32)
    total = np.full(4, np.nan, np.float32)
    weigh(rows, means, gains, base, total)
    np.testing.assert_allclose(total, base + gains @ (rows - means[:, None]), rtol=1e-5, atol=1e-6)


def test_a_member_with_nothing_to_say_adds_nothing():
    silent = graph_of(5, {(3, 4): 1.0})
    scored = blend_of(POPULAR, silent, weights=[1, 2]).score(past_of([0]))
    parts = scored.parts(EVERYTHING)
    assert not parts[1].any()
    assert (scored.total == parts[0]).all()
