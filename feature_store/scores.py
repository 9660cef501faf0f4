"""Cached scores of one entity as bytes: a frame a name, of which the later one always stays.

A frame is as_of (int64), the body's length (uint16) and the name's (uint8), the name, then the
body: JSON of the other fields. Part of the stored format; scripts/put_scores.lua merges the same
frames without looking into a body. Knows nothing of what scores mean.
"""

import struct
from collections.abc import Iterator, Mapping
from math import isfinite

import msgspec

from domain.scores import Band, Score

MAX_NAME = 64
"""Bytes of a score's name."""
MAX_BODY = 4_096
"""Bytes of one frame's body: a version, a word and a few numbers need some two hundred."""

_HEAD = struct.Struct("<qHB")
_Body = tuple[float, float, str, str | None, Band | None, float | None, float | None]
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Body).decode


def pack_scores(scores: Mapping[str, Score]) -> bytes:
    """Pack scores by name; raises ValueError for a name or a number that cannot be kept."""
    frames: list[bytes] = []
    for name, score in scores.items():
        key = name.encode()
        if not 0 < len(key) <= MAX_NAME:
            raise ValueError("a score's name is 1 to 64 bytes")
        probability, confidence, as_of, model, fallback, band, value, loss = score
        numbers = (probability, confidence, value or 0.0, loss or 0.0)
        if not all(map(isfinite, numbers)):
            raise ValueError("a cached score holds finite numbers")
        body = _encode((probability, confidence, model, fallback, band, value, loss))
        if len(body) > MAX_BODY:
            raise ValueError("a cached score is small: its model's name is too long")
        frames += (_HEAD.pack(as_of, len(body), len(key)), key, body)
    return b"".join(frames)


class Scores(Mapping[str, Score]):
    """Scores by name, read when the first is asked for: most answers need none of them.

    What cannot be read is as if it were not there.
    """

    __slots__ = ("_found", "_held")

    def __init__(self, held: bytes) -> None:
        self._held = held
        self._found: dict[str, Score] | None = None

    def _read(self) -> dict[str, Score]:
        if self._found is None:
            self._found = _parse(self._held)
        return self._found

    def __getitem__(self, name: str) -> Score:
        return self._read()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())


NO_SCORES: Mapping[str, Score] = Scores(b"")


def parse_scores(held: bytes | None) -> Mapping[str, Score]:
    """Answer the scores that an entity's key holds."""
    return Scores(held) if held else NO_SCORES


def _parse(held: bytes) -> dict[str, Score]:
    found: dict[str, Score] = {}
    for name, (as_of, body) in _frames(held).items():
        try:
            probability, confidence, model, fallback, band, value, loss = _decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            continue
        key = name.decode("utf-8", "replace")
        found[key] = Score(probability, confidence, as_of, model, fallback, band, value, loss)
    return found


def merge_scores(held: bytes, given: bytes) -> tuple[bytes, int]:
    """Answer `held` with `given` taken in, and how many of them were: the rule of the script.

    A score replaces one of the same name unless that one's as_of is later.
    """
    kept = _frames(held)
    taken = 0
    for name, frame in _frames(given).items():
        if name not in kept or frame[0] >= kept[name][0]:
            kept[name] = frame
            taken += 1
    parts = (
        _HEAD.pack(as_of, len(body), len(name)) + name + body
        for name, (as_of, body) in kept.items()
    )
    return b"".join(parts), taken


def _frames(held: bytes) -> dict[bytes, tuple[int, bytes]]:
    """Cut bytes into (as_of, body) by name, as far as they hold whole frames."""
    found: dict[bytes, tuple[int, bytes]] = {}
    at = 0
    while at + _HEAD.size <= len(held):
        as_of, size, width = _HEAD.unpack_from(held, at)
        name_at = at + _HEAD.size
        at = name_at + width + size
        if at > len(held):
            break
        found[held[name_at : name_at + width]] = (as_of, held[name_at + width : at])
    return found
