"""Content: what items are, by their catalogue entries, in a space learned from what is taken.

An item has a vector v (what it is) and a profile p (what those who had it go on to take); the
score of item i is v_i . sum over the history of weight * decay^age * p_j. Items that nobody has
had yet get both from their entry alone. Knows nothing of how the space was learned.
"""

from typing import Any, Self

import numpy as np
from numba import njit

from domain.items import Item
from models.recommend.encoder import Encoder
from models.recommend.member import Floats, Ints, Moving, Past, frozen, standardise
from models.recommend.rounded import Rounded, products, spread_of, whole
from models.recommend.touched import Asked

_FADED = 1e-4


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def _fading(weights: np.ndarray, decay: float) -> np.ndarray:
    out = np.zeros(weights.shape[0], np.float32)
    left = 1.0
    for j in range(out.shape[0] - 1, -1, -1):
        if left < _FADED:
            break
        out[j] = left * weights[j]
        left *= decay
    return out


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def _taste(
    profiles: np.ndarray, indices: np.ndarray, weights: np.ndarray, decay: float
) -> np.ndarray:
    out = np.zeros(profiles.shape[1], np.float32)
    left = 1.0
    for j in range(indices.shape[0] - 1, -1, -1):
        if left < _FADED:
            break
        share = np.float32(left * weights[j])
        row = profiles[indices[j]]
        for k in range(out.shape[0]):
            out[k] += share * row[k]
        left *= decay
    return out


class Content(Moving):
    """Vectors and profiles of the model's items, and what makes those of any other.

    vectors: float32[n, d] of length 1, d even, zeros for items the catalogue says nothing of.
    profiles: float32[n, d]. echo: float32[d, d], from the vector of an item to the profile that
    it may be expected to have. trust: what the score of an item that nobody has had yet is
    worth beside that of the others, 0 to 1; see models.recommend.arrivals.
    """

    def __init__(
        self,
        encoder: Encoder,
        vectors: np.ndarray,
        profiles: np.ndarray,
        echo: np.ndarray,
        numbers: tuple[float, float],
    ) -> None:
        """Take the learned arrays, and (decay, trust)."""
        self.encoder = encoder
        self.vectors: Floats = frozen(vectors, np.float32)
        self.profiles: Floats = frozen(profiles, np.float32)
        self.echo: Floats = frozen(echo, np.float32)
        self.decay, self.trust = map(float, numbers)
        if self.vectors.shape != self.profiles.shape:
            raise ValueError("vectors and profiles of a content member do not fit together")
        self._rounded = Rounded(self.vectors)
        wide = self.vectors.astype(np.float64)
        self._spread = wide.sum(axis=0), wide.T @ wide, max(len(wide), 1)

    @property
    def speaks(self) -> bool:
        """Whether anything was learned: False for a log without a catalogue."""
        return bool(self.profiles.any())

    def entry(self, item: Item) -> tuple[Floats, Floats]:
        """Answer vector and profile of any item, from its catalogue entry alone."""
        vector = self.encoder.vector(item)
        return vector, vector @ self.echo

    def raw(self, past: Past, out: Floats) -> tuple[float, float]:
        """Write the product of every item's vector with the user's, on a scale of its own."""
        return self.told(_taste(self.profiles, past.indices, past.weights, self.decay), out)

    def told(self, taste: Floats, out: Floats) -> tuple[float, float]:
        """Write the scores for a user's vector, float32[d]; see `raw`."""
        return products(self._rounded.blocks, self._rounded.spread, whole(taste), out)

    @property
    def told_by(self) -> tuple[Floats, float]:
        """The item vectors and what they are multiplied by before they are rounded."""
        return self.vectors, self._rounded.scale

    def asked(self, past: Past) -> Asked:
        """Answer the user's vector as `raw` multiplies with it."""
        return self.asked_by(_taste(self.profiles, past.indices, past.weights, self.decay))

    def asked_by(self, taste: Floats) -> Asked:
        """Answer a user's vector, float32[d], as `told` multiplies with it."""
        vector = whole(taste)
        return Asked(vector, *spread_of(self._rounded.spread, vector))

    def moments(self, taste: Floats) -> tuple[float, float]:
        """Answer mean and deviation of all vectors' products with a user's, before rounding."""
        sums, squares, n = self._spread
        wide = taste.astype(np.float64)
        mean = float(sums @ wide) / n
        return mean, max(0.0, float(wide @ squares @ wide) / n - mean * mean) ** 0.5

    def influences(self, targets: Ints, past: Past) -> Floats:
        """Answer float32[t, h]: what each event adds to each target's score."""
        weights = _fading(past.weights, self.decay)
        return (self.vectors[targets] @ self.profiles[past.indices].T) * weights

    def similar(self, index: int, out: Floats) -> None:
        """Write standard scores of the cosine between the item's vector and every other."""
        self.like(self.vectors[index], out)
        standardise(out)

    def like(self, vector: Floats, out: Floats) -> None:
        """Write the cosine of float32[d] with every item's vector, on a scale of its own."""
        self._rounded.cosines(vector, out)

    def arrays(self) -> dict[str, np.ndarray]:
        """Answer the encoder's arrays, vectors, profiles and echo."""
        own = {"vectors": self.vectors, "profiles": self.profiles, "echo": self.echo}
        return {**self.encoder.arrays(), **own}

    def params(self) -> dict[str, Any]:
        """Answer decay, trust and the bands of numbers."""
        return {"decay": self.decay, "trust": self.trust, "bands": self.encoder.bands}

    @classmethod
    def from_parts(cls, arrays: dict[str, np.ndarray], params: dict[str, Any]) -> Self:
        """Make the member again from what `arrays` and `params` answered."""
        encoder = Encoder.from_parts(arrays, params)
        own = (arrays["vectors"], arrays["profiles"], arrays["echo"])
        return cls(encoder, *own, (params["decay"], params["trust"]))
