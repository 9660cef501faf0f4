"""Padding: nothing lost, nothing doubled, little wasted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.intent.padding import BATCH_EVENTS, padded, rectangles, unpadded


@given(st.lists(st.integers(1, 3000), max_size=60))
def test_every_session_is_in_one_rectangle(lengths: list[int]) -> None:
    sizes = np.array(lengths, np.int64)
    order = np.argsort(sizes, kind="stable")
    parts = list(rectangles(sizes, order))
    assert np.array_equal(np.concatenate([*parts, np.zeros(0, np.int64)]), order)
    for part in parts:
        assert len(part) == 1 or sizes[part].max() * len(part) <= BATCH_EVENTS


def test_the_order_may_be_any() -> None:
    sizes = np.array([2000, 10, 2000, 10])
    assert [len(part) for part in rectangles(sizes, np.arange(4))] == [1, 1, 1, 1]
    assert [len(part) for part in rectangles(sizes, np.array([1, 3, 0, 2]))] == [2, 1, 1]


def test_rows_are_padded_with_zeros_at_the_end() -> None:
    values = np.arange(1, 6)
    out = padded(values, np.array([3, 0]), np.array([2, 3]))
    assert out.tolist() == [[4, 5, 0], [1, 2, 3]]


@pytest.mark.parametrize("shape", [(), (2,), (2, 3)])
def test_padding_is_undone(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(3)
    lengths = np.array([1, 4, 2])
    starts = np.array([0, 1, 5])
    values = rng.normal(size=(7, *shape))
    out = unpadded(padded(values, starts, lengths), starts, lengths, np.zeros_like(values))
    assert np.array_equal(out, values)
