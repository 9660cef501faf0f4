"""Reads the dump of a LightGBM booster (`Booster.dump_model()`) into a forest.

Needs no LightGBM: the dump is a dictionary. Refuses what the kernels do not compute: several
classes, averaged forests, linear leaves. Knows nothing of features' names.
"""

from collections.abc import Mapping
from math import inf
from typing import Any

from models.forest.forest import Forest
from models.forest.trees import CATEGORICAL, NUMERIC, ZERO, ZERO_WIDTH

_MISSING = ("None", "Zero", "NaN")

_ENDLESS = 1e300
"""What a dump writes for an infinite threshold: present left, missing right."""


def forest_from_dump(dump: Mapping[str, Any]) -> Forest:
    """Answer the forest of a booster with one output.

    Raises ValueError for a booster that this forest could not repeat exactly, and KeyError for
    a dictionary that is no such dump.
    """
    if dump["num_tree_per_iteration"] != 1:
        raise ValueError("a forest has one output; this booster has several classes")
    if dump.get("average_output"):
        raise ValueError("averaged (random) forests are not served; boost instead")
    columns = _Columns()
    for tree in dump["tree_info"]:
        columns.add(tree["tree_structure"])
    return Forest.from_arrays({**columns.arrays, "features": [int(dump["max_feature_idx"]) + 1]})


class _Columns:
    """The arrays of Trees while they grow."""

    def __init__(self) -> None:
        by_split = ("feature", "threshold", "kind", "missing_left", "left", "right", "cover")
        self.arrays: dict[str, list[Any]] = {
            name: [] for name in (*by_split, "bits", "value", "leaf_cover")
        }
        self.arrays |= {"splits": [0], "leaves": [0], "bits_start": [0]}

    def add(self, root: Mapping[str, Any]) -> None:
        """Append one tree, parents before their children (not by recursion: trees are deep)."""
        arrays = self.arrays
        first, first_leaf = len(arrays["feature"]), len(arrays["value"])
        waiting: list[tuple[Mapping[str, Any], str, int]] = [(root, "", -1)]
        while waiting:
            node, side, parent = waiting.pop()
            if "split_feature" in node:
                number = len(arrays["feature"]) - first
                self._add_split(node)
                waiting.append((node["right_child"], "right", first + number))
                waiting.append((node["left_child"], "left", first + number))
            else:
                number = ~(len(arrays["value"]) - first_leaf)
                if "leaf_coeff" in node or "leaf_const" in node:
                    raise ValueError("linear leaves are not served")
                arrays["value"].append(float(node["leaf_value"]))
                arrays["leaf_cover"].append(float(node.get("leaf_count", 0)))
            if side:
                arrays[side][parent] = number
        arrays["splits"].append(len(arrays["feature"]))
        arrays["leaves"].append(len(arrays["value"]))

    def _add_split(self, node: Mapping[str, Any]) -> None:
        arrays = self.arrays
        kind, threshold, missing_left = NUMERIC, 0.0, bool(node["default_left"])
        if node["decision_type"] == "==":
            kind = CATEGORICAL
            arrays["bits"] += _bits(str(node["threshold"]))
        elif node["decision_type"] == "<=" and node["missing_type"] in _MISSING:
            threshold = float(node["threshold"])
            if abs(threshold) >= _ENDLESS:
                threshold *= inf
            if node["missing_type"] == "None":
                # There, a missing value is read as zero where training saw none missing.
                missing_left = threshold >= 0.0
            elif node["missing_type"] == "Zero" and not _zeros_agree(threshold, missing_left):
                kind = ZERO
        else:
            raise ValueError("a split of an unknown kind")
        arrays["bits_start"].append(len(arrays["bits"]))
        arrays["feature"].append(int(node["split_feature"]))
        arrays["threshold"].append(threshold)
        arrays["kind"].append(kind)
        arrays["missing_left"].append(missing_left)
        arrays["left"].append(0)
        arrays["right"].append(0)
        arrays["cover"].append(float(node["internal_count"]))


def _zeros_agree(threshold: float, missing_left: bool) -> bool:
    """Tell whether the threshold alone sends every zero where missing values go."""
    return threshold >= ZERO_WIDTH if missing_left else threshold < -ZERO_WIDTH


def _bits(text: str) -> list[int]:
    """Answer a set of categories ("0||3||17") as 32-bit words, lowest first."""
    categories = [int(part) for part in text.split("||") if part]
    words = [0] * (max(categories, default=-1) // 32 + 1)
    for category in categories:
        words[category // 32] |= 1 << category % 32
    return words
