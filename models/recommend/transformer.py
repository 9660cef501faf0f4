"""A sequence transformer: one block of attention over the recent events asks for the next item.

Its answer is a vector, whose product with every item's own vector, the same that the events were
read by, is the score (self-attentive sequential recommendation; Kang and McAuley, 2018). Served
from its plain weights; the ONNX file beside them is the same network for anybody else. Knows
nothing of how it was learned.
"""

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from numba import njit

from models.recommend.attention import Dims, attend, size
from models.recommend.member import Floats, Ints, Moving, Past, frozen, standardise
from models.recommend.rounded import Rounded, products, spread_of, whole
from models.recommend.touched import Asked

Bytes = npt.NDArray[np.uint8]
NO_LIMIT = np.float32(np.inf)


@njit(cache=True, nogil=True, error_model="numpy")
def _within(
    indices: np.ndarray, days: np.ndarray, norms: np.ndarray, length: int, limit: float
) -> np.ndarray:
    """Answer the places of the last `length` events no older than `limit` days, oldest first.

    Items without a vector count as not there. Where all are older, age does not matter.
    """
    kept = np.empty(min(length, indices.shape[0]), np.int64)
    for most in (limit, np.inf):
        size = 0
        for j in range(indices.shape[0] - 1, -1, -1):
            if size == kept.shape[0] or not days[j] <= most:
                break
            if norms[indices[j]] > 0:
                size += 1
                kept[kept.shape[0] - size] = j
        if size:
            return kept[kept.shape[0] - size :]
    return kept[:0]


@njit(cache=True, nogil=True, error_model="numpy")
def _vector(
    learned: tuple[np.ndarray, Dims, np.ndarray, np.ndarray],
    events: tuple[np.ndarray, np.ndarray, np.ndarray],
    window: tuple[int, float],
) -> np.ndarray:
    """Answer float32[d]; zeros where no event has a say."""
    packed, dims, table, norms = learned
    indices, days, kinds = events
    kept = _within(indices, days, norms, window[0], window[1])
    if kept.shape[0] == 0:
        return np.zeros(dims.width, np.float32)
    return attend(packed, dims, table, indices[kept], days[kept], kinds[kept])


@njit(cache=True, nogil=True, error_model="numpy")
def _score(
    learned: tuple[np.ndarray, Dims, np.ndarray, np.ndarray],
    events: tuple[np.ndarray, np.ndarray, np.ndarray],
    window: tuple[int, float],
    blocks: np.ndarray,
    spread: tuple[np.ndarray, np.ndarray, int],
    out: np.ndarray,
) -> tuple[float, float]:
    vector = whole(_vector(learned, events, window))
    return products(blocks, spread, vector, out)


@njit(cache=True, nogil=True, error_model="numpy")
def _without_each(
    learned: tuple[np.ndarray, Dims, np.ndarray, np.ndarray],
    events: tuple[np.ndarray, np.ndarray, np.ndarray],
    window: tuple[int, float],
    targets: np.ndarray,
) -> np.ndarray:
    """Answer float32[t, h]: by how much each target's score falls without each event."""
    table, norms = learned[2], learned[3]
    indices, days, kinds = events
    h, d = indices.shape[0], table.shape[1]
    out = np.zeros((targets.shape[0], h), np.float32)
    kept = _within(indices, days, norms, window[0], window[1])
    indices, days, kinds = indices[kept], days[kept], kinds[kept]
    if kept.shape[0] == 0:
        return out
    full = _vector(learned, (indices, days, kinds), window)
    rest = np.ones(kept.shape[0], np.bool_)
    for j in range(kept.shape[0]):
        rest[j] = False
        gone = full - _vector(learned, (indices[rest], days[rest], kinds[rest]), window)
        rest[j] = True
        for t in range(targets.shape[0]):
            dot, line = np.float32(0), table[targets[t]]
            for k in range(d):
                dot += gone[k] * line[k]
            out[t, kept[j]] = dot
    return out


class Transformer(Moving):
    """Item vectors, the block's weights, and how much of a history it looks at."""

    def __init__(
        self,
        vectors: np.ndarray,
        packed: np.ndarray,
        onnx: Bytes,
        dims: Dims,
        *,
        length: int = 200,
        days: float | None = 180.0,
        epochs: float = 0.0,
    ) -> None:
        """Take float32[n, d], the weights as `attention.pack` makes them, and the same as ONNX.

        length, days: the last so many events, none older unless all are; None for any age.
        epochs: how many passes it was learned in, for the record. Raises ValueError for parts
        that do not fit together.
        """
        dims = Dims(*dims)
        fits = vectors.ndim == 2 and vectors.shape[1] == dims.width and dims.width % 2 == 0
        if not fits or packed.shape != (size(dims),) or dims.width % dims.heads or length < 1:
            raise ValueError("the parts of a transformer do not fit together")
        self.dims, self.length, self.days, self.epochs = dims, int(length), days, float(epochs)
        self.vectors: Floats = frozen(vectors, np.float32)
        self.packed: Floats = frozen(packed, np.float32)
        self.onnx: Bytes = frozen(onnx, np.uint8)
        self._rounded = Rounded(self.vectors)
        self._learned = (self.packed, self.dims, self.vectors, self._rounded.norms)
        self._window = (self.length, float(np.inf if days is None else days))

    def vector(self, past: Past) -> Floats:
        """Answer float32[d], what the history asks for; zeros where it says nothing."""
        return _vector(self._learned, (past.indices, past.days, past.kinds), self._window)

    def raw(self, past: Past, out: Floats) -> tuple[float, float]:
        """Write the product of every item's vector with the history's, on a scale of its own."""
        events = (past.indices, past.days, past.kinds)
        held = self._rounded
        return _score(self._learned, events, self._window, held.blocks, held.spread, out)

    @property
    def told_by(self) -> tuple[Floats, float]:
        """The item vectors and what they are multiplied by before they are rounded."""
        return self.vectors, self._rounded.scale

    def asked(self, past: Past) -> Asked:
        """Answer what the history asks for as `raw` multiplies with it."""
        vector = whole(self.vector(past))
        return Asked(vector, *spread_of(self._rounded.spread, vector))

    def influences(self, targets: Ints, past: Past) -> Floats:
        """Answer float32[t, h]: by how much a target's score falls without each event.

        The network is asked again without every event in turn: h + 1 passes.
        """
        events = (past.indices, past.days, past.kinds)
        return _without_each(self._learned, events, self._window, targets)

    def similar(self, index: int, out: Floats) -> None:
        """Write standard scores of the cosine between the item's vector and every other."""
        self._rounded.cosines(self.vectors[index], out)
        standardise(out)

    def arrays(self) -> dict[str, np.ndarray]:
        """Answer vectors, packed and onnx; see the constructor."""
        return {"vectors": self.vectors, "packed": self.packed, "onnx": self.onnx}

    def params(self) -> dict[str, Any]:
        """Answer the sizes, the window and the passes it took."""
        return {
            "dims": list(self.dims),
            "length": self.length,
            "days": self.days,
            "epochs": self.epochs,
        }

    @classmethod
    def from_parts(cls, arrays: dict[str, np.ndarray], params: dict[str, Any]) -> Self:
        """Make the member again from what `arrays` and `params` answered."""
        parts = arrays["vectors"], arrays["packed"], arrays["onnx"]
        return cls(*parts, **{**params, "dims": Dims(*params["dims"])})
