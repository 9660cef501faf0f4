"""Gathering: which rows of the matching lines may be bid, in one compiled call over what is known.

Brands and shapes of creatives have verdicts that somebody asked the rules for; a row that meets one
not known yet is told, so that it may be asked. Knows nothing of the rules themselves.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

from models.bidding.pricing import PLAIN

F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]
U8 = npt.NDArray[np.uint8]

UNKNOWN, ALLOWED, REFUSED = 0, 1, 2
"""Verdicts on a brand."""
FLAT, ASK, NEVER = -3.0, -2.0, -1.0
"""Of a shape: its floor is the impression's own, is not known yet, or it does not fit at all."""


@njit(cache=True, nogil=True, error_model="numpy")
def gather(
    numbers: I32, rows: tuple[I32, I32, I32], verdicts: U8, floors: F64, flat: float,
    money: tuple[F64, F64, F64], out: F64,
) -> int:  # fmt: skip
    """Write what may be bid to `out` and answer how many rows; -1 - row where the brand or the
    shape of a row is not known yet.

    numbers: int32[m], of lines. rows: int32[lines + 1], where each line's rows begin; int32[rows],
    brand and shape of each. verdicts: uint8[brands]. floors: float64[shapes], see FLAT, which is
    `flat`. money:
    float64[lines], standard bid, cap and rate of each, a cap below 0 for a line that does not buy
    here. out: float64[_, columns of ASKED].
    """
    first, brand, shape = rows
    standard, cap, rate = money
    count = 0
    for line in numbers:
        for row in range(first[line], first[line + 1]):
            floor = floors[shape[row]]
            if floor == NEVER:
                continue
            verdict = verdicts[brand[row]]
            if verdict == UNKNOWN or floor == ASK:
                return -1 - row
            if floor == FLAT:
                floor = flat
            if verdict == ALLOWED and floor <= cap[line] and count < out.shape[0]:
                out[count, 0], out[count, 1], out[count, 2] = row, standard[line], cap[line]
                out[count, 3], out[count, 4], out[count, 5] = floor, rate[line], PLAIN
                count += 1
    return count
