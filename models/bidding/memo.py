"""The memo: what those who learn from a bid want back with its notices, in a few bytes.

Travels covered inside the token (domain.notices), so nothing is looked up when a notice comes and
nobody else reads it. Knows nothing of notices or of what is learned.
"""

import struct
from math import isfinite
from typing import NamedTuple

from models.bidding.landscape import FIELDS

PLACES = 1 + len(FIELDS)
FEATURES = 3
"""Of a bandit's context, without the leading 1."""
FARTHEST = 10.0
"""No feature is further from 0."""

_FORMAT = 1
_GREEDY, _PLACED = 1, 2
_FORM = struct.Struct(f"<BBHQ{PLACES}H{2 + FEATURES}f")
_NOWHERE = (0,) * PLACES
_NOTHING = (0.0,) * FEATURES
_MOST_VALUE = 1 << 60


class Memo(NamedTuple):
    """What a bid was worth and what chose its price.

    places: of the landscape, () when the auction teaches nothing of prices (a deal's).
    buckets: of the landscape they are places of; 0 where that was not said. value: cpm micros of
    the bid's currency before any multiplier, 0 unknown. click, conversion: chances that were
    used, 0 unknown. features: of the bandit's context, without the leading 1: the floor as a
    share of the value, sine and cosine of the hour. greedy: the best known arm was drawn.
    """

    places: tuple[int, ...] = ()
    value: int = 0
    click: float = 0.0
    conversion: float = 0.0
    features: tuple[float, ...] = _NOTHING
    greedy: bool = True
    buckets: int = 0


def pack_memo(memo: Memo) -> bytes:
    """Answer a memo as 48 bytes; raises ValueError for one whose numbers do not fit."""
    places, value, click, conversion, features, greedy, buckets = memo
    try:
        return _FORM.pack(
            _FORMAT,
            (_GREEDY if greedy else 0) | (_PLACED if len(places) else 0),
            buckets,
            value,
            *(places if len(places) else _NOWHERE),
            click,
            conversion,
            *features,
        )
    except (struct.error, OverflowError) as error:
        raise ValueError("a memo of numbers that do not fit") from error


def read_memo(held: bytes) -> Memo | None:
    """Answer the memo that `pack_memo` wrote; None for what cannot be read or cannot be true."""
    if len(held) != _FORM.size:
        return None
    format, flags, buckets, value, *rest = _FORM.unpack(held)
    places = tuple(rest[:PLACES]) if flags & _PLACED else ()
    click, conversion, *features = rest[PLACES:]
    if (
        format != _FORMAT
        or value > _MOST_VALUE
        or not (0.0 <= click <= 1.0 and 0.0 <= conversion <= 1.0)
        or not all(isfinite(one) and abs(one) <= FARTHEST for one in features)
    ):
        return None
    return Memo(places, value, click, conversion, tuple(features), bool(flags & _GREEDY), buckets)


def places_fit(memo: Memo, buckets: int) -> bool:
    """Tell whether a memo's places are of a landscape with so many buckets.

    Every field has a range of its own, so places of another width show themselves even where the
    memo does not say its buckets.
    """
    places = memo.places
    if len(places) != PLACES or places[0] != 0 or memo.buckets not in (0, buckets):
        return False
    return all(
        1 + number * buckets <= place < 1 + (number + 1) * buckets
        for number, place in enumerate(places[1:])
    )
