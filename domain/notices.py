"""Notices: the signed token that travels with a bid, and the prices that come back with it.

A token carries all that a notice needs, so that no bid is looked up; it is signed (keyed BLAKE2b,
RFC 7693); whose history the impression joins and what the bid was worth are covered by a key
stream, so that nobody else can read or link them. Knows nothing of HTTP or of where money is kept.
"""

import struct
from base64 import urlsafe_b64decode
from binascii import Error as Base64Error
from binascii import b2a_base64
from collections.abc import Sequence
from hashlib import blake2b
from hmac import compare_digest
from typing import NamedTuple

from domain.errors import BadField

MAX_TOKEN = 2_048
KEY_BYTES = 32
_MAC = 12
_FORMAT = 2
_MOST_ABOUT = 64
_HEAD = struct.Struct("<BBQQQQIIHHfBBB3s")
_SEPARATOR = "\x1f"
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_QUANTITY = struct.Struct("<Q")
_TEST, _MANY = 1, 2
ONE = 1_000_000
"""One billable impression, in millionths."""


class Token(NamedTuple):
    """What a bid says of itself when a notice comes back.

    reserved: micros of the campaign's currency that the bid set aside in `lease`, of `day`.
    price: what was offered, in cpm micros of `currency`; cost: the same in the campaign's.
    until_ms: of the store's clock, from then on nothing counts. entity: whose history the
    impression joins, "" without leave. at: the auction's type. test: nothing counts at all.
    about: what those who learn from the bid want back with its notices, at most 64 bytes.
    quantity: impressions that were reserved for, in millionths: several out of home.
    """

    bid: str
    campaign: str
    line: str
    creative: str
    exchange: str
    lease: int
    day: int
    reserved: int
    price: int
    cost: int
    currency: str
    until_ms: int
    policy: str = ""
    arm: int = 0
    propensity: float = 1.0
    entity: str = ""
    at: int = 2
    test: bool = False
    about: bytes = b""
    quantity: int = ONE


