import numpy as np

from models.recommend.graph_filter import GraphFilter
from tests.models.recommend.small import past_of


def filter_of(decay=0.5) -> GraphFilter:
    """Item 0 leads to 1 and away from 2; item 1 leads to 2."""
    targets, weights = np.array([1, 2, 2], np.int32), np.array([1, -0.5, 2], np.float32)
    return GraphFilter(np.array([0, 2, 3, 3]), targets, weights, decay)


def test_a_history_is_filtered_with_its_last_event_counting_most():
    out = np.empty(3, np.float32)
    filter_of().raw(past_of([0, 1]), out)
    assert out.tolist() == [0, 0.5, 1.75]
    filter_of().raw(past_of([1, 0]), out)
    assert out.tolist() == [0, 1, 0.5]


def test_influences_add_up_to_the_score():
    out = np.empty(3, np.float32)
    filter_of().raw(past_of([0, 1, 0]), out)
    found = filter_of().influences(np.arange(3, dtype=np.int32), past_of([0, 1, 0]))
    np.testing.assert_allclose(found.sum(axis=1), out, rtol=1e-6)


def test_survives_its_parts():
    again = GraphFilter.from_parts(filter_of().arrays(), filter_of(0.9).params())
    assert isinstance(again, GraphFilter)
    assert again.decay == 0.9
    assert again.arrays()["weights"].tolist() == [1, -0.5, 2]
