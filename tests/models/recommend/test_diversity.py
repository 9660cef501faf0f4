import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.recommend.catalogue import CODES
from models.recommend.diversity import Likeness, diversify, overlap, pool_size


def codes_of(*categories: tuple[int, ...]) -> np.ndarray:
    codes = np.full((len(categories), CODES), -1, np.int32)
    for row, held in enumerate(categories):
        codes[row, : len(held)] = held
    return codes


def test_overlap_is_shared_over_all_categories():
    codes = codes_of((1, 2), (2, 3), (1, 2), (), (7,))
    rows = np.arange(5, dtype=np.int32)
    assert overlap(codes, rows, 0).tolist() == pytest.approx([1, 1 / 3, 1, 0, 0])
    assert overlap(codes, rows, 3).tolist() == [0, 0, 0, 0, 0]


def test_likeness_is_the_greater_of_categories_and_edges():
    codes = codes_of((1,), (1, 2), (5,), (6,))
    graph = (
        np.array([0, 2, 2, 2]),
        np.array([1, 2], np.int32),
        np.array([0.2, 0.4], np.float32),
    )
    alike = Likeness(codes, np.array([0, 1, 2, 3], np.int32), graph)
    assert alike(0).tolist() == pytest.approx([1, 0.5, 1, 0])
    assert alike(3).tolist() == [0, 0, 0, 1]  # beyond the graph: categories only
    assert alike(0).tolist() == pytest.approx([1, 0.5, 1, 0])  # the first look left no trace


def naive(scores, k, diversity, alike) -> list[int]:
    span = max(scores) - min(scores)
    relevance = [(score - min(scores)) / span if span else 1.0 for score in scores]
    chosen = [int(np.argmax(scores))]
    while len(chosen) < min(k, len(scores)):
        rest = [place for place in range(len(scores)) if place not in chosen]
        chosen.append(
            max(
                rest,
                key=lambda place: (
                    (1 - diversity) * relevance[place]
                    - diversity * max(alike[one][place] for one in chosen),
                    -place,
                ),
            )
        )
    return chosen


@settings(deadline=None)
@given(
    scores=st.lists(st.integers(0, 16), min_size=1, max_size=12),
    k=st.integers(1, 14),
    quarters=st.integers(0, 4),
    seed=st.integers(0, 99),
)
def test_agrees_with_the_formula(scores, k, quarters, seed):
    n = len(scores)
    alike = np.random.default_rng(seed).integers(0, 5, (n, n)).astype(np.float32) / 4
    # Powers of two only, so that ties are ties in both ways of counting.
    top = 16.0
    scores = np.array([*scores[:-1], top], np.float32)
    scores[0] = 0.0 if n > 1 else top
    found = diversify(scores, k, quarters / 4, lambda place: alike[place])
    assert found.tolist() == naive(scores.tolist(), k, quarters / 4, alike.tolist())


def test_nothing_to_choose_from():
    none = diversify(np.zeros(0, np.float32), 5, 0.5, lambda place: np.zeros(0, np.float32))
    assert none.size == 0


@pytest.mark.parametrize(("k", "size"), [(1, 100), (50, 200), (500, 1000)])
def test_pool_is_bounded(k, size):
    assert pool_size(k) == size
