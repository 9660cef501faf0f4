"""Sessions of many lengths as rectangles: like lengths together, little padding.

Knows nothing of what the rows mean.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

I64 = npt.NDArray[np.int64]
BATCH_EVENTS = 2048
"""Events of a rectangle at most, padding included, unless one session alone is longer."""


def rectangles(lengths: I64, order: I64, most: int = BATCH_EVENTS) -> Iterator[I64]:
    """Yield the sessions of `order` in runs of at most `most` events, padding included."""
    begin = 0
    while begin < len(order):
        end, longest = begin, 0
        while end < len(order):
            longest = max(longest, int(lengths[order[end]]))
            if end > begin and longest * (end - begin + 1) > most:
                break
            end += 1
        yield order[begin:end]
        begin = end


def padded(values: npt.NDArray[Any], starts: I64, lengths: I64) -> npt.NDArray[Any]:
    """Answer [b, t, …]: rows starts[i] to starts[i] + lengths[i] of values, then zeros."""
    places = np.arange(int(lengths.max()))
    inside = places < lengths[:, None]
    out = np.zeros((*inside.shape, *values.shape[1:]), values.dtype)
    out[inside] = values[(starts[:, None] + places)[inside]]
    return out


def unpadded(
    found: npt.NDArray[Any], starts: I64, lengths: I64, out: npt.NDArray[Any]
) -> npt.NDArray[Any]:
    """Write [b, t, …] back to the rows it was padded from; answer `out`."""
    places = np.arange(found.shape[1])
    inside = places < lengths[:, None]
    out[(starts[:, None] + places)[inside]] = found[inside]
    return out
