"""Effects as sums of trees: dumps of boosters cut, scaled and added until one sum is the effect.

With squared loss every learner's effect is a sum of leaves, so that a served effect is one forest
whatever learned it. Knows nothing of learners.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from models.forest.dump import forest_from_dump
from models.forest.forest import Forest

Node = Mapping[str, Any]
Step = list[dict[str, Any]]
"""The trees that one round of boosting adds to an effect."""

LARGEST = 8
"""Leaves up to which a forest looks a tree up instead of walking it."""


def scaled(node: Node, factor: float) -> dict[str, Any]:
    """Answer a tree whose leaves are `factor` times as large."""
    if "split_feature" not in node:
        return {**node, "leaf_value": float(node["leaf_value"]) * factor}
    sides = {side: scaled(node[side], factor) for side in ("left_child", "right_child")}
    return {**node, **sides}


def fixed(node: Node, column: int, value: float) -> dict[str, Any]:
    """Answer a tree as it stands when a numeric column has one value; its splits are gone.

    Counts of rows are counted again, so that what a path was worth stays a mean.
    """
    if "split_feature" not in node:
        return dict(node)
    if node["split_feature"] == column:
        side = "left_child" if value <= float(node["threshold"]) else "right_child"
        return fixed(node[side], column, value)
    left, right = (fixed(node[side], column, value) for side in ("left_child", "right_child"))
    return _split(node, left, right)


def _leaves(node: Node) -> int:
    if "split_feature" not in node:
        return 1
    return _leaves(node["left_child"]) + _leaves(node["right_child"])


def _split(node: Node, left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
    """Answer a split over two trees; over two leaves of one value, the leaf of both."""
    count = _rows(left) + _rows(right)
    if "split_feature" not in left and left.get("leaf_value") == right.get("leaf_value"):
        return {"leaf_value": left["leaf_value"], "leaf_count": count}
    return {**node, "left_child": left, "right_child": right, "internal_count": count}


def _rows(node: Node) -> float:
    return float(node.get("internal_count", node.get("leaf_count", 0)))


def _less(one: Node, other: Node) -> dict[str, Any]:
    """Answer one tree for what two trees differ by: the other hangs from every leaf of one.

    Each leaf counts its part of the rows of both.
    """
    mine, theirs = max(_rows(one), 1.0), max(_rows(other), 1.0)

    def hang(node: Node, value: float, share: float) -> dict[str, Any]:
        if "split_feature" in node:
            sides = (hang(node[side], value, share) for side in ("left_child", "right_child"))
            return _split(node, *sides)
        count = share * _rows(node) / theirs * (mine + theirs)
        return {"leaf_value": value - node["leaf_value"], "leaf_count": count}

    def walk(node: Node) -> dict[str, Any]:
        if "split_feature" in node:
            return _split(node, walk(node["left_child"]), walk(node["right_child"]))
        return hang(other, float(node["leaf_value"]), _rows(node) / mine)

    return walk(one)


def contrast_of(node: Node, column: int) -> dict[str, Any]:
    """Answer a tree for what a tree says at column = 1 less what it says at column = 0.

    It is 0 wherever the column is not asked, so little is left of most trees.
    """
    if "split_feature" not in node:
        return {"leaf_value": 0.0, "leaf_count": _rows(node)}
    if node["split_feature"] == column:
        return _less(fixed(node, column, 1.0), fixed(node, column, 0.0))
    left, right = (contrast_of(node[side], column) for side in ("left_child", "right_child"))
    return _split(node, left, right)


def steps_of(dump: Mapping[str, Any], factor: float = 1.0) -> list[Step]:
    """Answer the rounds of a booster's dump, leaves times `factor`."""
    return [[scaled(tree["tree_structure"], factor)] for tree in dump["tree_info"]]


def contrast(dump: Mapping[str, Any], column: int) -> list[Step]:
    """Answer the rounds of f(column = 1) - f(column = 0); trees that never ask it are gone.

    One tree a round, or two where one would have more than LARGEST leaves.
    """
    steps: list[Step] = []
    for tree in dump["tree_info"]:
        root = tree["tree_structure"]
        one = contrast_of(root, column)
        if _leaves(one) > LARGEST:
            steps.append([fixed(root, column, 1.0), scaled(fixed(root, column, 0.0), -1.0)])
        else:
            steps.append([] if one.get("leaf_value") == 0.0 else [one])
    return steps


def added(one: Sequence[Step], other: Sequence[Step]) -> list[Step]:
    """Answer the rounds of the sum of two effects."""
    return [[*a, *b] for a, b in zip(one, other, strict=True)]


def forest_of(steps: Sequence[Step], features: int, factor: float = 1.0) -> Forest:
    """Answer rounds as a forest over so many features, its output times `factor`."""
    trees = [scaled(tree, factor) for step in steps for tree in step]
    if not trees:
        trees = [{"leaf_value": 0.0}]
    return forest_from_dump(
        {
            "num_tree_per_iteration": 1,
            "max_feature_idx": features - 1,
            "tree_info": [{"tree_structure": tree} for tree in trees],
        }
    )
