"""Blocks: rows become columns, and decisions are those of each row alone."""

import numpy as np

from models.forest.blocks import BLOCK, patterns_of, turn
from models.forest.trees import goes_left
from tests.models.forest.growing import WIDTH, asked_rows, grown


def test_a_block_of_rows_becomes_columns():
    rows = np.arange(12.0).reshape(4, 3)
    columns = np.full((3, 3), -1.0)
    assert turn(rows, 1, columns) == 3
    assert columns.tolist() == rows[1:].T.tolist()
    assert turn(rows, 3, columns) == 1
    assert columns[:, 0].tolist() == rows[3].tolist()


def test_decisions_are_those_of_each_row_alone():
    forest, _ = grown(5, 300, 6, (4,), num_leaves=8, cat_smooth=1)
    trees = forest.trees
    rows = asked_rows(np.random.default_rng(1), BLOCK)
    columns, patterns = np.empty((WIDTH, BLOCK)), np.empty(BLOCK, np.uint8)
    width = turn(rows, 0, columns)
    assert width == BLOCK
    for tree in range(len(trees.splits) - 1):
        patterns_of(trees, tree, columns, width, patterns)
        first, last = trees.splits[tree], trees.splits[tree + 1]
        for row in range(width):
            wanted = sum(
                int(goes_left(trees, split, float(rows[row, trees.feature[split]])))
                << (split - first)
                for split in range(first, last)
            )
            assert patterns[row] == wanted
