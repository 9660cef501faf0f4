import numpy as np
import pytest

from models.recommend.item_graph import ItemGraph
from models.recommend.member import standardise
from tests.models.recommend.small import graph_of, past_of

EDGES = {(0, 1): 1.0, (0, 2): 0.5, (1, 2): 2.0, (2, 0): 1.0, (3, 3): 4.0}


def naive(n, edges, past, decay):
    out = np.zeros(n, np.float32)
    for age, j in enumerate(reversed(range(len(past.indices)))):
        for (source, target), weight in edges.items():
            if source == past.indices[j]:
                out[target] += decay**age * past.weights[j] * weight
    standardise(out)
    return out


@pytest.mark.parametrize("decay", [0.3, 0.8, 1.0])
@pytest.mark.parametrize("items", [[0], [0, 1], [1, 0], [0, 0, 3, 2], []])
def test_spreads_as_the_formula_says(items, decay):
    past = past_of(items, weights=np.linspace(0.2, 1, len(items)))
    out = np.full(5, 9, np.float32)
    graph_of(5, EDGES, decay).score(past, out)
    np.testing.assert_allclose(out, naive(5, EDGES, past, decay), atol=1e-5)


def test_the_last_event_counts_most():
    graph = graph_of(4, {(0, 2): 1.0, (1, 3): 1.0}, decay=0.5)
    out = np.empty(4, np.float32)
    graph.score(past_of([0, 1]), out)
    assert out.argmax() == 3
    graph.score(past_of([1, 0]), out)
    assert out.argmax() == 2


def test_direction_matters():
    graph = graph_of(2, {(0, 1): 1.0})
    out = np.empty(2, np.float32)
    graph.score(past_of([1]), out)
    assert not out.any()


@pytest.mark.parametrize("decay", [0.4, 1.0])
def test_influences_share_out_the_raw_score(decay):
    graph = graph_of(5, EDGES, decay)
    past = past_of([0, 1, 0, 3], weights=[1, 0.5, 0.25, 1])
    (influences,) = graph.influences(np.array([2], np.int32), past)
    wanted = [decay**3 * 0.5, decay**2 * 0.5 * 2.0, decay * 0.25 * 0.5, 0]
    np.testing.assert_allclose(influences, wanted, rtol=1e-6)


def test_similar_is_the_row_of_the_item():
    out = np.empty(5, np.float32)
    graph_of(5, EDGES).similar(0, out)
    assert np.argsort(-out)[:2].tolist() == [1, 2]
    graph_of(5, EDGES).similar(4, out)
    assert not out.any()


def test_a_faded_event_changes_nothing():
    graph = graph_of(5, EDGES, decay=0.1)
    long, short = np.empty(5, np.float32), np.empty(5, np.float32)
    graph.score(past_of([3] * 50 + [0] * 10), long)
    graph.score(past_of([0] * 10), short)
    assert (long == short).all()
    targets = np.array([3], np.int32)
    assert graph.influences(targets, past_of([3] + [0] * 10)).tolist() == [[0] * 11]


def test_survives_its_parts():
    graph = graph_of(5, EDGES, 0.7)
    again = ItemGraph.from_parts(graph.arrays(), graph.params())
    one, other = np.empty(5, np.float32), np.empty(5, np.float32)
    graph.score(past_of([0, 2]), one)
    again.score(past_of([0, 2]), other)
    assert (one == other).all()
