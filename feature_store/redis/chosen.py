"""Answers that were given, in a server: a key each, and one of bits for what was rewarded.

The server lets go of both in time. Knows nothing of rewards; see feature_store.chosen for what is
promised.
"""

from collections.abc import Iterator, Sequence

from feature_store import keys
from feature_store.chosen import Chosen, check_mark, pack_chosen, parse_chosen
from feature_store.redis.script_files import MARK
from feature_store.redis.server import Argument, Call, Server

AT_ONCE = 64
"""A cluster's client opens a connection for every command under way, up to a bound."""


class RedisChosen:
    """Answers that were given, over Redis or Valkey; see feature_store.chosen.ChosenAnswers."""

    def __init__(self, server: Server, buckets: int) -> None:
        self._server = server
        self._buckets = buckets

    async def put(self, chosen: Sequence[Chosen], kept_ms: int) -> None:
        packed = {keys.chosen(one.decision, self._buckets): pack_chosen(one) for one in chosen}
        await self._call([("SET", name, held, "PX", kept_ms) for name, held in packed.items()])

    async def get(self, decisions: Sequence[str]) -> list[Chosen | None]:
        values: list[bytes | None] = []
        for start in range(0, len(decisions), AT_ONCE):
            some = decisions[start : start + AT_ONCE]
            values += await self._server.mget([keys.chosen(one, self._buckets) for one in some])
        return [parse_chosen(one, held) for one, held in zip(decisions, values, strict=True)]

    async def mark(self, marks: Sequence[tuple[str, int]], kept_ms: int) -> list[bool]:
        wanted: dict[str, list[int]] = {}
        for decision, mark in marks:
            name = keys.rewarded(decision, self._buckets)
            wanted.setdefault(name, []).append(check_mark(mark))
        calls: list[Call] = [([name], [kept_ms, *bits]) for name, bits in wanted.items()]
        found: dict[str, Iterator[int]] = {}
        for start in range(0, len(calls), AT_ONCE):
            some = calls[start : start + AT_ONCE]
            for (key, _), before in zip(some, await self._server.run(MARK, some), strict=True):
                found[key[0]] = iter(before)
        # Those of one answer are set in the order they were given, so they are told in it.
        return [next(found[keys.rewarded(one, self._buckets)]) == 0 for one, _ in marks]

    async def _call(self, commands: Sequence[Sequence[Argument]]) -> list[int]:
        found: list[int] = []
        for start in range(0, len(commands), AT_ONCE):
            found += await self._server.call_all(commands[start : start + AT_ONCE])
        return found
