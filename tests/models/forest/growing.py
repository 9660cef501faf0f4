"""Boosters grown on rows that hold everything a split may ask, and slow oracles beside them."""

from itertools import combinations
from math import factorial

import lightgbm as lgb
import numpy as np

from models.forest import Forest, forest_from_dump

WIDTH = 6
FACTS = {"verbose": -1, "num_threads": 1, "deterministic": True, "force_row_wise": True}


def awkward_rows(rng, n, categories=(4,)):
    """Answer float64[n, WIDTH]: normal, missing, zeros, few values, categories, a constant."""
    rows = rng.normal(size=(n, WIDTH))
    rows[:, 1][rng.random(n) < 0.3] = np.nan
    rows[:, 2][rng.random(n) < 0.4] = 0.0
    rows[:, 3] = rng.integers(-2, 3, n)
    for column in categories:
        rows[:, column] = rng.integers(0, 70, n)
    rows[:, 5] = 1.0
    return rows


def asked_rows(rng, n):
    """Answer rows unlike those of training: missing, infinite, tiny and absurd values anywhere."""
    odd = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-36, -1e-35, 2e-35, -0.5, -3.0, 1e12, 71.0, 3.7]
    rows = awkward_rows(rng, n)
    places = rng.random(rows.shape) < 0.3
    rows[places] = rng.choice(odd, places.sum())
    return rows


def grow(rows, labels, rounds, categories=(4,), objective="binary", **params):
    """Answer a LightGBM booster."""
    data = lgb.Dataset(rows, labels, categorical_feature=list(categories), params=FACTS)
    return lgb.train({**FACTS, "objective": objective, **params}, data, rounds)


def grown(seed=0, n=600, rounds=20, categories=(4,), **params) -> tuple[Forest, lgb.Booster]:
    """Answer a forest and the booster it was read from."""
    rng = np.random.default_rng(seed)
    rows = awkward_rows(rng, n, categories)
    noisy = np.nan_to_num(rows[:, 0] + rows[:, 1] * rows[:, 2]) + (rows[:, 4] % 3 > 1)
    labels = (noisy + rng.normal(size=n) > 0).astype(float)
    booster = grow(rows, labels, rounds, categories, min_data_in_leaf=5, **params)
    return forest_from_dump(booster.dump_model()), booster


def split(feature, threshold, left, right, **changed):
    """Answer a node of a dump; its cover is its children's."""
    count = sum(child.get("internal_count", child.get("leaf_count")) for child in (left, right))
    return {
        "split_feature": feature,
        "threshold": threshold,
        "decision_type": "<=",
        "default_left": True,
        "missing_type": "NaN",
        "internal_count": count,
        "left_child": left,
        "right_child": right,
    } | changed


def leaf(value, count):
    """Answer a leaf of a dump."""
    return {"leaf_value": value, "leaf_count": count}


def dump_of(*roots, features=WIDTH, **changed):
    """Answer the dump of a booster with these trees."""
    trees = [{"tree_structure": root} for root in roots]
    return {
        "num_tree_per_iteration": 1,
        "max_feature_idx": features - 1,
        "tree_info": trees,
    } | changed


def _mean(node, row, known):
    """Answer a tree's expected output when only the features in `known` are."""
    if "leaf_value" in node:
        return node["leaf_value"]
    left, right = node["left_child"], node["right_child"]
    if node["split_feature"] in known:
        goes = row[node["split_feature"]] <= node["threshold"]
        return _mean(left if goes else right, row, known)
    counts = [child.get("internal_count", child.get("leaf_count")) for child in (left, right)]
    means = [_mean(child, row, known) for child in (left, right)]
    return np.average(means, weights=counts if sum(counts) else None)


def naive_shapley(root, row, features=WIDTH):
    """Answer Shapley values and the base by their definition, over all coalitions."""
    values = np.zeros(features + 1)
    for j in range(features):
        others = [k for k in range(features) if k != j]
        for size in range(features):
            weight = factorial(size) * factorial(features - size - 1) / factorial(features)
            for known in combinations(others, size):
                values[j] += weight * (_mean(root, row, {*known, j}) - _mean(root, row, {*known}))
    values[-1] = _mean(root, row, set())
    return values
