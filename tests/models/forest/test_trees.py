import numpy as np
import pytest

from models.forest.trees import trees_of
from tests.models.forest.growing import grown


@pytest.fixture
def arrays():
    forest, _ = grown(6, 400, 3, num_leaves=6)
    return {name: array.copy() for name, array in forest.arrays().items()}


def test_good_arrays_make_trees(arrays):
    trees = trees_of(arrays)
    assert not any(array.flags.writeable for array in trees)
    assert len(trees.splits) == 4


def test_what_is_made_does_not_change_with_what_it_was_made_from(arrays):
    trees = trees_of(arrays)
    kept = trees.value.copy()
    arrays["value"][:] = 0
    np.testing.assert_array_equal(trees.value, kept)


def test_a_missing_array_is_named(arrays):
    del arrays["cover"]
    with pytest.raises(KeyError, match="cover"):
        trees_of(arrays)


@pytest.mark.parametrize("name", ["threshold", "kind", "left", "cover", "value", "leaves"])
def test_arrays_of_other_lengths_are_refused(arrays, name):
    arrays[name] = arrays[name][:-1]
    with pytest.raises(ValueError, match="do not make trees"):
        trees_of(arrays)


@pytest.mark.parametrize(
    ("name", "place", "value"),
    [
        ("left", 0, 0),  # its own child
        ("left", 0, 99),  # beyond the tree
        ("right", 0, -99),
        ("right", 0, 1),  # two parents
        ("splits", 1, 0),
        ("splits", 0, 1),
        ("bits_start", 0, 3),
    ],
)
def test_arrays_that_lead_astray_are_refused(arrays, name, place, value):
    if name == "right" and value == 1:
        arrays["left"][0] = 1
    arrays[name][place] = value
    with pytest.raises(ValueError, match="do not make trees"):
        trees_of(arrays)


def test_categories_that_belong_to_no_split_are_refused(arrays):
    arrays["bits"] = np.append(arrays["bits"], np.uint32(1))
    with pytest.raises(ValueError, match="do not make trees"):
        trees_of(arrays)


def test_arrays_of_two_dimensions_are_refused(arrays):
    arrays["value"] = arrays["value"][:, None]
    with pytest.raises(ValueError, match="one dimension"):
        trees_of(arrays)
