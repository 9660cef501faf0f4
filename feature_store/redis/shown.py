"""Bids that were shown, in a server: a key each, which the server lets go of in time.

Knows nothing of clicks; see feature_store.shown for what is promised.
"""

from collections.abc import Sequence

from feature_store import keys
from feature_store.redis.server import Server
from feature_store.shown import KEPT_MS, Shown, pack_shown, parse_shown

AT_ONCE = 64
"""A cluster's client opens a connection for every command under way, up to a bound."""


class RedisShown:
    """Bids that were shown, over Redis or Valkey; see feature_store.shown.ShownBids."""

    def __init__(self, server: Server, buckets: int, kept_ms: int = KEPT_MS) -> None:
        self._server = server
        self._buckets = buckets
        self._kept_ms = kept_ms

    def _key(self, bid: str) -> str:
        return keys.shown(bid, self._buckets)

    async def put(self, shown: Sequence[Shown]) -> None:
        packed = {self._key(one.bid): pack_shown(one) for one in shown}
        commands = [("SET", name, held, "PX", self._kept_ms) for name, held in packed.items()]
        for start in range(0, len(commands), AT_ONCE):
            await self._server.call_all(commands[start : start + AT_ONCE])

    async def get(self, bids: Sequence[str]) -> list[Shown | None]:
        values: list[bytes | None] = []
        for start in range(0, len(bids), AT_ONCE):
            some = bids[start : start + AT_ONCE]
            values += await self._server.mget([self._key(bid) for bid in some])
        return [parse_shown(bid, held) for bid, held in zip(bids, values, strict=True)]
