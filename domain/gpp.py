"""Strings of the Global Privacy Platform: which sections one holds, and what they opt out of.

Reads the header and, of the American sections, the fields that decide about advertising.
Knows nothing of which sections apply to a request.
Source: IAB Tech Lab, "Global Privacy Platform", consent string specification and sections.
"""

from domain.tcf import Bits, Unreadable
from domain.usprivacy import opted_out as usp_opted_out

TCF_EUROPE = 2
TCF_CANADA = 5
US_PRIVACY = 6
_HEADER = 3
_VERSION = 1
_MAX_SECTIONS = 64
_OPTED_OUT = 1
_GPC = 1

OPT_OUTS: dict[int, tuple[int, ...]] = {
    7: (18, 20, 22),  # national: sale, sharing, targeted advertising
    8: (12, 14),  # California: sale, sharing
    **dict.fromkeys((9, 10, 12, 13, 14, 15, 16, 17, 19, 20, 21, 22, 23), (12, 14)),
    **dict.fromkeys((11, 18), (14, 16)),  # Utah and Iowa: one notice more
    **dict.fromkeys((24, 25, 26, 27), (28, 30)),  # these begin with their id and two versions
}
"""Section id -> where its two-bit opt-outs stand in the core, in bits from its start."""


def sections_of(text: str) -> dict[int, str]:
    """Answer the sections of a GPP string by id; raises Unreadable unless it is version 1."""
    header, *rest = text.split("~")
    bits = Bits(header)
    if bits.take(6) != _HEADER or bits.take(6) != _VERSION:
        raise Unreadable("not a GPP string of version 1")
    ids: list[int] = []
    last = 0
    for _ in range(bits.take(12)):
        several = bits.take(1)
        first = last + _fibonacci(bits)
        last = first + _fibonacci(bits) if several else first
        if last - first + len(ids) >= _MAX_SECTIONS:
            raise Unreadable("more sections than there are")
        ids.extend(range(first, last + 1))
    if len(ids) != len(rest):
        raise Unreadable("the header does not name the sections that follow")
    return dict(zip(ids, rest, strict=True))


def _fibonacci(bits: Bits) -> int:
    """Read one integer in Fibonacci coding: it ends with two ones."""
    value, before, step, previous = 0, 1, 1, 0
    for _ in range(32):
        bit = bits.take(1)
        if bit and previous:
            return value
        value += step * bit
        before, step = step, before + step
        previous = bit
    raise Unreadable("an integer without an end")


def opted_out(section: int, text: str) -> bool:
    """Tell whether an American section opts out of sale, sharing or targeted advertising.

    The browser's own signal (Global Privacy Control), where a section carries it, is an
    opt-out. Raises Unreadable for a section that cannot be read or is not known here.
    """
    if section == US_PRIVACY:
        told = usp_opted_out(text)
        if told is None:
            raise Unreadable("not a US Privacy String")
        return told
    places = OPT_OUTS.get(section)
    if places is None:
        raise Unreadable("a section that is not known")
    core, *subsections = text.split(".")
    for place in places:
        bits = Bits(core)
        bits.skip(place)
        if bits.take(2) == _OPTED_OUT:
            return True
    for subsection in subsections:
        bits = Bits(subsection)
        if bits.take(2) == _GPC and bits.take(1):
            return True
    return False
