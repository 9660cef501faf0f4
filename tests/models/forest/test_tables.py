import numpy as np

from models.forest.tables import MOST_SPLITS
from tests.models.forest.growing import grown


def test_small_trees_have_a_table_and_large_ones_none():
    for leaves, tabled in ((MOST_SPLITS + 1, True), (40, False)):
        forest, _ = grown(1, 3_000, 3, num_leaves=leaves)
        assert ((forest._tables.offset >= 0) == tabled).all()


def test_every_entry_adds_up_to_the_leaf_it_leads_to():
    forest, _ = grown(2, 600, 6, num_leaves=7)
    trees, tables = forest.trees, forest._tables
    for tree, offset in enumerate(tables.offset):
        splits = int(trees.splits[tree + 1] - trees.splits[tree])
        width = int(tables.slots[tree + 1] - tables.slots[tree]) + 1
        entries = tables.rows[offset : offset + (width << splits)].reshape(-1, width)
        leaves = slice(trees.leaves[tree], trees.leaves[tree + 1])
        base = np.average(trees.value[leaves], weights=trees.leaf_cover[leaves])
        np.testing.assert_allclose(entries[:, :-1].sum(1) + base, entries[:, -1], 0, 1e-12)
        assert set(entries[:, -1]) == set(trees.value[leaves])


def test_features_of_a_table_are_named_once():
    forest, _ = grown(3, 600, 6, num_leaves=8)
    tables = forest._tables
    for first, end in zip(tables.slots, tables.slots[1:], strict=False):
        slots = tables.feature[first:end]
        assert len(set(slots.tolist())) == len(slots)
