"""The columns a click is foretold from: hashed words of the context, scores, the user's numbers.

Words become categories by hashing, so that a site never seen has a column like any other. Numbers
come from views of the feature store, read field by field; what is not known is NaN. Knows nothing
of requests, of where views come from or of what a model makes of a column.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from domain.ids import hash64

F64 = npt.NDArray[np.float64]

SHARED = ("exchange", "site", "media", "size", "device", "os", "country", "hour")
"""Words that all candidates of an opportunity share, in the stored order."""

OWN = ("campaign", "line", "creative")
"""Words that tell candidates apart."""

WORDS = (*SHARED, *OWN)
BUCKETS = 256
"""Hashed words a field tells apart; part of the stored format."""

SCORES = ("intent", "churn")
"""Scores of other families, as they stood when it was bid."""


class Number(NamedTuple):
    """A number of a view: its name as a column, the view, the field, its place in an array
    field (-1: no array), and the value that means "none"."""

    name: str
    view: str
    field: str
    place: int = -1
    absent: float = np.nan


NUMBERS: tuple[Number, ...] = (
    Number("recency", "rfm", "recency", absent=-1.0),
    Number("tenure", "rfm", "tenure", absent=-1.0),
    Number("orders_28d", "rfm", "orders", 2),
    Number("orders_180d", "rfm", "orders", 4),
    Number("value_28d", "rfm", "value", 2),
    Number("lifetime_events", "rfm", "lifetime_events"),
    Number("open", "session", "open"),
    Number("session_events", "session", "events"),
    Number("since_last", "session", "since_last", absent=-1.0),
    Number("items", "session", "items"),
    Number("cart_items", "session", "cart_items"),
    Number("cart_value", "session", "cart_value"),
)

VIEWS = ("rfm", "session")
"""The views the numbers are read from."""

NAMES = (*SHARED, *SCORES, *(number.name for number in NUMBERS), *OWN)
"""Every column in the stored order: what is shared first, then what tells candidates apart."""

CATEGORIES = tuple(place for place, name in enumerate(NAMES) if name in WORDS)
COMMON = len(NAMES) - len(OWN)
"""How many columns all candidates share."""

_KNOWN: dict[tuple[str, str], int] = {}
_MOST_KNOWN = 65_536


def code_of(field: str, word: str) -> int:
    """Answer the category of a field's word, 0 … BUCKETS - 1; remembered, for hashing is slow."""
    found = _KNOWN.get((field, word))
    if found is None:
        found = hash64(f"{field}={word}") % BUCKETS
        if len(_KNOWN) >= _MOST_KNOWN:
            _KNOWN.clear()
        _KNOWN[field, word] = found
    return found


def common_row(
    context: Mapping[str, str],
    scores: Mapping[str, float] | None = None,
    rows: Mapping[str, Any] | None = None,
    place: int = 0,
) -> F64:
    """Answer float64[COMMON]: what all candidates of an opportunity share.

    scores: of the user, by name. rows: of VIEWS, of which row `place` is the user's; None for
    nobody known, so that every number of theirs is NaN.
    """
    out = np.full(COMMON, np.nan)
    for at, name in enumerate(SHARED):
        out[at] = code_of(name, context.get(name, ""))
    for at, name in enumerate(SCORES, len(SHARED)):
        score = (scores or {}).get(name)
        # Anything that is no probability says nothing.
        if score is not None and 0.0 <= score <= 1.0:
            out[at] = score
    if rows is not None:
        for at, number in enumerate(NUMBERS, len(SHARED) + len(SCORES)):
            value = rows[number.view][number.field][place]
            value = float(value if number.place < 0 else value[number.place])
            if value != number.absent and np.isfinite(value):
                out[at] = value
    return out


def own_codes(campaign: str, line: str, creative: str) -> F64:
    """Answer float64[3]: what tells a candidate apart; worth keeping with the candidate."""
    return np.array(
        [code_of(name, word) for name, word in zip(OWN, (campaign, line, creative), strict=True)],
        np.float64,
    )


def places_in(rows: F64) -> npt.NDArray[np.int32]:
    """Answer int32[n, words]: where each row's words lie in an array of len(WORDS) · BUCKETS.

    rows: float64[n, len(NAMES)].
    """
    offset = np.arange(len(WORDS)) * BUCKETS
    return (rows[:, CATEGORIES].astype(np.int64) + offset).astype(np.int32)
