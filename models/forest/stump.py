"""The smallest forest there is: one tree that asks one thing.

What kernels are compiled with before there is anything learned. Knows nothing of data.
"""

from models.forest.dump import forest_from_dump
from models.forest.forest import Forest


def stump(features: int, asked: int = 0, threshold: float = 0.5) -> Forest:
    """Answer a forest over `features` that says -1 up to the threshold and 1 above it.

    Raises ValueError for a feature that is not there.
    """
    split = {
        "split_feature": asked,
        "threshold": threshold,
        "decision_type": "<=",
        "default_left": True,
        "missing_type": "NaN",
        "internal_count": 2,
        "left_child": {"leaf_value": -1.0, "leaf_count": 1},
        "right_child": {"leaf_value": 1.0, "leaf_count": 1},
    }
    tree = {"tree_structure": split}
    return forest_from_dump(
        {"num_tree_per_iteration": 1, "max_feature_idx": features - 1, "tree_info": [tree]}
    )
