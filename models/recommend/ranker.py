"""The ranker: a forest that looks again at the best of the blend and puts them in its own order.

The blend lends its scores: the candidate that the forest likes best gets the highest of theirs,
the next the next, so that candidates stay above all others and scores stay on one scale. Knows
nothing of how the forest was learned.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from numba import njit

from models.forest.forest import Forest
from models.recommend.blend import Scored
from models.recommend.candidates import ITEM, Scene, columns_of, features, told_scores
from models.recommend.member import Floats, Ints, Past, frozen
from models.recommend.scenery import Scenery
from models.recommend.topk import top_k

_SCENERY = "scenery_"
MOST = 150
"""Candidates that are looked at again."""
_FLAT = 1e-9
"""A forest whose worths differ by less, as a share of their mean, says nothing."""


@njit(cache=True, nogil=True, error_model="numpy")
def lift(total: np.ndarray, chosen: np.ndarray, worth: np.ndarray) -> np.ndarray:
    """Give the scores of int32[c] items, best first, to the same items in the order of `worth`.

    Answers int32[c], that order. total: float32[n], changed in place. worth: float64[c]. Equal
    worth keeps the order of the scores. Scores that would be equal are raised by the least
    step, so that the order holds.
    """
    count = chosen.shape[0]
    lent = np.empty(count, np.float32)
    for c in range(count - 1, -1, -1):
        lent[c] = total[chosen[c]]
        floor = lent[c + 1] if c + 1 < count else lent[c]
        lent[c] = max(lent[c], np.nextafter(floor, np.float32(np.inf)))
    order = np.argsort(-worth, kind="mergesort")
    best = np.empty(count, np.int32)
    for c in range(count):
        best[c] = chosen[order[c]]
        total[best[c]] = lent[c]
    return best


@dataclass(frozen=True, eq=False)
class Ranker:
    """A forest over the columns of `candidates.columns_of(voices)` and, after them, of a scenery.

    voices: the blend's, in its order. facts: float32[n, len(ITEM)], what is known of each item
    as of the fit. most: how many candidates there are at most. scenery: None where the forest
    was learned without answers that say where they were shown; it then costs nothing. lean:
    float64[voices], see `leaned`; None for the order as it was learned.
    """

    voices: tuple[str, ...]
    forest: Forest
    facts: Floats
    most: int = MOST
    scenery: Scenery | None = None
    lean: npt.NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        if self.forest.features != len(ranked_columns(self.voices, self.scenery)):
            raise ValueError("the ranker's forest has other columns than its voices make")
        if self.facts.ndim != 2 or self.facts.shape[1] != len(ITEM):
            raise ValueError("the ranker's facts are not those of items")
        if self.lean is not None and self.lean.shape != (len(self.voices),):
            raise ValueError("the ranker leans to other voices than it has")

    def chosen(self, scored: Scored, allowed: np.ndarray | None) -> Ints:
        """Answer int32 of the candidates, best of the blend first; allowed: bool[m], m ≥ n."""
        some = None if allowed is None else allowed[: scored.total.shape[0]]
        return top_k(scored.total, self.most, some)

    def reorder(
        self, scored: Scored, past: Past, allowed: np.ndarray | None, scene: Scene
    ) -> Scored:
        """Put the candidates in the forest's order, in `scored.total` itself."""
        chosen = self.chosen(scored, allowed)
        rows = features(chosen, past, scored, self.facts, scene)
        if self.scenery is not None:
            rows = np.vstack([rows.T, self.scenery.tell(chosen, scene).T]).T
        worth = self.forest.raw(rows)
        if self.lean is not None:
            worth = leaned(worth, told_scores(rows, len(self.voices)), self.lean)
        return scored._replace(best=lift(scored.total, chosen, worth))

    def arrays(self) -> dict[str, np.ndarray]:
        """Answer every array by name, for a bundle."""
        forest = {f"forest_{name}": array for name, array in self.forest.arrays().items()}
        scenery = {} if self.scenery is None else self.scenery.arrays()
        return {"facts": self.facts, **forest, **{_SCENERY + k: v for k, v in scenery.items()}}

    def params(self) -> dict[str, Any]:
        """Answer what is no array, as JSON values."""
        scenery = {} if self.scenery is None else {"scenery": self.scenery.params()}
        known = {"voices": list(self.voices), "most": self.most, "trees": len(self.forest)}
        lean = {} if self.lean is None else {"lean": self.lean.tolist()}
        return known | scenery | lean

    @classmethod
    def from_parts(cls, arrays: dict[str, np.ndarray], params: dict[str, Any]) -> Self:
        """Make the ranker again; raises KeyError or ValueError for parts that do not fit."""
        scenery = None
        if "scenery" in params:
            scenery = Scenery.from_parts(_named(arrays, _SCENERY), params["scenery"])
        return cls(
            tuple(params["voices"]),
            Forest.from_arrays(_named(arrays, "forest_")),
            frozen(arrays["facts"], np.float32),
            int(params["most"]),
            scenery,
            np.array(params["lean"], np.float64) if "lean" in params else None,
        )


@njit(cache=True, nogil=True, error_model="numpy")
def leaned(worth: np.ndarray, told: np.ndarray, lean: np.ndarray) -> np.ndarray:
    """Answer the forest's worth of c candidates, float64[c], leaning to some voices.

    told: float64[c, 1 + v], the blend's score of each and every voice's standard score. lean:
    float64[v], what a mix adds to each voice's weight in the blend. The worth is put on the
    blend's scale and the mix's addition put on top: a forest that said what the blend says would
    then say just what the blend says with the mix's weights.
    """
    count = worth.shape[0]
    means, squares = np.zeros(2), np.zeros(2)
    for c in range(count):
        means[0] += worth[c] / count
        means[1] += told[c, 0] / count
    for c in range(count):
        squares[0] += (worth[c] - means[0]) ** 2
        squares[1] += (told[c, 0] - means[1]) ** 2
    own, blend = np.sqrt(squares[0] / count), np.sqrt(squares[1] / count)
    scale = blend / own if own > _FLAT * abs(means[0]) else 0.0
    out = np.empty(count)
    for c in range(count):
        out[c] = (worth[c] - means[0]) * scale
        for v in range(lean.shape[0]):
            out[c] += told[c, 1 + v] * lean[v]
    return out


def ranked_columns(voices: tuple[str, ...], scenery: Scenery | None) -> tuple[str, ...]:
    """Answer the name of every column that a ranker beside these is told."""
    return (*columns_of(voices), *(() if scenery is None else scenery.columns))


def _named(arrays: dict[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }
