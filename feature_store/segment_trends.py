"""Trends by segment: what those in each saved segment want now, as one small shared value.

Counted like the whole, person by person, and read beside it: a segment with few events says
little by itself (see models.recommend.segments). Knows nothing of who is in a segment.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from feature_store.trends import Counted, Sums, Trends
from feature_store.trends import pack as pack_trends
from feature_store.trends import parse as parse_trends

BLOB_NAME = "segment-trends"
MOST_SEGMENTS = 50
"""Segments that are counted, the first in order of names."""
TOP = 200
"""Items kept of each."""
_HEAD = struct.Struct("<4sHH")
_MAGIC, _VERSION = b"SNDG", 1
_PART = struct.Struct("<BI")

SegmentTrends = Mapping[str, Trends]
"""Trends by segment: `name@version`, since a segment that was changed is another."""
NO_SEGMENTS: SegmentTrends = {}


def pack(trends: SegmentTrends) -> bytes:
    """Write the trends of segments as bytes, each behind its key."""
    parts = [_HEAD.pack(_MAGIC, _VERSION, len(trends))]
    for name, one in trends.items():
        text, body = name.encode(), pack_trends(one)
        parts += (_PART.pack(len(text), len(body)), text, body)
    return b"".join(parts)


def parse(blob: bytes | None) -> SegmentTrends:
    """Read what `pack` wrote, nothing of None.

    Raises ValueError when the bytes are cut short, of another version or something else.
    """
    if blob is None:
        return NO_SEGMENTS
    found: dict[str, Trends] = {}
    try:
        magic, version, count = _HEAD.unpack_from(blob)
        if (magic, version) != (_MAGIC, _VERSION):
            raise ValueError("trends of segments of another format")
        place = _HEAD.size
        for _ in range(count):
            named, length = _PART.unpack_from(blob, place)
            place += _PART.size
            name = blob[place : place + named].decode()
            place += named
            found[name] = parse_trends(blob[place : place + length])
            place += length
    except struct.error as error:
        raise ValueError("trends of segments cut short") from error
    if place != len(blob):
        raise ValueError("trends of segments cut short")
    return found


class SegmentTally:
    """Sums of every segment; starts from what was published."""

    def __init__(self, start: SegmentTrends) -> None:
        self._sums = {name: Sums(one, TOP) for name, one in start.items()}

    def keep(self, names: Iterable[str]) -> None:
        """Forget every segment but those named: one that was changed or deleted."""
        kept = set(names)
        self._sums = {name: one for name, one in self._sums.items() if name in kept}

    def add(self, counted: Counted, member_of: Sequence[tuple[str, ...]]) -> bool:
        """Add what counted for the whole; tell whether any segment gained.

        member_of: the segments of the person of each row that counted.
        """
        rows: dict[str, list[int]] = {}
        for row, names in enumerate(member_of):
            for name in names:
                rows.setdefault(name, []).append(row)
        before, after = counted.said
        for name, mine in rows.items():
            sums = self._sums.setdefault(name, Sums(top=TOP))
            place = np.array(mine)
            items = [counted.items[row] for row in mine]
            sums.add(items, counted.kinds[place], (before[place], after[place]), counted.latest)
        return bool(rows)

    def snapshot(self) -> SegmentTrends:
        """Answer the trends of every segment, in order of names."""
        return {name: self._sums[name].snapshot({}) for name in sorted(self._sums)}
