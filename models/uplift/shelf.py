"""Several forests as one set of arrays, so that a bundle holds a dozen files and not hundreds.

Knows nothing of what the forests answer.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from models.forest.forest import Forest
from models.forest.trees import DTYPES

Arrays = dict[str, npt.NDArray[Any]]
_STARTS = {"splits": "feature", "leaves": "value", "bits_start": "bits"}
"""Arrays of places, and those that they are places in."""


def shelved(forests: Sequence[Forest]) -> Arrays:
    """Answer all trees one after another, and in `forests` (int64[m+1]) where each begins.

    Raises ValueError without a forest, or when they are over different features.
    """
    if not forests or len({forest.features for forest in forests}) != 1:
        raise ValueError("forests of one number of features are wanted")
    parts = [forest.arrays() for forest in forests]
    out: Arrays = {}
    for name, dtype in DTYPES.items():
        if name not in _STARTS:
            out[name] = np.concatenate([part[name] for part in parts]).astype(dtype)
            continue
        before = np.cumsum([0, *(len(part[_STARTS[name]]) for part in parts)])
        moved = [part[name][:-1] + start for part, start in zip(parts, before, strict=False)]
        out[name] = np.concatenate([*moved, before[-1:]]).astype(dtype)
    out["forests"] = np.cumsum([0, *(len(forest) for forest in forests)]).astype(np.int64)
    out["features"] = parts[0]["features"]
    return out


def unshelved(arrays: Mapping[str, npt.NDArray[Any]]) -> tuple[Forest, ...]:
    """Answer the forests again. Raises KeyError and ValueError for arrays that hold none."""
    starts = np.asarray(arrays["forests"], np.int64)
    count = len(arrays["splits"]) - 1
    if len(starts) < 2 or starts[0] != 0 or starts[-1] != count or (np.diff(starts) < 0).any():
        raise ValueError("the forests do not tile their trees")
    return tuple(_part(arrays, int(first), int(end)) for first, end in pairwise(starts))


def _part(arrays: Mapping[str, npt.NDArray[Any]], first: int, end: int) -> Forest:
    """Answer the forest of the trees first:end."""
    splits, leaves = (arrays[name][first : end + 1] for name in ("splits", "leaves"))
    mine: Arrays = {"features": np.asarray(arrays["features"])}
    for name in DTYPES.keys() - _STARTS.keys() - {"bits"}:
        bounds = leaves if name in ("value", "leaf_cover") else splits
        mine[name] = arrays[name][bounds[0] : bounds[-1]]
    places = arrays["bits_start"][splits[0] : splits[-1] + 1]
    mine |= {"splits": splits - splits[0], "leaves": leaves - leaves[0]}
    mine |= {"bits_start": places - places[0], "bits": arrays["bits"][places[0] : places[-1]]}
    return Forest.from_arrays(mine)
