"""A released recommender over many more items: its own, again and again, a little different.

Copies know each other through item vectors alone, which are moved by some noise; what follows
what, who bought what together and which categories there are stays within a copy. Synthetic, for
costs and for what an index finds, and no statement about quality. Knows nothing of timing.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from models.recommend.member import frozen
from models.recommend.model import RecommendModel
from models.recommend.ranker import Ranker

NOISE = 0.3
"""Noise of a copied vector, in deviations of each of its numbers."""
SEED = 20

Arrays = dict[str, np.ndarray]


def _moved(rows: np.ndarray, copies: int, rng: np.random.Generator) -> np.ndarray:
    noise = NOISE * rows.std(axis=0)
    more = [rows + noise * rng.standard_normal(rows.shape, np.float32) for _ in range(copies - 1)]
    return np.concatenate([rows, *more]).astype(np.float32)


def _ends(offsets: np.ndarray, copies: int) -> np.ndarray:
    """Answer int64[copies * n + 1] for rows that are copied one block after the other."""
    whole = int(offsets[-1])
    return np.concatenate([[0], *(offsets[1:] + copy * whole for copy in range(copies))])


def _numbered(values: np.ndarray, copies: int, size: int) -> np.ndarray:
    """Answer numbers of so many things, each copy with things of its own."""
    return np.concatenate([values + copy * size for copy in range(copies)]).astype(np.int32)


def _copied(arrays: Arrays, n: int, copies: int, rng: np.random.Generator) -> Arrays:
    """Answer the arrays of one member for copies * n items."""
    sizes = {
        "sessions": len(arrays.get("days", ())),
        "groups": len(arrays.get("group_offsets", ())),
    }
    ways: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        **dict.fromkeys(("offsets", "ends", "group_offsets"), lambda a: _ends(a, copies)),
        **dict.fromkeys(("targets", "items"), lambda a: _numbered(a, copies, n)),
        "sessions": lambda a: _numbered(a, copies, sizes["sessions"]),
        "groups": lambda a: _numbered(a, copies, sizes["groups"] - 1),
        **dict.fromkeys(("vectors", "factors", "profiles"), lambda a: _moved(a, copies, rng)),
        **dict.fromkeys(
            ("weights", "counts", "shares", "days", "facts"), lambda a: _again(a, copies)
        ),
    }
    return {key: ways[key](array) if key in ways else array for key, array in arrays.items()}


def _again(values: np.ndarray, copies: int) -> np.ndarray:
    return np.concatenate([values] * copies)


def copied(model: RecommendModel, items: int) -> RecommendModel:
    """Answer a model of at least so many items, made of whole copies of this one's."""
    n, rng = len(model), np.random.default_rng(SEED)
    copies = -(-items // n)
    scorers = []
    for member in model.scorers:
        own: Any = type(member)
        scorers.append(own.from_parts(_copied(member.arrays(), n, copies, rng), member.params()))
    return replace(
        model,
        items=tuple(f"{item}-{copy}" for copy in range(copies) for item in model.items),
        # As good as hashes of the new names, and quicker to make.
        hashes=frozen(
            rng.integers(1, 2**63, copies * n).astype(np.uint64),
            np.uint64,
        ),
        scorers=tuple(scorers),
        ranker=None if model.ranker is None else _ranking(model.ranker, copies),
    )


def _ranking(ranker: Ranker, copies: int) -> Ranker:
    scenery = ranker.scenery
    return replace(
        ranker,
        facts=frozen(_again(ranker.facts, copies), np.float32),
        scenery=None if scenery is None else scenery.without_lifts(),
    )
