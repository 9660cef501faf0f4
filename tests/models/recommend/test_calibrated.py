import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.recommend.calibrated import SMOOTHING, calibrate, shares_of
from models.recommend.catalogue import CODES


def codes_of(categories: list[list[int]]) -> np.ndarray:
    codes = np.full((len(categories), CODES), -1, np.int32)
    for row, held in enumerate(categories):
        codes[row, : len(held)] = held
    return codes


def test_shares_are_of_weight_and_an_item_shares_out_its_own():
    codes = codes_of([[0], [0, 1], [], [2]])
    rows = np.array([0, 1, 2, -1], np.int32)
    found = shares_of(codes, rows, np.array([2, 2, 9, 9], np.float32))
    assert found.tolist() == pytest.approx([0.75, 0.25, 0])
    assert shares_of(codes, rows, np.zeros(4, np.float32)).tolist() == [0, 0, 0]
    assert shares_of(codes_of([[]]), np.zeros(1, np.int32), np.ones(1, np.float32)).size == 0


def test_a_slate_has_the_shares_of_the_history():
    """Steck's example: 70 % romance and 30 % action watched, all romance scores higher."""
    codes = codes_of([[0]] * 10 + [[1]] * 10)
    scores = np.linspace(1, 0, 20).astype(np.float32)
    rows = np.arange(20, dtype=np.int32)
    order = calibrate(scores, 10, codes, rows, np.array([0.7, 0.3]))
    assert (order < 10).sum() == 7
    assert order[0] == 0
    assert sorted(order[order < 10]) == order[order < 10].tolist()


def test_without_shares_the_order_is_that_of_relevance():
    codes = codes_of([[0], [1], []])
    scores = np.array([3, 2, 1], np.float32)
    rows = np.arange(3, dtype=np.int32)
    assert calibrate(scores, 3, codes, rows, np.zeros(2)).tolist() == [0, 1, 2]
    assert calibrate(scores, 2, codes, rows, np.array([0.0, 1.0]), 0.0).tolist() == [0, 1]
    assert calibrate(scores[:0], 2, codes, rows[:0], np.zeros(2)).size == 0
    assert calibrate(np.ones(3, np.float32), 3, codes, rows, np.zeros(2)).tolist() == [0, 1, 2]


def divergence(chosen: list[int], categories: list[list[int]], wanted: list[float]) -> float:
    """The paper's C_KL of a whole slate, from its definition."""
    total = 0.0
    for category, share in enumerate(wanted):
        have = sum(1 / len(categories[one]) for one in chosen if category in categories[one]) / len(
            chosen
        )
        if share > 0:
            total += share * math.log(share / ((1 - SMOOTHING) * have + SMOOTHING * share))
    return total


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 50), st.lists(st.integers(0, 3), max_size=3, unique=True)),
        min_size=1, max_size=9,
    ),
    st.lists(st.integers(0, 5), min_size=4, max_size=4),
    st.sampled_from([0.1, 0.5, 0.9]),
)  # fmt: skip
def test_every_place_is_the_best_that_the_formula_allows(candidates, parts, weight):
    candidates.sort(key=lambda one: -one[0])
    categories = [held for _, held in candidates]
    scores = np.array([score for score, _ in candidates], np.float32)
    whole = sum(parts) or 1
    wanted = [part / whole for part in parts]
    k = len(candidates)
    rows = np.arange(k, dtype=np.int32)
    order = calibrate(scores, k, codes_of(categories), rows, np.array(wanted), weight).tolist()
    assert sorted(order) == list(range(k))
    span = float(scores.max() - scores.min()) or 1.0
    relevance = [(float(score) - float(scores.min())) / span for score in scores]
    for place in range(k):
        chosen = order[:place]
        gains = {
            one: (1 - weight) * relevance[one]
            - weight * divergence([*chosen, one], categories, wanted)
            for one in range(k)
            if one not in chosen
        }
        assert gains[order[place]] >= max(gains.values()) - 1e-9
