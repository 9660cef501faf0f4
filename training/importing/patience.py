"""Patience: a call to the store is made again for a while when the store is away.

An import has no caller who waits, and everything it writes may be written twice. Knows
nothing of what is called.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from domain.errors import StoreUnavailable

WAITS_S = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
"""Seconds between one try and the next; after the last the store is given up."""

REPLY_S = 30.0
"""Longest wait for one reply: a busy disk is no reason to break off a long import."""

T = TypeVar("T")


async def patiently(
    call: Callable[[], Awaitable[T]],
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> T:
    """Answer what `call` answers; raises StoreUnavailable after all of WAITS_S."""
    for wait in WAITS_S:
        try:
            return await call()
        except StoreUnavailable:
            await sleep(wait)
    return await call()
