"""The released recommender: item numbers, members, weights; from a history to every score.

It scores and explains; what may be shown, and what to do without a history, is the policy's.
Knows nothing of stores, users or time: the history and `as_of` are arguments.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
from numba import njit

from domain.clock import DAY_MS
from domain.events import KINDS
from domain.ids import hash64
from models.recommend.blend import Blend, Scored
from models.recommend.candidates import ANY_TIME, Scene, scene_of
from models.recommend.category import Category
from models.recommend.cells import PARTS, Cells
from models.recommend.content import Content
from models.recommend.ease import Ease
from models.recommend.factors import Factors
from models.recommend.graph_filter import GraphFilter
from models.recommend.item_graph import ItemGraph
from models.recommend.member import Floats, Ints, Member, Past, frozen, standardise
from models.recommend.narrow import Found, Narrow
from models.recommend.neighbours import Neighbours
from models.recommend.popularity import Popularity
from models.recommend.ranker import Ranker
from models.recommend.repeats import Repeats
from models.recommend.topk import top_k
from models.recommend.touched import Asking
from models.recommend.transformer import Transformer

if TYPE_CHECKING:
    from models.bundle import Bundle

MEMBERS: dict[str, type[Member]] = {
    "popularity": Popularity,
    "trend": Popularity,
    "category": Category,
    "graph": ItemGraph,
    "factors": Factors,
    "ease": Ease,
    "filter": GraphFilter,
    "neighbours": Neighbours,
    "repeats": Repeats,
    "content": Content,
    "transformer": Transformer,
}
"""Every member by name. A new one adds its line here and one beside its fit."""

Hashes = npt.NDArray[np.uint64]
_RANKER, _INDEX = "ranker_", "index_"


def _named(arrays: dict[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    """Answer the arrays whose names begin with `prefix`, without it."""
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }


@njit(cache=True, nogil=True, error_model="numpy")
def _counting(
    indices: np.ndarray, kinds: np.ndarray, ats: np.ndarray, as_of: int, kind_weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    h = indices.shape[0]
    kept = np.empty(h, np.int32)
    weights = np.empty(h, np.float32)
    days = np.empty(h, np.float32)
    places = np.empty(h, np.int32)
    heard = np.empty(h, np.uint8)
    size = 0
    for j in range(h):
        if indices[j] < 0 or kinds[j] >= kind_weights.shape[0] or kind_weights[kinds[j]] <= 0:
            continue
        kept[size] = indices[j]
        weights[size] = kind_weights[kinds[j]]
        days[size] = max(0, as_of - ats[j]) / DAY_MS
        places[size] = j
        heard[size] = kinds[j]
        size += 1
    return kept[:size], weights[:size], days[:size], places[:size], heard[:size]


@njit(cache=True, nogil=True, error_model="numpy")
def _find(
    hashes: np.ndarray, sorted_hashes: np.ndarray, order: np.ndarray, out: np.ndarray
) -> None:
    for j in range(hashes.shape[0]):
        wanted = hashes[j]
        low, high = 0, sorted_hashes.shape[0]
        while low < high:
            middle = (low + high) >> 1
            if sorted_hashes[middle] < wanted:
                low = middle + 1
            else:
                high = middle
        found = low < sorted_hashes.shape[0] and sorted_hashes[low] == wanted
        out[j] = order[low] if found else -1


@dataclass(frozen=True, eq=False)
class RecommendModel:
    """A blend over a fixed catalogue of n items; all methods are pure and may run in threads.

    items: ids, in the order of their numbers. hashes: uint64[n], hash64 of each.
    members: every member's name; voices: those with a weight above 0, in the order of
    `Scored.parts`, what is the same for everybody first. kind_weights: float32[KINDS], what an
    event of each kind says; 0 is ignored. repeats: whether items of the history may be
    recommended again unless the request says otherwise, as learned from the log. ranker: what
    looks again at the best of the blend, None where validation did not speak for one; the
    members it is told of are heard even at weight 0. index: cells of the item vectors by member,
    where items are too many to score all of them for every answer; empty without. tally: how
    answers came about with an index (see narrow.Narrow), shared with every mix of this model.
    """

    items: tuple[str, ...]
    hashes: Hashes
    members: tuple[str, ...]
    scorers: tuple[Member, ...]
    weights: Floats
    kind_weights: Floats
    repeats: bool = False
    ranker: Ranker | None = None
    index: Mapping[str, Cells] = field(default_factory=dict[str, Cells])
    tally: Counter[str] = field(default_factory=Counter[str], repr=False)
    narrow: Narrow | None = field(init=False, repr=False)
    voices: tuple[str, ...] = field(init=False)
    blend: Blend = field(init=False, repr=False)
    _sorted: Hashes = field(init=False, repr=False)
    _order: Ints = field(init=False, repr=False)

    def __post_init__(self) -> None:
        order = np.argsort(self.hashes, kind="stable")
        also = self.ranker.voices if self.ranker else ()
        blend = Blend(self.members, self.scorers, self.weights, len(self.items), also)
        if self.ranker and self.ranker.voices != blend.voices:
            raise ValueError("the ranker was learned beside other members")
        if self.ranker and len(self.ranker.facts) != len(self.items):
            raise ValueError("the ranker's facts are of other items")
        told = zip(self.members, self.scorers, strict=True)
        asking = {name for name, member in told if isinstance(member, Asking)}
        if self.index and asking != self.index.keys():
            raise ValueError("the index is of other members than those with item vectors")
        object.__setattr__(self, "blend", blend)
        narrow = Narrow(blend, self.index, tally=self.tally) if self.index else None
        object.__setattr__(self, "narrow", narrow)
        object.__setattr__(self, "voices", blend.voices)
        object.__setattr__(self, "_order", frozen(order, np.int32))
        object.__setattr__(self, "_sorted", frozen(self.hashes[order], np.uint64))

    def __len__(self) -> int:
        return len(self.items)

    def index_of(self, hashes: Hashes) -> Ints:
        """Answer int32 item numbers for uint64 hashes of item ids; -1 where unknown."""
        out = np.empty(hashes.shape[0], np.int32)
        _find(np.ascontiguousarray(hashes), self._sorted, self._order, out)
        return out

    def past(
        self, indices: Ints, kinds: npt.NDArray[np.uint8], ats: npt.NDArray[np.int64], as_of: int
    ) -> Past:
        """Answer the events that count, of a history given oldest first; unknown items are -1."""
        return Past(
            *_counting(
                np.ascontiguousarray(indices, np.int32),
                np.ascontiguousarray(kinds, np.uint8),
                np.ascontiguousarray(ats, np.int64),
                as_of,
                self.kind_weights,
            )
        )

    def score(
        self, indices: Ints, kinds: npt.NDArray[np.uint8], ats: npt.NDArray[np.int64], as_of: int
    ) -> Scored:
        """Score all n items for a history of h events, oldest first.

        indices: int32[h]; kinds: uint8[h]; ats: int64[h], UTC milliseconds; as_of: the same
        unit. Nothing is excluded: neither items of the history nor items that may not be shown.
        """
        return self.score_past(self.past(indices, kinds, ats, as_of), None, scene_of(as_of))

    def score_past(
        self, past: Past, allowed: npt.NDArray[np.bool_] | None = None, scene: Scene = ANY_TIME
    ) -> Scored:
        """Score all n items for the events of a history that count.

        With a ranker the best of the blend that may be shown (bool[m], m ≥ n; None for all) are
        put in its order, above everything else that may be shown.
        """
        scored = self.blend.score(past)
        if self.ranker is None or not past.indices.size:
            return scored
        return self.ranker.reorder(scored, past, allowed, scene)

    def propose(
        self, past: Past, allowed: npt.NDArray[np.bool_] | None = None, scene: Scene = ANY_TIME
    ) -> Scored | Found:
        """Score the best items: all of them, or with an index what members propose.

        As `score_past`; what nobody proposed then scores minus infinity.
        """
        narrow = self.narrow if past.indices.size else None
        found = None if narrow is None else narrow.find(past, allowed)
        if narrow is None or found is None:
            return self.score_past(past, allowed, scene)
        if self.ranker is None:
            return found
        return narrow.reorder(found, self.ranker, past, allowed, scene)

    def mixed(self, weights: Floats) -> Self:
        """Answer the model with other weights of its members, float32[m]: a mix of them.

        With a ranker the released blend still finds the candidates and tells of them, as the
        ranker learned it, and the ranker's order leans by what the mix adds (see
        `ranker.leaned`); members the ranker is not told of add nothing.
        """
        if self.ranker is None:
            return replace(self, weights=frozen(weights, np.float32))
        added = dict(zip(self.members, (weights - self.weights).tolist(), strict=True))
        lean = np.array([added[voice] for voice in self.ranker.voices], np.float64)
        if self.ranker.lean is not None:
            lean += self.ranker.lean
        return replace(self, ranker=replace(self.ranker, lean=lean))

    def blended(self, past: Past) -> Scored:
        """Score all n items by the blend alone, as the ranker is told."""
        return self.blend.score(past)

    def similar(self, index: int) -> Floats:
        """Answer float32[n]: likeness of every item to item `index`, which itself gets -inf."""
        total = np.zeros(len(self.items), np.float32)
        row = np.empty_like(total)
        for member, weight in zip(self.scorers, self.weights, strict=True):
            member.similar(index, row)
            # A member the blend does without may still be the only one that knows this item.
            total += max(float(weight), 0.01) * row
        standardise(total)
        total[index] = -np.inf
        return total

    def influences(
        self,
        targets: Ints,
        indices: Ints,
        kinds: npt.NDArray[np.uint8],
        ats: npt.NDArray[np.int64],
        as_of: int,
    ) -> Floats:
        """Answer float32[t, h]: how much each event speaks for each of int32[t] targets.

        A row sums to at most 1. Within a member the events share by what they add to its
        score; members share by weight.
        """
        past = self.past(indices, kinds, ats, as_of)
        out = np.zeros((len(targets), len(indices)), np.float32)
        if len(past.indices) == 0:
            return out
        scale = float(self.weights.sum()) or 1.0
        for member, weight in zip(self.scorers, self.weights, strict=True):
            if weight > 0:
                raw = np.maximum(member.influences(targets, past), 0)
                whole = np.maximum(raw.sum(axis=1, keepdims=True), np.float32(1e-12))
                out[:, past.places] += raw * (np.float32(weight / scale) / whole)
        return out

    def answer(self, row: dict[str, Any]) -> dict[str, Any]:
        """Answer a golden row: {items, kinds, ats, as_of, k} gives {items, scores}, best first."""
        hashes = np.array([hash64(item) for item in row["items"]], np.uint64)
        scored = self.score(
            self.index_of(hashes),
            np.array(row["kinds"], np.uint8),
            np.array(row["ats"], np.int64),
            row["as_of"],
        )
        best = top_k(scored.total, row["k"])
        return {
            "items": [self.items[i] for i in best],
            "scores": [float(score) for score in scored.total[best]],
        }

    def arrays(self) -> dict[str, np.ndarray]:
        """Answer every array of the model by name, for a bundle; item ids as UTF-8 bytes."""
        texts = [item.encode() for item in self.items]
        ends = np.cumsum([0, *map(len, texts)], dtype=np.int64)
        found: dict[str, np.ndarray] = {
            "items": np.frombuffer(b"".join(texts), np.uint8),
            "items_ends": ends,
            "hashes": self.hashes,
        }
        for name, member in zip(self.members, self.scorers, strict=True):
            found.update({f"{name}_{key}": array for key, array in member.arrays().items()})
        if self.ranker is not None:
            found.update({_RANKER + key: array for key, array in self.ranker.arrays().items()})
        for name, cells in self.index.items():
            found |= {f"{_INDEX}{name}_{key}": array for key, array in cells.arrays().items()}
        return found

    def params(self) -> dict[str, Any]:
        """Answer every learned number by name, as JSON values."""
        return {
            "members": {
                name: {"weight": float(weight), **member.params()}
                for name, weight, member in zip(
                    self.members, self.weights, self.scorers, strict=True
                )
            },
            # JSON objects may come back in another order, and sums are taken in this one.
            "order": list(self.members),
            "kind_weights": [float(weight) for weight in self.kind_weights],
            "repeats": self.repeats,
            **({} if self.ranker is None else {"ranker": self.ranker.params()}),
            **({"index": {k: v.probes for k, v in self.index.items()}} if self.index else {}),
        }

    @classmethod
    def from_parts(cls, arrays: dict[str, np.ndarray], params: dict[str, Any]) -> Self:
        """Make the model again from what `arrays` and `params` answered.

        Raises KeyError or ValueError when a part is missing or the parts do not fit together.
        """
        text, ends = arrays["items"].tobytes(), arrays["items_ends"].tolist()
        items = tuple(text[a:b].decode() for a, b in pairwise(ends))
        if len(items) != len(arrays["hashes"]) or len(params["kind_weights"]) > KINDS:
            raise ValueError("the arrays of a recommender do not fit together")
        scorers: list[Member] = []
        for name in params["order"]:
            numbers = params["members"][name]
            own = {key: value for key, value in numbers.items() if key != "weight"}
            scorers.append(MEMBERS[name].from_parts(_named(arrays, f"{name}_"), own))
        weights = [params["members"][name]["weight"] for name in params["order"]]
        ranker = None
        if "ranker" in params:
            ranker = Ranker.from_parts(_named(arrays, _RANKER), params["ranker"])
        return cls(
            items=items,
            hashes=frozen(arrays["hashes"], np.uint64),
            members=tuple(params["order"]),
            scorers=tuple(scorers),
            weights=frozen(np.array(weights), np.float32),
            kind_weights=frozen(np.array(params["kind_weights"]), np.float32),
            repeats=bool(params["repeats"]),
            ranker=ranker,
            index={
                name: Cells(*(arrays[f"{_INDEX}{name}_{key}"] for key in PARTS), probes=probes)
                for name, probes in params.get("index", {}).items()
            },
        )

    @classmethod
    def from_bundle(cls, bundle: "Bundle") -> Self:
        """Make the model of an opened bundle; see `from_parts` for what is raised."""
        return cls.from_parts(bundle.arrays, bundle.params)
