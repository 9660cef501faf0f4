import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.recommend.together import Together, turned

GRAPH = (
    np.array([0, 2, 3, 3, 4]),
    np.array([1, 2, 2, 0], np.int32),
    np.array([0.5, 0.25, 1.0, 2.0], np.float32),
)
"""0 → 1, 2; 1 → 2; 3 → 0."""


def test_edges_count_in_both_directions():
    together = Together(GRAPH)
    assert together.scores(np.array([0], np.int32)).tolist() == [0, 0.5, 0.25, 2.0]
    assert together.scores(np.array([2], np.int32)).tolist() == [0.25, 1.0, 0, 0]
    assert together.scores(np.array([0, 2], np.int32)).tolist() == [0, 1.5, 0, 2.0]


def test_what_the_model_does_not_know_is_left_out():
    together = Together(GRAPH)
    assert together.scores(np.array([-1, 4, 0], np.int32)).tolist() == [0, 0.5, 0.25, 2.0]
    assert together.scores(np.zeros(0, np.int32)).tolist() == [0, 0, 0, 0]


@given(st.lists(st.lists(st.integers(0, 5), unique=True, max_size=6), min_size=6, max_size=6))
def test_turning_is_transposing(rows):
    offsets = np.cumsum([0, *map(len, rows)])
    targets = np.array([to for row in rows for to in row], np.int32)
    weights = np.arange(1, targets.size + 1, dtype=np.float32)
    dense = np.zeros((6, 6), np.float32)
    for one in range(6):
        dense[one, targets[offsets[one] : offsets[one + 1]]] = weights[
            offsets[one] : offsets[one + 1]
        ]
    back = turned((offsets, targets, weights))
    found = np.zeros((6, 6), np.float32)
    for one in range(6):
        found[one, back[1][back[0][one] : back[0][one + 1]]] = back[2][
            back[0][one] : back[0][one + 1]
        ]
    assert (found == dense.T).all()
    together = Together((offsets, targets, weights))
    both = dense + dense.T
    np.fill_diagonal(both, 0)
    for one in range(6):
        assert together.scores(np.array([one], np.int32)) == pytest.approx(both[one])
