"""Writes consent strings bit by bit, so that what a reader finds is known beforehand."""

from base64 import urlsafe_b64encode
from collections.abc import Iterable, Sequence

Span = tuple[int, int]


def text_of(bits: str) -> str:
    """Answer bits as URL-safe base64 without padding, six to a letter."""
    padded = bits + "0" * (-len(bits) % 24)
    raw = bytes(int(padded[at : at + 8], 2) for at in range(0, len(padded), 8))
    return urlsafe_b64encode(raw).decode()[: -(-len(bits) // 6)]


def field(value: int, width: int) -> str:
    """Answer an unsigned integer of `width` bits."""
    assert 0 <= value < 1 << width
    return f"{value:0{width}b}"


def flags(numbers: Iterable[int], width: int) -> str:
    """Answer a bit field with the bits of `numbers` set, the first being 1."""
    held = set(numbers)
    return "".join("1" if number in held else "0" for number in range(1, width + 1))


def spans(ranges: Sequence[Span]) -> str:
    """Answer a counted list of single ids and ranges."""
    out = field(len(ranges), 12)
    for first, last in ranges:
        out += "0" + field(first, 16) if first == last else "1" + field(first, 16) + field(last, 16)
    return out


def vendors_by_bits(ids: Iterable[int]) -> str:
    """Answer a vendor section with one bit for each id."""
    held = sorted(ids)
    highest = held[-1] if held else 0
    return field(highest, 16) + "0" + flags(held, highest)


def vendors_by_spans(ranges: Sequence[Span]) -> str:
    """Answer a vendor section with ranges."""
    highest = max((last for _, last in ranges), default=0)
    return field(highest, 16) + "1" + spans(ranges)


def core(
    *,
    purposes: Iterable[int] = (),
    interests: Iterable[int] = (),
    vendors: str = "",
    interested: str = "",
    restrictions: Sequence[tuple[int, int, Sequence[Span]]] = (),
    version: int = 2,
    created: int = 16_504_920_000,
) -> str:
    """Answer a core segment; vendor sections as bits, empty ones when not given.

    created: tenths of seconds.
    """
    nobody = vendors_by_bits(())
    bits = field(version, 6) + field(created, 36) + field(created + 10, 36)
    bits += field(31, 12) + field(640, 12) + field(1, 6) + field(4, 6) + field(13, 6)
    bits += field(126, 12) + field(2, 6) + "0" + "0" + flags((), 12)
    bits += flags(purposes, 24) + flags(interests, 24) + "0" + field(0, 6) + field(0, 6)
    bits += (vendors or nobody) + (interested or nobody) + field(len(restrictions), 12)
    for purpose, kind, ranges in restrictions:
        bits += field(purpose, 6) + field(kind, 2) + spans(ranges)
    return text_of(bits)
