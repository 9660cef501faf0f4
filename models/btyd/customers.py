"""What buy-till-you-die models know of a customer: frequency, recency and age.

Knows nothing of where orders come from; any unit of time will do, if it is the model's own.
"""

from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]


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
        """Take anything array-like as contiguous float64; single numbers are one customer."""
        return cls(*(np.ascontiguousarray(one, np.float64) for one in (frequency, recency, age)))

    def scaled(self, unit: float) -> Self:
        """Answer the same customers with times in units of `unit` of the present ones."""
        return type(self)(self.frequency, self.recency / unit, self.age / unit)

    def faults(self) -> npt.NDArray[np.bool_]:
        """Answer bool[n]: what no customer can be (see the class), or not a finite number."""
        x, tx, age = self
        good = np.isfinite(x) & np.isfinite(tx) & np.isfinite(age)
        good &= (x >= 0) & (tx >= 0) & (tx <= age) & ((x > 0) | (tx == 0))
        return ~good


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
