"""Matrix factorisation: items as vectors, the user's vector solved from the history at once.

Implicit-feedback alternating least squares (Hu, Koren and Volinsky, 2008, equation 4): with the
items fixed, x = (Y'Y + regularisation * I + sum c y y')^-1 sum c y over the history's events,
c = confidence * weight * decay^age. Knows nothing of how the item vectors were learned.
"""

from typing import Any, Self

import numpy as np
from numba import njit

from models.recommend.member import Floats, Ints, Moving, Past, frozen, standardise
from models.recommend.rounded import Rounded, products, spread_of, whole
from models.recommend.touched import Asked

_FADED = 1e-4
_SMALLEST_PIVOT = 1e-9
_LANES = 8


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def _accumulate(
    factors: np.ndarray,
    indices: np.ndarray,
    confidences: np.ndarray,
    matrix: np.ndarray,
    right: np.ndarray,
) -> None:
    """Add the history to the lower triangle of `matrix` and to the right-hand side.

    Four events at a time, so that the matrix is read and written once for four; rows run on to
    the end of their vector lanes, into the upper triangle that nobody reads. An odd rest is
    filled up with events of no confidence.
    """
    d, h = right.shape[0], indices.shape[0]
    zero = np.float32(0)
    for j in range(0, h, 4):
        a = factors[indices[j]]
        b = factors[indices[min(j + 1, h - 1)]]
        e = factors[indices[min(j + 2, h - 1)]]
        f = factors[indices[min(j + 3, h - 1)]]
        p = confidences[j]
        q = confidences[j + 1] if j + 1 < h else zero
        r = confidences[j + 2] if j + 2 < h else zero
        s = confidences[j + 3] if j + 3 < h else zero
        if p + q + r + s <= 0:
            continue
        for row in range(d):
            u, v, w, x = p * a[row], q * b[row], r * e[row], s * f[row]
            right[row] += u + v + w + x
            line = matrix[row]
            for k in range(min((row // _LANES + 1) * _LANES, d)):
                line[k] += u * a[k] + v * b[k] + w * e[k] + x * f[k]


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def _factor(matrix: np.ndarray) -> None:
    """Write Cholesky's factor over the lower triangle, its diagonal inverted."""
    d = matrix.shape[0]
    for column in range(d):
        pivot = matrix[column, column]
        for i in range(column):
            pivot -= matrix[column, i] * matrix[column, i]
        scale = 1 / np.sqrt(max(pivot, np.float32(_SMALLEST_PIVOT)))
        matrix[column, column] = scale
        for row in range(column + 1, d):
            dot = matrix[row, column]
            for i in range(column):
                dot -= matrix[row, i] * matrix[column, i]
            matrix[row, column] = dot * scale


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def _solve(matrix: np.ndarray, right: np.ndarray) -> None:
    """Solve in place for one right-hand side, given what `_factor` wrote."""
    d = right.shape[0]
    for row in range(d):
        dot = right[row]
        for i in range(row):
            dot -= matrix[row, i] * right[i]
        right[row] = dot * matrix[row, row]
    for row in range(d - 1, -1, -1):
        right[row] *= matrix[row, row]
        for i in range(row):
            right[i] -= matrix[row, i] * right[row]


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def _fade(event_weights: np.ndarray, confidence: float, decay: float) -> np.ndarray:
    out = np.zeros(event_weights.shape[0], np.float32)
    fading = 1.0
    for j in range(out.shape[0] - 1, -1, -1):
        if fading < _FADED:
            break
        out[j] = confidence * fading * event_weights[j]
        fading *= decay
    return out


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def fold_in(
    factors: np.ndarray, gram: np.ndarray, indices: np.ndarray, confidences: np.ndarray
) -> np.ndarray:
    """Answer the user's vector, float32[d], for a history's items and confidences.

    factors: float32[n, d]; gram: float32[d, d], Y'Y + regularisation * I.
    """
    matrix = gram.copy()
    right = np.zeros(gram.shape[0], np.float32)
    _accumulate(factors, indices, confidences, matrix, right)
    _factor(matrix)
    _solve(matrix, right)
    return right


@njit(cache=True, nogil=True, error_model="numpy", fastmath=True)
def _influences(
    factors: np.ndarray,
    gram: np.ndarray,
    indices: np.ndarray,
    confidences: np.ndarray,
    targets: np.ndarray,
) -> np.ndarray:
    """Answer float32[t, h]; one system for all, solved for the fewer of targets and events."""
    h, t, d = indices.shape[0], targets.shape[0], gram.shape[0]
    matrix = gram.copy()
    _accumulate(factors, indices, confidences, matrix, np.zeros(d, np.float32))
    _factor(matrix)
    by_target = t <= h
    solved = factors[targets] if by_target else factors[indices]
    for row in range(solved.shape[0]):
        _solve(matrix, solved[row])
    out = np.empty((t, h), np.float32)
    for i in range(t):
        for j in range(h):
            a = solved[i] if by_target else factors[targets[i]]
            b = factors[indices[j]] if by_target else solved[j]
            dot = np.float32(0)
            for k in range(d):
                dot += a[k] * b[k]
            out[i, j] = confidences[j] * dot
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _score(
    learned: tuple[np.ndarray, np.ndarray, np.ndarray],
    spread: tuple[np.ndarray, np.ndarray, int],
    events: tuple[np.ndarray, np.ndarray],
    decay: tuple[float, float],
    out: np.ndarray,
) -> tuple[float, float]:
    factors, gram, blocks = learned
    indices, event_weights = events
    confidences = _fade(event_weights, decay[0], decay[1])
    return products(blocks, spread, whole(fold_in(factors, gram, indices, confidences)), out)


@njit(cache=True, nogil=True, error_model="numpy")
def _ask(
    learned: tuple[np.ndarray, np.ndarray],
    spread: tuple[np.ndarray, np.ndarray, int],
    events: tuple[np.ndarray, np.ndarray],
    decay: tuple[float, float],
) -> tuple[np.ndarray, float, float]:
    confidences = _fade(events[1], decay[0], decay[1])
    vector = whole(fold_in(learned[0], learned[1], events[0], confidences))
    mean, scale = spread_of(spread, vector)
    return vector, mean, scale


class Factors(Moving):
    """Item vectors and what is needed to solve a user's vector from a history."""

    def __init__(
        self, factors: np.ndarray, regularisation: float, confidence: float, decay: float
    ) -> None:
        """Take float32[n, d], the regularisation, the confidence of one event and the decay.

        d is filled up with zeros to a multiple of 8.
        """
        spare = -factors.shape[1] % _LANES
        self.factors: Floats = frozen(np.pad(factors, ((0, 0), (0, spare))), np.float32)
        self.regularisation, self.confidence = float(regularisation), float(confidence)
        self.decay = float(decay)
        wide = self.factors.astype(np.float64)
        gram = wide.T @ wide + self.regularisation * np.eye(wide.shape[1])
        self._gram: Floats = frozen(gram, np.float32)
        self._rounded = Rounded(self.factors)

    def vector(self, past: Past) -> Floats:
        """Answer the user's vector, float32[d]."""
        confidences = _fade(past.weights, self.confidence, self.decay)
        return fold_in(self.factors, self._gram, past.indices, confidences)

    def raw(self, past: Past, out: Floats) -> tuple[float, float]:
        """Write the product of every item's vector with the user's, on a scale of its own."""
        if past.indices.shape[0] == 0:
            out[:] = 0.0
            return 0.0, 0.0
        rounded, decay = self._rounded, (self.confidence, self.decay)
        learned = (self.factors, self._gram, rounded.blocks)
        return _score(learned, rounded.spread, (past.indices, past.weights), decay, out)

    @property
    def told_by(self) -> tuple[Floats, float]:
        """The item vectors and what they are multiplied by before they are rounded."""
        return self.factors, self._rounded.scale

    def asked(self, past: Past) -> Asked:
        """Answer the user's vector as `raw` multiplies with it."""
        learned, decay = (self.factors, self._gram), (self.confidence, self.decay)
        return Asked(*_ask(learned, self._rounded.spread, (past.indices, past.weights), decay))

    def influences(self, targets: Ints, past: Past) -> Floats:
        """Answer float32[t, h]: c_j * y_t' W y_j, W the inverse above; rows sum to scores."""
        confidences = _fade(past.weights, self.confidence, self.decay)
        return _influences(self.factors, self._gram, past.indices, confidences, targets)

    def similar(self, index: int, out: Floats) -> None:
        """Write standard scores of the cosine between the item's vector and every other."""
        self._rounded.cosines(self.factors[index], out)
        standardise(out)

    def arrays(self) -> dict[str, np.ndarray]:
        """Answer factors: float32[n, d]."""
        return {"factors": self.factors}

    def params(self) -> dict[str, Any]:
        """Answer regularisation, confidence and decay."""
        return {
            "regularisation": self.regularisation,
            "confidence": self.confidence,
            "decay": self.decay,
        }

    @classmethod
    def from_parts(cls, arrays: dict[str, np.ndarray], params: dict[str, Any]) -> Self:
        """Make the member again from what `arrays` and `params` answered."""
        return cls(arrays["factors"], **params)
