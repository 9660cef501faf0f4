"""Item vectors rounded to 16 bits: their products with one vector, and how those are spread.

Mean and deviation of all products follow from the vectors' sum and squares, without the
products; standard scores do not see the scale of either side. Knows nothing of where vectors
come from.
"""

import numpy as np
from numba import njit

from models.recommend.member import Floats, frozen, scale_of
from models.recommend.products import Whole, arranged, multiply


@njit(cache=True, nogil=True, error_model="numpy")
def whole(vector: np.ndarray) -> np.ndarray:
    """Round float32[d] to int16[d] whose sizes add up to at most 2^15, on a scale of its own.

    So no dot product with 16-bit numbers leaves 32 bits. Zeros for what is not finite.
    """
    size = np.float32(0)
    for k in range(vector.shape[0]):
        size += abs(vector[k])
    out = np.zeros(vector.shape[0], np.int16)
    if size > 0 and np.isfinite(size):
        scale = np.float32(32_700) / size
        for k in range(vector.shape[0]):
            out[k] = np.int16(np.rint(vector[k] * scale))
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def products(
    blocks: np.ndarray, spread: tuple[np.ndarray, np.ndarray, int], vector: np.ndarray, out: Floats
) -> tuple[float, float]:
    """Write every product with int16[d] to float32[n]; answer their mean and 1 / deviation."""
    multiply(blocks, vector, out)
    return spread_of(spread, vector)


@njit(cache=True, nogil=True, error_model="numpy")
def spread_of(
    spread: tuple[np.ndarray, np.ndarray, int], vector: np.ndarray
) -> tuple[float, float]:
    """Answer mean and 1 / deviation of all products with int16[d], without the products."""
    sums, squares, n = spread
    total, square = 0.0, 0.0
    for row in range(vector.shape[0]):
        line = squares[row]
        dot = 0.0
        for k in range(vector.shape[0]):
            dot += line[k] * vector[k]
        total += sums[row] * vector[row]
        square += dot * vector[row]
    return scale_of(total, square, n)


@njit(cache=True, nogil=True, error_model="numpy")
def products_at(
    vectors: np.ndarray, scale: float, vector: np.ndarray, rows: np.ndarray, out: np.ndarray
) -> None:
    """Write to float32[k] the products of int32[k] rows of float32[n, d], rounded as all are."""
    factor, wide = np.float32(scale), np.empty(vector.shape[0], np.int32)
    for k in range(wide.shape[0]):
        wide[k] = vector[k]
    for i in range(rows.shape[0]):
        row, total = rows[i], np.int32(0)
        for k in range(wide.shape[0]):
            # Sums of 32 bits, said at every step: otherwise they are of 64, and slower.
            part = np.int32(np.int32(np.rint(vectors[row, k] * factor)) * wide[k])
            total = np.int32(total + part)
        out[i] = total


def scale_for(vectors: np.ndarray) -> float:
    """Answer what makes the largest number of float32[n, d] the largest of 16 bits."""
    largest = float(np.abs(vectors).max(initial=0.0))
    return 32767 / largest if largest else 0.0


def rounded(vectors: np.ndarray, scale: float) -> Whole:
    """Answer float32[n, d] times the scale as int16[n, d]."""
    return np.rint(vectors * scale).astype(np.int16)


class Rounded:
    """n vectors of d numbers, d even, as `products` wants them.

    norms: float32[n], the length of each before rounding. scale: what they were multiplied by.
    """

    def __init__(self, vectors: np.ndarray) -> None:
        """Take float32[n, d]."""
        self.scale = scale_for(vectors)
        rows = rounded(vectors, self.scale)
        self.blocks = frozen(arranged(rows), np.int16)
        wide = rows.astype(np.float64)
        self.spread = (
            frozen(wide.sum(axis=0), np.float64),
            frozen(wide.T @ wide, np.float64),
            len(rows),
        )
        self.norms: Floats = frozen(np.linalg.norm(vectors, axis=1), np.float32)

    def cosines(self, vector: Floats, out: Floats) -> None:
        """Write to float32[n] the cosine with float32[d], on a scale of its own; 0 for none."""
        multiply(self.blocks, whole(vector), out)
        np.divide(out, self.norms, out=out, where=self.norms > 0)
        out[self.norms <= 0] = 0.0
