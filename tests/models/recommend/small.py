"""A small recommender made by hand, every member in it, and histories for it."""

from dataclasses import replace

import numpy as np

from domain.clock import DAY_MS
from domain.events import KINDS, Kind
from domain.ids import hash64
from models.forest import Forest
from models.recommend.candidates import ITEM, columns_of
from models.recommend.ease import Ease
from models.recommend.factors import Factors
from models.recommend.graph_filter import GraphFilter
from models.recommend.item_graph import ItemGraph
from models.recommend.member import Past, frozen
from models.recommend.model import RecommendModel
from models.recommend.neighbours import Nearness, Neighbours
from models.recommend.popularity import Popularity
from models.recommend.ranker import Ranker
from models.recommend.repeats import FEATURES, Repeats

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


def repeats_of(rates, lift: float = 3.0, **coefficients: float) -> Repeats:
    """Repeats of items had again at these rates: often, lately and readily counts, unless said."""
    facts = np.stack([np.log(rates), np.zeros(len(rates)), np.zeros(len(rates))], axis=1)
    chosen = coefficients or {"often": 1.0, "since": -0.3, "log_rate": 1.0}
    learned = [chosen.get(name, 0.0) for name in ("alone", *FEATURES)]
    return Repeats(facts, np.array(learned), lift)


def neighbours_of(n: int, sessions: list[list[int]], nearness: Nearness) -> Neighbours:
    """Neighbours among sessions of item numbers, most recent first, a day apart."""
    holders = [[s for s, items in enumerate(sessions) if i in items] for i in range(n)]
    log = {
        "ends": np.cumsum([0, *map(len, sessions)]),
        "items": np.array([item for items in sessions for item in items], np.int32),
        "days": np.arange(len(sessions)),
        "offsets": np.cumsum([0, *map(len, holders)]),
        "sessions": np.array([s for held in holders for s in held], np.int32),
        "counts": np.array([len(held) for held in holders]),
    }
    return Neighbours(log, nearness)


def small_model(n: int = 40, again: bool = False, seed: int = 3, **weights) -> RecommendModel:
    """A model of n items i0, i1, … with random members; `weights` replaces those of members.

    again: whether items of the history may be answered.
    """
    rng = np.random.default_rng(seed)
    edges = {(int(a), int(b)): float(rng.random()) for a, b in rng.integers(0, n, (5 * n, 2))}
    graph = graph_of(n, edges)
    members = {
        "popularity": Popularity(rng.integers(1, 50, n).astype(np.float32), None),
        "trend": Popularity(rng.integers(1, 50, n).astype(np.float32), 7.0),
        "graph": graph,
        "factors": Factors(rng.normal(0, 0.3, (n, 8)).astype(np.float32), 0.5, 10.0, 0.9),
        "repeats": repeats_of(rng.uniform(0.1, 1, n)),
    }
    members["ease"] = Ease(*graph.edges, 0.7)
    members["filter"] = GraphFilter(*graph.edges, 0.9)
    sessions = [[(s * 7 + place) % n for place in range(5)] for s in range(2 * n)]
    members["neighbours"] = neighbours_of(n, sessions, Nearness())
    chosen = {"popularity": 0.1, "trend": 0.05, "graph": 1.0, "factors": 0.6, "repeats": 0.2}
    chosen |= {"ease": 0.1, "filter": 0.05, "neighbours": 0.1}
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


def random_forest(features: int, trees: int = 12, seed: int = 0) -> Forest:
    """Trees of one split each on random columns; missing values go right."""
    rng = np.random.default_rng(seed)
    two = np.arange(0, 2 * trees + 1, 2)
    arrays: dict[str, np.ndarray] = {
        "splits": np.arange(trees + 1),
        "leaves": two,
        "feature": rng.integers(0, features, trees),
        "threshold": rng.normal(0.5, 1.0, trees),
        "kind": np.zeros(trees),
        "missing_left": np.zeros(trees),
        "left": np.full(trees, ~0),
        "right": np.full(trees, ~1),
        "cover": np.full(trees, 2.0),
        "bits_start": np.zeros(trees + 1),
        "bits": np.zeros(0),
        "value": rng.normal(size=2 * trees),
        "leaf_cover": np.ones(2 * trees),
    }
    return Forest.from_arrays({**arrays, "features": np.array([features])})


def ranked_model(n: int = 40, most: int = 20, seed: int = 0, **weights) -> RecommendModel:
    """A small model that puts the best of its blend in the order of a random forest."""
    model = small_model(n, **weights)
    everybody = frozen(np.maximum(model.weights, np.float32(1e-9)), np.float32)
    voices = replace(model, weights=everybody).voices
    forest = random_forest(len(columns_of(voices)), seed=seed)
    facts = np.random.default_rng(seed).random((n, len(ITEM))).astype(np.float32)
    return replace(model, ranker=Ranker(voices, forest, frozen(facts, np.float32), most))


def history(rng: np.random.Generator, n: int, h: int):
    """Random (indices, kinds, ats), oldest first, before AS_OF; clicks, purchases, impressions."""
    indices = rng.integers(0, n, h).astype(np.int32)
    kinds = rng.choice([Kind.impression, Kind.click, Kind.purchase], h).astype(np.uint8)
    ats = AS_OF - np.sort(rng.integers(1, 90 * DAY_MS, h))[::-1].astype(np.int64)
    return indices, kinds, ats
