"""Where deliveries go: a URL that was looked at, and addresses that may be connected to.

The name is resolved at every attempt, every address it has must be public unless the deployment
allows others, and the address that was looked at is the one connected to, so that a name cannot
change its mind in between. Knows nothing of HTTP.
"""

import ipaddress
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from domain.errors import OperatorError

URL = "SANDERLING_WEBHOOK_URL"
SECRET = "SANDERLING_WEBHOOK_SECRET"
PRIVATE = "SANDERLING_WEBHOOK_PRIVATE"
LEAST_SECRET = 16
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
Resolve = Callable[[str, int], list[str]]


class PrivateAddress(Exception):
    """The target's name leads to an address that is not public."""


@dataclass(frozen=True)
class Target:
    """A checked target. private: may it lie in a private network, and be spoken to in the clear?"""

    tls: bool
    host: str
    port: int
    path: str
    secret: bytes = field(repr=False)
    private: bool = False


def target_of(url: str, secret: str, *, private: bool = False) -> Target:
    """Answer a target; raises OperatorError for a URL or a secret that cannot be used.

    No message repeats either of them: a URL may hold a token.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise OperatorError(f"{URL} is not a URL") from error
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.username:
        raise OperatorError(f"{URL} is https://host/path, without a user")
    if parts.scheme == "http" and not private:
        raise OperatorError(f"{URL} is https; http only where {PRIVATE}=allow")
    if any(not 32 < ord(letter) < 127 for letter in url):
        raise OperatorError(f"{URL} holds blanks or letters that are not percent-encoded")
    if len(secret) < LEAST_SECRET:
        raise OperatorError(f"{SECRET} has at least {LEAST_SECRET} characters; it signs deliveries")
    tls = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(tls, parts.hostname, port or (443 if tls else 80), path, secret.encode(), private)


def target_from_env(environ: Mapping[str, str] | None = None) -> Target | None:
    """Answer the target that the environment names, None when it names none."""
    environ = os.environ if environ is None else environ
    url = environ.get(URL, "").strip()
    if not url:
        return None
    private = environ.get(PRIVATE, "").strip()
    if private not in ("", "allow"):
        raise OperatorError(f"{PRIVATE} is allow, or unset")
    return target_of(url, environ.get(SECRET, ""), private=private == "allow")


def is_public(address: str) -> bool:
    """Tell whether an address is one of the whole network; one that wraps another is unwrapped."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour
        if found in _NAT64:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFF_FFFF)
        if inner is not None:
            return is_public(str(inner))
    return found.is_global and not (
        found.is_multicast or found.is_reserved or found.is_unspecified or found.is_loopback
    )


def resolve(host: str, port: int) -> list[str]:
    """Answer every address of a name; raises OSError when it has none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def address_of(target: Target, lookup: Resolve = resolve) -> str:
    """Answer the address to connect to.

    Raises OSError when the name has none, PrivateAddress when any is not public.
    """
    addresses = lookup(target.host, target.port)
    if not addresses:
        raise OSError("the name has no address")
    if not target.private and not all(map(is_public, addresses)):
        raise PrivateAddress
    return addresses[0]