class Signer:
    """Makes and reads tokens. The first key signs; the others are still believed."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        """Raises ValueError unless there is a key, each of KEY_BYTES bytes."""
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise ValueError(f"keys of {KEY_BYTES} bytes are needed")
        self._key = keys[0]
        self._id = _key_id(keys[0])
        self._keys = {_key_id(key): key for key in reversed(keys)}

    def sign(self, token: Token) -> str:
        """Answer a token as URL-safe text. Raises ValueError for what does not fit."""
        names = _SEPARATOR.join(
            (token.bid, token.campaign, token.line, token.creative, token.exchange, token.policy)
        )
        if names.count(_SEPARATOR) != 5 or len(token.currency) > 3:
            raise ValueError("a token of names that cannot be told apart")
        if len(token.about) > _MOST_ABOUT:
            raise ValueError("a token that tells too much of its bid")
        text = names.encode()
        try:
            body = _HEAD.pack(
                *(_FORMAT, self._id, token.reserved, token.price, token.cost, token.until_ms),
                *(token.lease, token.day, token.arm, len(text), token.propensity, token.at & 0xFF),
                (_TEST if token.test else 0) | (0 if token.quantity == ONE else _MANY),
                len(token.about),
                token.currency.encode(),
            )
            if token.quantity != ONE:
                body += _QUANTITY.pack(token.quantity)
        except struct.error as error:
            raise ValueError("a token of numbers that do not fit") from error
        body += text
        hidden = token.about + token.entity.encode()
        if hidden:
            body += _covered(self._key, token.bid.encode(), hidden)
        body += blake2b(body, key=self._key, digest_size=_MAC).digest()
        made = b2a_base64(body, newline=False).translate(_URL_SAFE).rstrip(b"=").decode()
        if len(made) > MAX_TOKEN:
            raise ValueError("a token of names too long")
        return made

    def read(self, text: str) -> Token:
        """Answer the token of a text; raises BadField (code bad_token) unless we signed it."""
        try:
            if len(text) > MAX_TOKEN or not text.isascii():
                raise ValueError("too long")
            raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
            body, mac = raw[:-_MAC], raw[-_MAC:]
            key = self._keys[body[1]]
            if not compare_digest(blake2b(body, key=key, digest_size=_MAC).digest(), mac):
                raise ValueError("signed by somebody else")
            return _parsed(body, key)
        except (ValueError, KeyError, IndexError, struct.error, Base64Error) as error:
            raise BadField("not a token of ours", field="token", code="bad_token") from error


def _parsed(body: bytes, key: bytes) -> Token:
    (
        format, _, reserved, price, cost, until, lease, day, arm, length,
        propensity, at, flags, about, currency,
    ) = _HEAD.unpack_from(body)  # fmt: skip
    if format != _FORMAT:
        raise ValueError("of another release")
    start, quantity = _HEAD.size, ONE
    if flags & _MANY:
        (quantity,) = _QUANTITY.unpack_from(body, start)
        start += _QUANTITY.size
    end = start + length
    names = body[start:end].decode().split(_SEPARATOR)
    bid, campaign, line, creative, exchange, policy = names
    hidden = _covered(key, bid.encode(), body[end:])
    if len(hidden) < about:
        raise ValueError("cut short")
    return Token(
        *(bid, campaign, line, creative, exchange, lease, day, reserved, price, cost),
        *(currency.rstrip(b"\0").decode(), until, policy, arm, propensity),
        *(hidden[about:].decode(), at, bool(flags & _TEST), hidden[:about], quantity),
    )


def _key_id(key: bytes) -> int:
    return blake2b(key, digest_size=1, person=b"notice-key").digest()[0]


def _covered(key: bytes, bid: bytes, text: bytes) -> bytes:
    """Cover (or uncover) a text with a key stream that no two bids share."""
    if not text:
        return b""
    stream = b"".join(
        blake2b(bytes((block,)) + bid, key=key, digest_size=64, person=b"notice-entity").digest()
        for block in range(-(-len(text) // 64))
    )
    number = int.from_bytes(text, "little") ^ int.from_bytes(stream[: len(text)], "little")
    return number.to_bytes(len(text), "little")


class Said(NamedTuple):
    """A price as it came: `micros` for 1,000 impressions, None when no price was told.

    audit: the notice is a rehearsal (the macro was replaced by AUDIT) and counts nothing.
    """

    micros: int | None
    audit: bool = False


NOT_SAID = Said(None)
_ROUNDED = 100
"""Cpm micros by which an exchange that writes four decimals may be above the offer."""


def read_price(text: str, field: str = "price") -> Said:
    """Read a price macro's value; raises BadField for what is no price.

    Empty, or the macro as we sent it: no price was told. Negative prices, exponents, NaN and
    more than nine digits before the point are no prices.
    """
    if not text or text.startswith("${"):
        return NOT_SAID
    if text == "AUDIT":
        return Said(None, True)
    whole, point, decimals = text.partition(".")
    if not (
        text.isascii()
        and len(text) <= 32
        and (whole + decimals).isdigit()
        and len(whole) <= 9
        and (decimals or not point)
    ):
        raise BadField("not a price", field=field, code="bad_price")
    micros = int((decimals + "000000")[:6]) + int(whole or 0) * 1_000_000
    # Half a micro or more is rounded up: a price is not made smaller than it is.
    return Said(micros + (decimals[6:7] >= "5"))


def reserve_for(cost: int) -> int:
    """Answer what one impression at `cost` cpm micros sets aside, in micros: rounded up."""
    return -(-cost // 1_000)


def read_quantity(text: str) -> int | None:
    """Read what replaced the macro of billable impressions, in millionths; None: not told.

    Raises BadField (code bad_multiplier) for what is no number of at most nine digits.
    """
    try:
        said = read_price(text)
    except BadField as error:
        raise BadField("not a number", field="multiplier", code="bad_multiplier") from error
    return said.micros


def spend_for(token: Token, said: int | None, quantity: int | None = None) -> int:
    """Answer what is to be spent, in micros of the campaign's currency: rounded half to even.

    said: the price told, in cpm micros of the token's currency; None: what was offered, the most
    that can be owed. quantity: millionths of impressions that are billed, None or more than the
    token's: as many as were reserved for. Never above `reserve_for(cost)`. Raises BadField (code
    above_bid) when the price is above the offer by more than the rounding of four decimals.
    """
    price = token.price if said is None else said
    if price > token.price:
        if price > token.price + _ROUNDED:
            raise BadField("a price above the bid", field="price", code="above_bid")
        price = token.price
    due, most = token.cost * price, token.price * 1_000
    if quantity is not None and quantity < token.quantity:
        due, most = due * quantity, most * token.quantity
    if not most:
        return 0
    whole, rest = divmod(due, most)
    return whole + (2 * rest > most or (2 * rest == most and whole % 2 == 1))
