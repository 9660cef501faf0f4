"""What every member of the blend is: a function from a history to one score an item.

No member keeps a table of users, so a user first seen a second ago is served like any other.
Knows nothing of the other members or of how they are weighed.
"""

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
    """

    indices: Ints
    weights: Floats
    days: Floats
    places: Ints


class Member(Protocol):
    """One way of scoring every item from a history. `n` is the number of items."""

    @property
    def standing(self) -> Floats | None:
        """The standard scores when they are the same for every history, else None."""
        ...

    def score(self, past: Past, out: Floats) -> None:
        """Write standard scores to `out` (float32[n]): mean 0 and deviation 1 over all items.

        All zeros where this member has nothing to say.
        """
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


@njit(cache=True, nogil=True, error_model="numpy", fastmath=REORDER)
def standardise(scores: np.ndarray) -> None:
    """Shift and scale float32[n] in place to mean 0 and deviation 1; constant rows become 0."""
    n = scores.shape[0]
    total = 0.0
    for i in range(n):
        total += scores[i]
    mean = np.float32(total / max(n, 1))
    squares = 0.0
    for i in range(n):
        squares += (scores[i] - mean) * (scores[i] - mean)
    deviation = np.sqrt(squares / max(n, 1))
    # Below this a row is constant but for rounding: it says nothing, and must not be blown up.
    if not (deviation > 1e-6 * abs(mean) and deviation > 1e-30):
        scores[:] = 0.0
        return
    scale = np.float32(1.0 / deviation)
    for i in range(n):
        scores[i] = (scores[i] - mean) * scale
