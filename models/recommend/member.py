"""What every member of the blend is: a function from a history to one score an item.

No member keeps a table of users, so a user first seen a second ago is served like any other.
Knows nothing of the other members or of how they are weighed.
"""

from abc import ABC, abstractmethod
from typing import Any, NamedTuple, Protocol, Self

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]


class Past(NamedTuple):
    """The part of a history that counts, oldest first, `h` events long.

    indices: int32[h], item numbers; an item may come more than once.
    weights: float32[h], how much an event of its kind says, above 0.
    days: float32[h], age of each event at `as_of`, in days, 0 or more.
    places: int32[h], where each event stands in the history it was taken from.
    kinds: uint8[h], the kind of each event (domain.events.Kind).
    """

    indices: Ints
    weights: Floats
    days: Floats
    places: Ints
    kinds: npt.NDArray[np.uint8]


class Member(Protocol):
    """One way of scoring every item from a history. `n` is the number of items."""

    @property
    def standing(self) -> Floats | None:
        """The standard scores when they are the same for every history, else None."""
        ...

    def raw(self, past: Past, out: Floats) -> tuple[float, float]:
        """Write scores in own units to `out` (float32[n]); answer their mean and 1 / deviation.

        The standard scores are (out - mean) / deviation: mean 0 and deviation 1 over all items.
        Answers (0, 0) where this member has nothing to say: all its standard scores are 0.
        """
        ...

    def score(self, past: Past, out: Floats) -> None:
        """Write standard scores to `out` (float32[n])."""
        ...

    def influences(self, targets: Ints, past: Past) -> Floats:
        """Answer float32[t, h]: what each event adds to each target's score, in own units."""
        ...

    def similar(self, index: int, out: Floats) -> None:
        """Write standard scores of all items by likeness to item `index`; zeros for no opinion."""
        ...

    def arrays(self) -> dict[str, np.ndarray]:
        """Answer the learned arrays by name, none of them holding objects."""
        ...

    def params(self) -> dict[str, Any]:
        """Answer the learned numbers by name, as JSON values."""
        ...

    @classmethod
    def from_parts(cls, arrays: dict[str, np.ndarray], params: dict[str, Any]) -> Self:
        """Make the member again from what `arrays` and `params` answered."""
        ...


def frozen(array: np.ndarray, dtype: npt.DTypeLike) -> np.ndarray:
    """View `array` as read-only, contiguous and of `dtype`; copies only if it must.

    A kernel is compiled once for each kind of array: a fresh fit and a memory-mapped bundle
    must look the same to it.
    """
    view = np.ascontiguousarray(array, dtype).view()
    view.flags.writeable = False
    return view


REORDER = {"reassoc", "contract", "nsz", "arcp"}
"""Lets a kernel add in vector lanes. Not-a-number and infinity keep their meaning."""


@njit(cache=True, nogil=True, error_model="numpy")
def scale_of(total: float, squares: float, n: int) -> tuple[float, float]:
    """Answer the mean and 1 / deviation of n scores from their sum and that of their squares.

    (0, 0) for a constant row.
    """
    mean = total / max(n, 1)
    variance = squares / max(n, 1) - mean * mean
    # Below this a row is constant but for rounding: it says nothing, and must not be blown up.
    if not (variance > 1e-12 * mean * mean and variance > 1e-60):
        return 0.0, 0.0
    return mean, 1.0 / np.sqrt(variance)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=REORDER)
def moments(scores: np.ndarray) -> tuple[float, float]:
    """Answer the mean and 1 / deviation of float32[n]; (0, 0) for a constant row."""
    total, squares = 0.0, 0.0
    for i in range(scores.shape[0]):
        score = np.float64(scores[i])
        total += score
        squares += score * score
    return scale_of(total, squares, scores.shape[0])


@njit(cache=True, nogil=True, error_model="numpy", fastmath=REORDER)
def rescale(scores: np.ndarray, mean: float, scale: float) -> None:
    """Replace float32[n] in place by (scores - mean) * scale."""
    shift, factor = np.float32(mean), np.float32(scale)
    for i in range(scores.shape[0]):
        scores[i] = (scores[i] - shift) * factor


def standardise(scores: np.ndarray) -> None:
    """Shift and scale float32[n] in place to mean 0 and deviation 1; constant rows become 0."""
    rescale(scores, *moments(scores))


class Moving(ABC):
    """What members have in common whose scores depend on the history."""

    @property
    def standing(self) -> None:
        """Nothing: every history has scores of its own."""
        return None

    @abstractmethod
    def raw(self, past: Past, out: Floats) -> tuple[float, float]:
        """Write scores in own units; see Member."""

    def score(self, past: Past, out: Floats) -> None:
        """Write standard scores."""
        rescale(out, *self.raw(past, out))
