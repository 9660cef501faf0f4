import numpy as np
import pytest

from models.forest import forest_from_dump
from models.forest.paths import MOST_NODES, expected, paths_of, quadrature
from tests.models.forest.growing import dump_of, leaf, split


def trees_from(*roots):
    return forest_from_dump(dump_of(*roots)).trees


@pytest.mark.parametrize("features", [0, 1, 2, 7, 60, 128])
def test_the_rules_integrate_polynomials_of_their_degree(features):
    rule = quadrature(features)
    for size in range(1, rule.nodes.shape[1] + 1):
        nodes, weights = rule.nodes[size, :size], rule.weights[size, :size]
        for degree in range(2 * size):
            assert weights @ nodes**degree == pytest.approx(1 / (degree + 1), abs=1e-13)


def test_rules_do_not_grow_without_end():
    assert quadrature(1_000).nodes.shape == (MOST_NODES + 1, MOST_NODES)


def test_a_path_asked_twice_about_a_feature_counts_it_once():
    low = split(0, 1.0, leaf(1.0, 2), leaf(2.0, 4))
    paths = paths_of(trees_from(split(0, 3.0, split(1, 0.0, low, leaf(3.0, 6)), leaf(4.0, 12))))
    assert paths.start.tolist() == [0, 3, 6, 8, 9]
    assert paths.count.tolist() == [2, 2, 2, 1]
    assert paths.split.tolist() == [0, 1, 2, 0, 1, 2, 0, 1, 0]
    assert paths.left.tolist() == [1, 1, 1, 1, 1, 0, 1, 0, 0]
    assert paths.feature[:2].tolist() == [0, 1]
    # Feature 0: 12 of 24 at the first split, 2 of 6 at the last; feature 1: 6 of 12.
    np.testing.assert_allclose(paths.share[:2], [12 / 24 * 2 / 6, 6 / 12])


def test_branches_no_row_reached_are_taken_half_and_half():
    trees = trees_from(split(0, 1.0, split(1, 0.0, leaf(1.0, 0), leaf(2.0, 0)), leaf(3.0, 5)))
    paths = paths_of(trees)
    np.testing.assert_allclose(paths.share, [0.5, 0.0, 0.5, 0.0, 1.0])
    assert expected(trees, paths) == 3.0


def test_the_expected_output_is_the_mean_over_training():
    trees = trees_from(split(0, 1.0, leaf(1.0, 30), leaf(5.0, 10)), leaf(7.0, 40))
    assert expected(trees, paths_of(trees)) == pytest.approx(2.0 + 7.0)
