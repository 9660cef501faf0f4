"""Bids that were shown, in a server: a key each, which the server lets go of in time.

Knows nothing of clicks; see feature_store.shown for what is promised.
"""

from collections.abc import Sequence

from feature_store import keys
from feature_store.redis.server import Server
from feature_store.shown import KEPT_MS, Shown, pack_shown, parse_shown


class RedisShown:
    """Bids that were shown, over Redis or Valkey; see feature_store.shown.ShownBids."""

    def __init__(self, server: Server, kept_ms: int = KEPT_MS) -> None:
        self._server = server
        self._kept_ms = kept_ms

    async def put(self, shown: Sequence[Shown]) -> None:
        packed = {keys.shown(one.bid): pack_shown(one) for one in shown}
        await self._server.call_all(
            [("SET", name, held, "PX", self._kept_ms) for name, held in packed.items()]
        )

    async def get(self, bids: Sequence[str]) -> list[Shown | None]:
        if not bids:
            return []
        values = await self._server.mget([keys.shown(bid) for bid in bids])
        return [parse_shown(bid, held) for bid, held in zip(bids, values, strict=True)]
