"""Reception as bytes: names as JSON, numbers as they are, a digest over all; a stored format.

What cannot be read or cannot be true is refused, so that no blob ever rules an answer. Knows
nothing of where the bytes are kept.
"""

import json
import struct
from hashlib import blake2b
from typing import Any, Final

import numpy as np

from models.bandits.bank import Bank
from models.bandits.evidence import packed, unpacked
from models.bandits.teachers import MOST_WORKERS
from models.recommend.contexts import WIDTH
from models.recommend.mixes import ARMS
from models.recommend.reception import MOST_PAGES, MOST_PLACED, Reception

MAGIC: Final = b"SRR1"
MOST_BYTES: Final = 4 << 20
_HEAD: Final = struct.Struct("<4s16sI")
_MOST_AT: Final = 1 << 53


def pack_reception(reception: Reception) -> bytes:
    """Write it; raises ValueError when it is larger than it may be."""
    parts = [
        packed(reception.pages.evidence, 0.0, 0.0),
        np.ascontiguousarray(reception.items, "<u8").tobytes(),
        np.ascontiguousarray(reception.placed, "<u4").tobytes(),
    ]
    names = {
        "at": reception.at,
        "woken": reception.woken,
        "workers": {name: list(told) for name, told in reception.workers.items()},
        "pages": [page for _, page in reception.pages.names],
        "lengths": [len(part) for part in parts],
    }
    text = json.dumps(names, separators=(",", ":"), allow_nan=False).encode()
    body = text + b"".join(parts)
    if len(body) > MOST_BYTES:
        raise ValueError("a reception is larger than it may be")
    return _HEAD.pack(MAGIC, _digest(body), len(text)) + body


def read_reception(held: bytes) -> Reception:
    """Read what `pack_reception` wrote; raises ValueError for anything else.

    Evidence that cannot be true comes back as nothing. Arms that are new since it was written
    have no evidence yet.
    """
    if not _HEAD.size <= len(held) <= MOST_BYTES + _HEAD.size:
        raise ValueError("these bytes are no reception")
    magic, digest, length = _HEAD.unpack_from(held)
    body = held[_HEAD.size :]
    if magic != MAGIC or digest != _digest(body):
        raise ValueError("these bytes are no reception")
    try:
        names = json.loads(body[:length])
        parts, start = [], length
        for size in names["lengths"]:
            parts.append(body[start : start + size])
            start += size
        return _parsed(names, parts)
    except (LookupError, TypeError, ValueError, RecursionError) as error:
        raise ValueError("this reception is of another release") from error


def _parsed(names: dict[str, Any], parts: list[bytes]) -> Reception:
    workers = {str(name): (int(one), int(at)) for name, (one, at) in names["workers"].items()}
    pages = tuple(("", str(page)) for page in names["pages"])
    at, woken = int(names["at"]), int(names["woken"])
    evidence = unpacked(parts[0]).evidence
    items = np.frombuffer(parts[1], "<u8").astype(np.uint64)
    placed = np.frombuffer(parts[2], "<u4").astype(np.uint32)
    if (
        len(workers) > MOST_WORKERS
        or len(pages) > MOST_PAGES
        or not (0 <= at < _MOST_AT and 0 <= woken < _MOST_AT)
        or evidence.shift.shape != (len(pages) * len(ARMS), WIDTH)
        or items.shape != placed.shape
        or len(items) > MOST_PLACED
        or not np.all(items[1:] > items[:-1])
    ):
        raise ValueError("a reception of other arms, or of more than it may hold")
    return Reception(at, workers, woken, Bank(pages, evidence, len(ARMS)), items, placed)


def _digest(body: bytes) -> bytes:
    return blake2b(body, digest_size=16).digest()
