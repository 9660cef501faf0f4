import numpy as np
import pytest

from tests.training.worlds import full_of_rows
from training.evaluate.novelty import gini, novelty, self_information


def test_self_information_is_the_surprise_that_a_user_had_it():
    rows = [("a", "x", 0), ("a", "x", 1), ("b", "x", 0), ("a", "y", 0), ("c", "z", 0)]
    full, items = full_of_rows(rows)
    bits = dict(zip(items, self_information(full).tolist(), strict=True))
    # Of three users and the one added, having it twice counts once.
    assert bits == pytest.approx({"x": -np.log2(3 / 4), "y": 1.0, "z": 1.0})


def test_novelty_is_the_mean_over_the_places_that_are_filled():
    information = np.array([1.0, 2.0, 6.0])
    lists = np.array([[0, 1, 2], [2, -1, -1], [-1, -1, -1]], np.int32)
    assert novelty(lists, 2, information)[:2].tolist() == [1.5, 6.0]
    assert novelty(lists, 3, information)[0] == 3
    assert np.isnan(novelty(lists, 3, information)[2])


def naive_gini(counts):
    n, mean = len(counts), np.mean(counts)
    return sum(abs(a - b) for a in counts for b in counts) / (2 * n * n * mean)


def test_gini_is_half_the_mean_difference_over_the_mean():
    lists = np.array([[0, 1], [0, 2], [0, -1], [3, 1]], np.int32)
    assert gini(lists, 2, 6) == pytest.approx(naive_gini([3, 2, 1, 1, 0, 0]))
    assert gini(lists, 1, 6) == pytest.approx(naive_gini([3, 0, 0, 1, 0, 0]))


def test_gini_of_equals_is_0_and_of_one_item_for_all_nearly_1():
    assert gini(np.arange(10, dtype=np.int32)[:, None], 1, 10) == pytest.approx(0)
    assert gini(np.zeros((50, 1), np.int32), 1, 100) == pytest.approx(0.99)
    assert gini(np.full((3, 2), -1, np.int32), 2, 5) == 0
