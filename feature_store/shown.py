"""Bids that were shown, by id: what a click or a purchase that quotes one is held against.

Kept from the bill on, for as long as an outcome may take. Holds no id of anybody; what was bid is
bytes that only learners read. One suite checks both implementations (redis/shown.py). Knows
nothing of events.
"""

import struct
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from domain.clock import DAY_MS, Clock, system_clock

KEPT_MS = 10 * DAY_MS
"""How long after its bill a bid may be quoted."""
MOST_ABOUT = 64
_FORMAT = 1
_HEAD = struct.Struct("<BBqHHB")
_CLICKED = 1
_LONGEST = 1_024


class Shown(NamedTuple):
    """A bid that was billed `at` (UTC ms).

    about: what its token brought back for those who learn. clicked: a click was told.
    """

    bid: str
    campaign: str
    creative: str
    at: int
    about: bytes = b""
    clicked: bool = False


class ShownBids(Protocol):
    """The one door to what was shown. Every method may raise StoreUnavailable."""

    async def put(self, shown: Sequence[Shown]) -> None:
        """Keep bids, or replace them; for KEPT_MS from now."""
        ...

    async def get(self, bids: Sequence[str]) -> list[Shown | None]:
        """Answer bids by id, None for what was not shown, or too long ago, or cannot be read."""
        ...


def pack_shown(shown: Shown) -> bytes:
    """Write a bid without its id; raises ValueError for names or bytes that are too long."""
    campaign, creative = shown.campaign.encode(), shown.creative.encode()
    if max(len(campaign), len(creative)) > _LONGEST or len(shown.about) > MOST_ABOUT:
        raise ValueError("a bid of longer names than names are")
    flags = _CLICKED if shown.clicked else 0
    head = _HEAD.pack(*(_FORMAT, flags, shown.at, len(campaign), len(creative), len(shown.about)))
    return head + campaign + creative + shown.about


def parse_shown(bid: str, held: bytes | None) -> Shown | None:
    """Read what `pack_shown` wrote; None for anything else."""
    if held is None or len(held) < _HEAD.size:
        return None
    format, flags, at, first, second, third = _HEAD.unpack_from(held)
    start = _HEAD.size
    if format != _FORMAT or len(held) != start + first + second + third:
        return None
    try:
        campaign = held[start : start + first].decode()
        creative = held[start + first : start + first + second].decode()
    except UnicodeDecodeError:
        return None
    about = held[start + first + second :]
    return Shown(bid, campaign, creative, at, about, bool(flags & _CLICKED))


class MemoryShown:
    """Bids that were shown, in memory; see ShownBids."""

    def __init__(self, clock: Clock = system_clock) -> None:
        self._clock = clock
        self._held: dict[str, tuple[int, bytes]] = {}

    async def put(self, shown: Sequence[Shown]) -> None:
        now = self._clock()
        packed = {one.bid: (now + KEPT_MS, pack_shown(one)) for one in shown}
        self._held = {name: one for name, one in self._held.items() if one[0] > now} | packed

    async def get(self, bids: Sequence[str]) -> list[Shown | None]:
        now = self._clock()
        nothing = (0, b"")
        found = [(bid, *self._held.get(bid, nothing)) for bid in bids]
        return [parse_shown(bid, held) if until > now else None for bid, until, held in found]
