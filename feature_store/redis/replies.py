"""Turns a server's error replies into the house's errors; says who must act.

The message of a reply may quote a key, which holds an id: only its first word is repeated.
"""

from typing import Any

import hiredis

from domain.errors import SanderlingError, StoreMisconfigured, StoreUnavailable

_REFUSED = {
    "NOAUTH": "the server wants a password: put it in REDIS_URL (redis://user:password@host)",
    "WRONGPASS": "the server refuses the user or password in REDIS_URL: correct it",
    "NOPERM": "the user in REDIS_URL lacks a right: allow all keys and the commands of the "
    "categories @read @write @scripting @connection and INFO",
}


def error_of(message: str) -> SanderlingError:
    """Answer the error an error reply stands for; `message` is the reply's text."""
    word = message.split(" ", 1)[0]
    if word in _REFUSED:
        return StoreMisconfigured(_REFUSED[word])
    if "AUTH" in message and ("without any password" in message or "invalid" in message):
        return StoreMisconfigured(_REFUSED["WRONGPASS"])
    return StoreUnavailable(f"the store refuses just now ({word})")


def checked(reply: Any) -> Any:
    """Answer `reply`, or raise the error it stands for."""
    if isinstance(reply, hiredis.ReplyError):
        raise error_of(str(reply))
    return reply
