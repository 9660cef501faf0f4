"""The context of an answer as numbers: what a mix of members may be better or worse in.

All about 1 in size. Knows nothing of who asks beyond how much is known of them.
"""

from math import cos, log1p, pi, sin
from typing import Final

import numpy as np
import numpy.typing as npt

from domain.clock import DAY_MS, HOUR_MS
from models.recommend.ask import Origin

FEATURES: Final = (
    "always", "user", "session", "events", "hour_sin", "hour_cos", "item_in_view", "mobile",
)  # fmt: skip
"""Numbers of a context in the stored order: append, never renumber."""
WIDTH: Final = len(FEATURES)
MOST_EVENTS: Final = 512
_HOURS: Final = tuple((sin(2 * pi * hour / 24), cos(2 * pi * hour / 24)) for hour in range(24))
_EVENTS: Final = tuple((log1p(count) - 2.0) / 2.0 for count in range(MOST_EVENTS + 1))
_MOBILE: Final = frozenset(("mobile", "phone", "ios", "android", "app"))

Numbers = tuple[float, ...]


def device_class(device: str) -> str:
    """Answer what sort of device a request names: "mobile" for all that are held in a hand,
    otherwise its own name in lower case; "" unknown."""
    name = device.strip().lower()
    return "mobile" if name in _MOBILE else name


def context_of(origin: Origin, events: int, now_ms: int, *, viewing: bool, device: str) -> Numbers:
    """Answer the WIDTH numbers of a context.

    events: how many events of a history the answer rests on. now_ms: UTC; the hour is UTC's.
    viewing: whether an item is in view. device: as the request says, in any case; "" unknown.
    """
    hour = _HOURS[now_ms % DAY_MS // HOUR_MS]
    return (
        1.0,
        float(origin is Origin.user),
        float(origin in (Origin.session, Origin.history)),
        _EVENTS[min(events, MOST_EVENTS)],
        *hour,
        float(viewing),
        float(device_class(device) == "mobile"),
    )


def as_row(numbers: Numbers) -> npt.NDArray[np.float64]:
    """Answer float64[WIDTH]; raises ValueError for another width or numbers that are none."""
    row = np.array(numbers, np.float64)
    if row.shape != (WIDTH,) or not np.isfinite(row).all():
        raise ValueError("a context has as many numbers as there are features")
    return row
