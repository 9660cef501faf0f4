"""The frame of what workers share: names as JSON, parts as bytes, a digest over all; stored.

What was not written whole by this code is refused. Knows nothing of what the names or the parts
mean, or of where the bytes are kept.
"""

import json
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, TypeVar

T = TypeVar("T")

_HEAD = struct.Struct("<4s16sI")
LATEST = 1 << 53
"""No time, UTC ms, is later."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One kind of shared value: the four bytes it begins with, how large it may be, what it is
    called in an error."""

    magic: bytes
    most_bytes: int
    called: str

    def packed(self, names: Mapping[str, Any], parts: Sequence[bytes]) -> bytes:
        """Write names (JSON values) and parts; raises ValueError when that is too large."""
        told = {**names, "lengths": [len(part) for part in parts]}
        text = json.dumps(told, separators=(",", ":"), allow_nan=False).encode()
        body = text + b"".join(parts)
        if len(body) > self.most_bytes:
            raise ValueError(f"{self.called} is larger than it may be")
        return _HEAD.pack(self.magic, _digest(body), len(text)) + body

    def read(self, held: bytes, parse: Callable[[dict[str, Any], list[bytes]], T]) -> T:
        """Answer what `parse` makes of the names and parts that were written.

        Raises ValueError for other bytes, and for what `parse` cannot make anything of.
        """
        if not _HEAD.size <= len(held) <= self.most_bytes + _HEAD.size:
            raise ValueError(f"these bytes are not {self.called}")
        magic, digest, length = _HEAD.unpack_from(held)
        body = held[_HEAD.size :]
        if magic != self.magic or digest != _digest(body):
            raise ValueError(f"these bytes are not {self.called}")
        try:
            names = json.loads(body[:length])
            parts, start = list[bytes](), length
            for size in names["lengths"]:
                parts.append(body[start : start + size])
                start += size
            return parse(names, parts)
        except (LookupError, TypeError, ValueError, RecursionError) as error:
            raise ValueError(f"{self.called} of another release") from error


def _digest(body: bytes) -> bytes:
    return blake2b(body, digest_size=16).digest()
