"""What buy-till-you-die models know of a customer: frequency, recency and age.

Knows nothing of where orders come from; any unit of time will do, if it is the model's own.
"""

from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
from numba import njit

F64 = npt.NDArray[np.float64]


@njit(cache=True, nogil=True, error_model="numpy")
def can_be(x: float, tx: float, now: float) -> bool:
    """Tell whether a customer can have this frequency, recency and age."""
    # Not-a-number fails every comparison, so it needs no test of its own.
    return 0 <= x < np.inf and 0 <= tx <= now < np.inf and (x > 0 or tx == 0)


@njit(cache=True, nogil=True, error_model="numpy")
def _faults(frequency: np.ndarray, recency: np.ndarray, age: np.ndarray) -> np.ndarray:
    out = np.empty(frequency.shape[0], np.bool_)
    for i in range(out.shape[0]):
        out[i] = not can_be(frequency[i], recency[i], age[i])
    return out


class Customers(NamedTuple):
    """`n` customers as of one time (Fader, Hardie and Lee 2005, section 2).

    frequency: float64[n], repeat orders, so the number of orders less one.
    recency: float64[n], time from the first order to the last; 0 when frequency is 0.
    age: float64[n], time from the first order to now; never less than recency.
    """

    frequency: F64
    recency: F64
    age: F64

    @classmethod
    def of(cls, frequency: npt.ArrayLike, recency: npt.ArrayLike, age: npt.ArrayLike) -> Self:
        """Take anything array-like as contiguous float64; single numbers are one customer.

        Raises ValueError unless all three are of one length and one dimension.
        """
        x, tx, now = (np.ascontiguousarray(one, np.float64) for one in (frequency, recency, age))
        # Compiled loops over the first would read beyond the end of the others.
        if not (x.shape == tx.shape == now.shape and x.ndim == 1):
            raise ValueError("frequency, recency and age are three columns of one length")
        return cls(x, tx, now)

    def scaled(self, unit: float) -> Self:
        """Answer the same customers with times in units of `unit` of the present ones."""
        return type(self)(self.frequency, self.recency / unit, self.age / unit)

    def faults(self) -> npt.NDArray[np.bool_]:
        """Answer bool[n]: what no customer can be (see the class), or not a finite number."""
        return _faults(*self)


def customers_from_orders(
    codes: npt.NDArray[np.int64], times: npt.NDArray[np.float64], as_of: float
) -> tuple[npt.NDArray[np.int64], Customers]:
    """Count the orders until `as_of`, itself included; answer (codes in order, their customers).

    codes: int64[m], who ordered. times: float64[m], when, in any order. Orders of one customer
    at the same time are one; round times down to whole days to count days with an order. Those
    who first ordered after `as_of` are not among the customers.
    """
    seen = times <= as_of
    codes, times = codes[seen], times[seen]
    order = np.lexsort((times, codes))
    codes, times = codes[order], times[order]
    new = np.ones(len(codes), np.bool_)
    new[1:] = (codes[1:] != codes[:-1]) | (times[1:] != times[:-1])
    codes, times = codes[new], times[new]
    who, starts, counts = np.unique(codes, return_index=True, return_counts=True)
    first, last = times[starts], times[starts + counts - 1]
    return who, Customers.of(counts - 1, last - first, as_of - first)
