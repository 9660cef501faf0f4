"""One attempt: a body is posted to a target, within a deadline, and nothing is followed.

What went wrong is one word; neither the URL nor what the target said is kept. Knows nothing of
retries.
"""

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from typing import NamedTuple

from training.notify.target import PrivateAddress, Resolve, Target, address_of, resolve

DEADLINE_S = 10.0
_MOST_READ = 65_536
_REFUSED_FOR_GOOD = frozenset({400, 413, 422})
"""What a target answers when this very body is at fault."""


class Result(NamedTuple):
    """What became of an attempt: `word` is "delivered", "status_500", "redirect", "timeout",
    "private_address", "name", "tls" or "connection". hopeless: sending it again is no use."""

    word: str
    delivered: bool = False
    hopeless: bool = False


def of_status(status: int) -> Result:
    """Answer what a status means."""
    if 200 <= status < 300:
        return Result("delivered", delivered=True)
    if 300 <= status < 400:
        return Result("redirect")
    return Result(f"status_{status}", hopeless=status in _REFUSED_FOR_GOOD)


class _Deadline:
    """Shuts a socket when time is up: a timeout alone lets a target drip a byte at a time."""

    def __init__(self, connected: socket.socket, seconds: float) -> None:
        self.passed = False
        self.socket = connected
        self._timer = threading.Timer(seconds, self._pass)
        self._timer.daemon = True

    def _pass(self) -> None:
        self.passed = True
        with contextlib.suppress(OSError):
            # Not the method of a TLS socket, which would forget its state under a reader.
            socket.socket.shutdown(self.socket, socket.SHUT_RDWR)

    def __enter__(self) -> "_Deadline":
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()


def post(
    target: Target,
    headers: Mapping[str, str],
    body: bytes,
    *,
    deadline_s: float = DEADLINE_S,
    lookup: Resolve = resolve,
    context: ssl.SSLContext | None = None,
) -> Result:
    """Post a body; raises nothing that a target may cause. context: for TLS, the system's else."""
    try:
        address = address_of(target, lookup)
    except PrivateAddress:
        return Result("private_address")
    except OSError:
        return Result("name")
    try:
        raw = socket.create_connection((address, target.port), timeout=deadline_s)
    except TimeoutError:
        return Result("timeout")
    except OSError:
        return Result("connection")
    with raw, _Deadline(raw, deadline_s) as deadline:
        try:
            return _exchange(target, headers, body, raw, deadline, context)
        except ssl.SSLError:
            return Result("timeout" if deadline.passed else "tls")
        except (OSError, http.client.HTTPException, ValueError):
            return Result("timeout" if deadline.passed else "connection")


def _exchange(
    target: Target, headers: Mapping[str, str], body: bytes, raw: socket.socket,
    deadline: _Deadline, context: ssl.SSLContext | None,
) -> Result:  # fmt: skip
    if not target.tls:
        return _request(target, headers, body, raw, deadline)
    context = context or ssl.create_default_context()
    with context.wrap_socket(
        raw, server_hostname=target.host, do_handshake_on_connect=False
    ) as connected:
        deadline.socket = connected
        connected.do_handshake()
        return _request(target, headers, body, connected, deadline)


def _request(
    target: Target, headers: Mapping[str, str], body: bytes, connected: socket.socket,
    deadline: _Deadline,
) -> Result:  # fmt: skip
    connection = http.client.HTTPConnection(target.host, target.port)
    connection.sock = connected
    if target.tls:
        connection.default_port = 443
    try:
        connection.request("POST", target.path, body, dict(headers))
        reply = connection.getresponse()
        reply.read(_MOST_READ)
        return Result("timeout") if deadline.passed else of_status(reply.status)
    finally:
        connection.close()
