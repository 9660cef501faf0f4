"""Signatures of deliveries: HMAC-SHA256 over time, delivery and body (RFC 2104).

    sanderling-signature: v1=<hex of HMAC-SHA256(secret, "<timestamp>.<delivery>." + body)>

The time within it lets a receiver refuse what was overheard and sent again. Knows nothing of
where secrets come from.
"""

import hashlib
import hmac

TIMESTAMP = "sanderling-timestamp"
DELIVERY = "sanderling-delivery"
SIGNATURE = "sanderling-signature"
TOLERANCE_S = 300
_SCHEME = "v1="


def sign(secret: bytes, delivery: str, timestamp: int, body: bytes) -> str:
    """Answer the signature of a body; `timestamp` is in whole seconds since the epoch."""
    message = f"{timestamp}.{delivery}.".encode() + body
    return _SCHEME + hmac.new(secret, message, hashlib.sha256).hexdigest()


def signed_headers(secret: bytes, delivery: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Answer the three headers that let a receiver trust a body."""
    return {
        DELIVERY: delivery,
        TIMESTAMP: str(timestamp),
        SIGNATURE: sign(secret, delivery, timestamp, body),
    }


def verify(
    secret: bytes, headers: dict[str, str], body: bytes, now: float,
    tolerance_s: float = TOLERANCE_S,
) -> bool:  # fmt: skip
    """Tell whether a delivery is ours, whole and fresh; header names in lower case, now in seconds.

    This is what a receiver does; it compares in constant time.
    """
    try:
        timestamp = int(headers[TIMESTAMP])
        wanted = sign(secret, headers[DELIVERY], timestamp, body)
        given = headers[SIGNATURE].encode()
    except (KeyError, ValueError):
        return False
    return abs(now - timestamp) <= tolerance_s and hmac.compare_digest(wanted.encode(), given)
