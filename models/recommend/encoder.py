"""From an item's catalogue entry to its vector, whether a model has learned the item or not.

Tokens weigh (1 + ln count) * idf, each item's weights have length 1 (Salton and Buckley, 1988),
and a learned projection takes them to a space of tastes, where they are made unit length. Knows
nothing of how the projection was learned.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from domain.ids import hash64
from domain.items import Item
from models.recommend.member import Floats, Ints, frozen
from models.recommend.words import Bands, tokens


def hashed(counts: Mapping[str, int]) -> tuple[npt.NDArray[np.uint64], Floats]:
    """Answer the hashes of tokens, uint64[t] rising, and how often each stands there."""
    hashes = np.array([hash64(token) for token in counts], np.uint64)
    order = np.argsort(hashes)
    return hashes[order], np.array(list(counts.values()), np.float32)[order]


class Encoder:
    """What turns an item into a vector of d numbers.

    vocabulary: uint64[v] hashes of the tokens that were learned, rising; idf: float32[v];
    projection: float32[v, d]; bands: see models.recommend.words.
    """

    def __init__(
        self,
        vocabulary: np.ndarray,
        idf: np.ndarray,
        projection: np.ndarray,
        bands: Bands,
    ) -> None:
        self.vocabulary: npt.NDArray[np.uint64] = frozen(vocabulary, np.uint64)
        self.idf: Floats = frozen(idf, np.float32)
        self.projection: Floats = frozen(projection, np.float32)
        self.bands: dict[str, Sequence[float]] = {name: list(bands[name]) for name in bands}
        if not len(self.vocabulary) == len(self.idf) == len(self.projection):
            raise ValueError("an encoder's vocabulary, idf and projection do not fit together")

    def weights(self, item: Item) -> tuple[Ints, Floats]:
        """Answer the places of an item's known tokens and their weights, of length 1 in all."""
        return self.weigh(*hashed(tokens(item, self.bands)))

    def weigh(self, hashes: npt.NDArray[np.uint64], counts: Floats) -> tuple[Ints, Floats]:
        """Answer places and weights of tokens as `hashed` gives them."""
        if not len(self.vocabulary):
            return np.zeros(0, np.int32), np.zeros(0, np.float32)
        places = np.minimum(np.searchsorted(self.vocabulary, hashes), len(self.vocabulary) - 1)
        known = self.vocabulary[places] == hashes
        places = places[known]
        weights = (1 + np.log(counts[known])) * self.idf[places]
        length = float(np.sqrt(weights @ weights))
        return places.astype(np.int32), weights / np.float32(length or 1.0)

    def vector(self, item: Item) -> Floats:
        """Answer float32[d] of length 1; zeros for an item with no token that was learned."""
        return self.project(*self.weights(item))

    def project(self, places: Ints, weights: Floats) -> Floats:
        """Answer the vector of weighed tokens; see `vector`."""
        vector = weights @ self.projection[places]
        length = float(np.sqrt(vector @ vector))
        return vector / np.float32(length) if length > 1e-12 else np.zeros_like(vector)

    def arrays(self) -> dict[str, np.ndarray]:
        """Answer vocabulary, idf and projection."""
        return {
            "vocabulary": self.vocabulary,
            "idf": self.idf,
            "projection": self.projection,
        }

    @classmethod
    def from_parts(cls, arrays: dict[str, np.ndarray], params: dict[str, Any]) -> Self:
        """Make the encoder again; params: bands."""
        names = ("vocabulary", "idf", "projection")
        return cls(*(arrays[name] for name in names), bands=params["bands"])
