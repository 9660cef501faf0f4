"""Consent strings of the Transparency and Consent Framework, version 2: the core segment.

Reads what a vendor needs to know: purposes, vendors, and what a publisher restricts. Knows
nothing of when such a string is needed, nor which vendor we are.
Source: IAB Tech Lab, "Consent string and vendor list formats v2", core string.
"""

from binascii import Error as BadBase64
from binascii import a2b_base64
from dataclasses import dataclass

VERSION = 2
MAX_TEXT = 16_384
_PURPOSES = 24
_STANDARD = str.maketrans("-_", "+/")
Span = tuple[int, int]


class Unreadable(ValueError):
    """The text is no consent string of version 2."""


class Bits:
    """Reads big-endian bits of URL-safe base64 (padding optional), from the left.

    Raises Unreadable when the text is no base64, or past the end of it.
    """

    __slots__ = ("_at", "_bits")

    def __init__(self, text: str) -> None:
        if not text or len(text) > MAX_TEXT:
            raise Unreadable("empty, or too long to be a consent string")
        plain = text.rstrip("=").translate(_STANDARD)
        # Encoders pad to letters of 6 bits, not to bytes: zeros complete the last bytes.
        padded = plain + "A" * (-len(plain) % 4)
        try:
            raw = a2b_base64(padded.encode("ascii"), strict_mode=True)
        except (BadBase64, UnicodeEncodeError) as error:
            raise Unreadable("not URL-safe base64") from error
        # As text, because shifting one long integer again and again is quadratic.
        self._bits = f"{int.from_bytes(raw, 'big'):0{len(raw) * 8}b}"[: len(plain) * 6]
        self._at = 0

    def take(self, count: int) -> int:
        """Answer the next `count` bits as an unsigned integer."""
        return int(self.cut(count), 2) if count else 0

    def cut(self, count: int) -> str:
        """Answer the next `count` bits as text of zeros and ones."""
        start = self._at
        self._at = end = start + count
        if end > len(self._bits):
            raise Unreadable("cut short")
        return self._bits[start:end]

    def skip(self, count: int) -> None:
        """Pass over `count` bits."""
        self.cut(count)


@dataclass(slots=True, frozen=True)
class Restriction:
    """What a publisher restricts for some vendors in one purpose.

    kind: 0 not allowed, 1 only by consent, 2 only by legitimate interest.
    vendors: spans of vendor ids, both ends included.
    """

    purpose: int
    kind: int
    vendors: tuple[Span, ...]


@dataclass(slots=True, frozen=True)
class Consent:
    """The core segment, as far as a vendor needs it.

    created, updated: epoch milliseconds. purposes: bit p-1 is consent to purpose p.
    interests: the same for legitimate interest. vendors, interested: spans of vendor ids
    with consent, and with legitimate interest.
    """

    created: int
    updated: int
    policy: int
    purposes: int
    interests: int
    vendors: tuple[Span, ...]
    interested: tuple[Span, ...]
    restrictions: tuple[Restriction, ...]

    def consents(self, purpose: int) -> bool:
        """Tell whether the user consents to a purpose (1 to 24)."""
        return bool(self.purposes >> (purpose - 1) & 1)

    def trusts(self, vendor: int) -> bool:
        """Tell whether the user consents to a vendor."""
        return _within(self.vendors, vendor)

    def grants(self, vendor: int, purposes: tuple[int, ...]) -> bool:
        """Tell whether `vendor` may do all of `purposes` by the user's consent.

        A publisher's restriction to "not allowed" or "legitimate interest only" takes the
        consent away.
        """
        if vendor < 1 or not self.trusts(vendor):
            return False
        if not all(self.consents(purpose) for purpose in purposes):
            return False
        return not any(
            restriction.kind != 1
            and restriction.purpose in purposes
            and _within(restriction.vendors, vendor)
            for restriction in self.restrictions
        )


def _within(spans: tuple[Span, ...], vendor: int) -> bool:
    return any(first <= vendor <= last for first, last in spans)


def decode(text: str) -> Consent:
    """Read the core segment of a consent string; later segments are not looked at.

    Raises Unreadable unless it is a whole core segment of version 2.
    """
    core, _, _ = text.partition(".")
    bits = Bits(core)
    if bits.take(6) != VERSION:
        raise Unreadable("not version 2")
    created, updated = bits.take(36), bits.take(36)
    # CMP id and version, consent screen, language, version of the vendor list.
    bits.skip(12 + 12 + 6 + 12 + 12)
    policy = bits.take(6)
    # Service specific, non-standard texts, special features.
    bits.skip(1 + 1 + 12)
    purposes, interests = _flags(bits.cut(_PURPOSES)), _flags(bits.cut(_PURPOSES))
    # Purpose one treatment, the publisher's country.
    bits.skip(1 + 12)
    vendors, interested = _vendors(bits), _vendors(bits)
    restrictions = tuple(
        Restriction(bits.take(6), bits.take(2), _spans(bits)) for _ in range(bits.take(12))
    )
    return Consent(
        created * 100, updated * 100, policy, purposes, interests, vendors, interested, restrictions
    )


def _flags(field: str) -> int:
    """Turn a bit field whose first bit is number 1 into one whose lowest bit is."""
    return int(field[::-1], 2)


def _vendors(bits: Bits) -> tuple[Span, ...]:
    """Read a vendor section: a bit for each up to the highest id, or a list of spans."""
    highest = bits.take(16)
    if bits.take(1):
        return _spans(bits)
    text = bits.cut(highest)
    spans: list[Span] = []
    start = text.find("1")
    while start >= 0:
        end = text.find("0", start)
        end = highest if end < 0 else end
        spans.append((start + 1, end))
        start = text.find("1", end)
    return tuple(spans)


def _spans(bits: Bits) -> tuple[Span, ...]:
    """Read a list of single ids and ranges; a range that ends before it starts is refused."""
    spans: list[Span] = []
    for _ in range(bits.take(12)):
        several = bits.take(1)
        first = bits.take(16)
        last = bits.take(16) if several else first
        if last < first:
            raise Unreadable("a range that ends before it starts")
        spans.append((first, last))
    return tuple(spans)
