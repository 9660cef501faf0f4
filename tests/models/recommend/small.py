"""A small recommender made by hand, every member in it, and histories for it."""

import numpy as np

from domain.clock import DAY_MS
from domain.events import KINDS, Kind
from domain.ids import hash64
from models.recommend.factors import Factors
from models.recommend.item_graph import ItemGraph
from models.recommend.member import Past, frozen
from models.recommend.model import RecommendModel
from models.recommend.popularity import Popularity
from models.recommend.repeats import Repeats

AS_OF = 1_700_000_000_000


def past_of(indices, weights=None, days=None, kinds=None) -> Past:
    """A past of item numbers, oldest first; one day apart, each of weight 1, unless said."""
    h = len(indices)
    return Past(
        np.array(indices, np.int32),
        np.ones(h, np.float32) if weights is None else np.array(weights, np.float32),
        np.arange(h, 0, -1).astype(np.float32) if days is None else np.array(days, np.float32),
        np.arange(h, dtype=np.int32),
        np.full(h, Kind.purchase, np.uint8) if kinds is None else np.array(kinds, np.uint8),
    )


def graph_of(n: int, edges: dict[tuple[int, int], float], decay: float = 0.5) -> ItemGraph:
    """A graph of n items with the given weighted edges."""
    pairs = sorted(edges)
    offsets = np.searchsorted([source for source, _ in pairs], np.arange(n + 1))
    return ItemGraph(
        offsets,
        np.array([target for _, target in pairs], np.int32),
        np.array([edges[pair] for pair in pairs], np.float32),
        decay,
    )


def small_model(n: int = 40, again: bool = False, seed: int = 3, **weights) -> RecommendModel:
    """A model of n items i0, i1, … with random members; `weights` replaces those of members.

    again: whether items of the history may be answered.
    """
    rng = np.random.default_rng(seed)
    edges = {(int(a), int(b)): float(rng.random()) for a, b in rng.integers(0, n, (5 * n, 2))}
    members = {
        "popularity": Popularity(rng.integers(1, 50, n).astype(np.float32), None),
        "trend": Popularity(rng.integers(1, 50, n).astype(np.float32), 7.0),
        "graph": graph_of(n, edges),
        "factors": Factors(rng.normal(0, 0.3, (n, 8)).astype(np.float32), 0.5, 10.0, 0.9),
        "repeats": Repeats(rng.uniform(0.1, 1, n).astype(np.float32), 30.0),
    }
    chosen = {"popularity": 0.1, "trend": 0.05, "graph": 1.0, "factors": 0.6, "repeats": 0.2}
    chosen.update(weights)
    kinds = np.zeros(KINDS, np.float32)
    kinds[[Kind.click, Kind.purchase]] = 0.5, 1.0
    items = tuple(f"i{i}" for i in range(n))
    return RecommendModel(
        items=items,
        hashes=frozen(np.array([hash64(item) for item in items], np.uint64), np.uint64),
        members=tuple(members),
        scorers=tuple(members.values()),
        weights=frozen(np.array([chosen[name] for name in members]), np.float32),
        kind_weights=frozen(kinds, np.float32),
        repeats=again,
    )


def history(rng: np.random.Generator, n: int, h: int):
    """Random (indices, kinds, ats), oldest first, before AS_OF; clicks, purchases, impressions."""
    indices = rng.integers(0, n, h).astype(np.int32)
    kinds = rng.choice([Kind.impression, Kind.click, Kind.purchase], h).astype(np.uint8)
    ats = AS_OF - np.sort(rng.integers(1, 90 * DAY_MS, h))[::-1].astype(np.int64)
    return indices, kinds, ats
