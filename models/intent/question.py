"""What is asked of a visit, and until when: a question that was answered no longer stands.

Knows nothing of models or of how likely an answer is.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

from domain.events import Kind

I64 = npt.NDArray[np.int64]


@njit(cache=True, nogil=True)
def write_stands(
    kinds: npt.NDArray[np.int8], offsets: I64, goal: int, needed: int, out: npt.NDArray[np.bool_]
) -> None:
    """Write `stands` of a question that `goal` answers; needed: the kind without which it is
    not asked, -1 for none."""
    for s in range(len(offsets) - 1):
        asked, answered = needed < 0, False
        for k in range(offsets[s], offsets[s + 1]):
            asked = asked or kinds[k] == needed
            answered = answered or kinds[k] == goal
            out[k] = asked and not answered


def kinds_of(target: str) -> tuple[int, int]:
    """Answer (goal, needed) of a target, see `write_stands`."""
    goal = Kind.add_to_cart if target == "add_to_cart" else Kind.purchase
    return int(goal), int(Kind.add_to_cart) if target == "abandon" else -1


def stands(kinds: npt.NDArray[np.int8], offsets: I64, target: str) -> npt.NDArray[np.bool_]:
    """Answer bool[n]: whether the question stands after each event of the sessions.

    purchase, add_to_cart: until it happened. abandon: once something is in the cart, until a
    purchase.
    """
    out = np.empty(len(kinds), np.bool_)
    write_stands(kinds, offsets, *kinds_of(target), out)
    return out
