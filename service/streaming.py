"""Replies that come in parts: sent as they are made, until the caller hangs up.

The server holds the next part back while the caller's connection is full, so memory stays what
one part needs. Knows nothing of what the parts are.
"""

import asyncio
from collections.abc import AsyncIterator

from starlette.types import Receive, Send

from service.http import Headers


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def send_parts(
    send: Send, receive: Receive, status: int, headers: Headers, parts: AsyncIterator[bytes]
) -> None:
    """Send a reply in parts. An error of a part breaks the reply off, so that nobody takes half
    of it for the whole; it is raised."""
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})
    gone = asyncio.ensure_future(_hung_up(receive))
    try:
        async for part in parts:
            if gone.done():
                return
            await send({"type": "http.response.body", "body": part, "more_body": True})
    finally:
        gone.cancel()
    await send({"type": "http.response.body", "body": b""})
