"""Reads a server's URL: redis://, rediss:// (TLS) or unix://, as redis-py reads it.

Never repeats a URL in an error, since a URL may hold a password.
"""

import ssl
from dataclasses import dataclass, field
from typing import Any, cast

from redis.connection import parse_url  # pyright: ignore[reportUnknownVariableType]

from domain.errors import StoreMisconfigured


@dataclass(slots=True, frozen=True)
class Address:
    """Where a server listens and how to enter; `path` is set for a Unix socket."""

    host: str = "localhost"
    port: int = 6379
    path: str = ""
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    db: int = 0
    tls: ssl.SSLContext | None = field(default=None, repr=False)


def _tls(options: dict[str, Any]) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=options.get("ssl_ca_certs"))
    requirement = str(options.get("ssl_cert_reqs", "required")).lower()
    if requirement == "none":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif str(options.get("ssl_check_hostname", "true")).lower() in ("false", "0", "no"):
        context.check_hostname = False
    if options.get("ssl_certfile"):
        context.load_cert_chain(options["ssl_certfile"], options.get("ssl_keyfile"))
    return context


def parse_address(url: str) -> Address:
    """Read a URL; raises StoreMisconfigured when it cannot be, without repeating it."""
    try:
        options = cast(dict[str, Any], parse_url(url))
        return Address(
            host=options.get("host", "localhost"),
            port=int(options.get("port", 6379)),
            path=options.get("path", ""),
            username=options.get("username", ""),
            password=options.get("password", ""),
            db=int(options.get("db", 0)),
            tls=_tls(options) if url.startswith("rediss://") else None,
        )
    except (ValueError, TypeError, OSError) as error:
        raise StoreMisconfigured(
            "REDIS_URL cannot be read; write redis://, rediss:// or unix:// as in "
            "redis://user:password@host:6379/0, with existing files for TLS options"
        ) from error
