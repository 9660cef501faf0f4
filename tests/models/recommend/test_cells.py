import numpy as np
import pytest

from models.recommend.cells import Cells
from models.recommend.products import LANES
from models.recommend.rounded import rounded, scale_for, whole
from tests.models.recommend.small_index import clustered
from training.fit.cells import part


def laid_out(rows, labels, c) -> Cells:
    centres = np.zeros((c, rows.shape[1]), np.float32)
    for cell in range(c):
        if (labels == cell).any():
            centres[cell] = rows[labels == cell].mean(axis=0)
    return Cells.of(rows, labels, (centres, np.ones(c, np.float32)))


def best(rows, vector, most, among=None) -> list[int]:
    """The naive answer: all products, sorted, ties by lower number."""
    products = rows.astype(np.int64) @ vector.astype(np.int64)
    order = sorted(range(len(rows)), key=lambda i: (-products[i], i))
    return [i for i in order if among is None or among[i]][:most]


@pytest.mark.parametrize("n", [1, 127, 128, 129, 700])
def test_all_cells_find_what_a_pass_over_all_items_finds(n):
    rng = np.random.default_rng(n)
    rows = rng.integers(-1000, 1000, (n, 6)).astype(np.int16)
    cells = laid_out(rows, rng.integers(0, 5, n), 7)
    assert (cells.size, len(cells)) == (n, 7)
    vector = rng.integers(-500, 500, 6).astype(np.int16)
    found, values = cells.nearest(vector, 40)
    assert found.tolist() == best(rows, vector, 40)
    assert values.tolist() == (rows[found].astype(np.int64) @ vector).tolist()


def test_spare_places_are_never_found_though_all_products_are_negative():
    rows = np.full((3, 2), 5, np.int16)
    found, values = laid_out(rows, np.zeros(3, int), 1).nearest(np.full(2, -1, np.int16), 10)
    assert sorted(found.tolist()) == [0, 1, 2]
    assert (values == -10).all()


def test_only_the_cells_that_reach_furthest_are_looked_through():
    rows = np.array([[100, 0]] * 3 + [[0, 100]] * 3, np.int16)
    cells = laid_out(rows, np.repeat([0, 1], 3), 2)
    found, _ = cells.nearest(np.array([0, 1], np.int16), 6, probes=1)
    assert sorted(found.tolist()) == [3, 4, 5]


def test_a_wide_cell_is_looked_through_before_a_narrow_one_with_the_same_centre():
    rows = np.array([[10, 0], [10, 1], [10, 90], [10, -90]], np.int16)
    around = np.array([[10, 0], [10, 0]], np.float32), np.array([1, 90], np.float32)
    cells = Cells.of(rows, np.array([0, 0, 1, 1]), around)
    found, _ = cells.nearest(np.array([1, 3], np.int16), 1, probes=1)
    assert found.tolist() == [2]


def test_what_may_not_be_shown_is_not_found_and_makes_room_for_others():
    rng = np.random.default_rng(3)
    rows = rng.integers(-99, 99, (500, 4)).astype(np.int16)
    allowed = rng.random(500) < 0.1
    cells = laid_out(rows, rng.integers(0, 3, 500), 3)
    vector = np.array([3, 1, -4, 1], np.int16)
    assert cells.nearest(vector, 20, allowed=allowed)[0].tolist() == best(rows, vector, 20, allowed)


def test_parted_vectors_are_found_in_few_cells():
    vectors, questions = clustered(6_000, 16, seed=5)
    cells = part(vectors, seed=1, per_cell=LANES)
    rows = rounded(vectors, scale_for(vectors))
    kept = []
    for question in questions:
        vector = whole(question)
        truth = set(best(rows, vector, 50))
        kept.append(len(truth & set(cells.nearest(vector, 50, probes=16)[0].tolist())) / 50)
    assert len(cells) == 46
    assert np.mean(kept) >= 0.98


def test_arrays_make_the_same_index_again_and_refuse_what_does_not_fit():
    vectors, questions = clustered(900, 8, seed=2)
    cells = part(vectors, seed=1, per_cell=100)
    again = Cells(**cells.arrays(), probes=3)
    vector = whole(questions[0])
    assert again.nearest(vector, 9)[0].tolist() == cells.nearest(vector, 9, probes=3)[0].tolist()
    for name, array in cells.arrays().items():
        with pytest.raises(ValueError, match="do not fit"):
            Cells(**{**cells.arrays(), name: array[:-1]}, probes=3)
    strange = np.where(cells.items == 4, 900, cells.items)
    with pytest.raises(ValueError, match="do not fit"):
        Cells(**{**cells.arrays(), "items": strange}, probes=3)
    with pytest.raises(ValueError, match="do not fit"):
        Cells(**cells.arrays(), probes=0)
