"""Budgets in a server: one script a campaign lends, one takes notices; the server's clock rules.

A campaign's keys share a hash tag, so that a script is atomic on a cluster too. Knows nothing of
auctions; see feature_store.budgets for what is promised.
"""

from collections.abc import Sequence
from typing import Any

from domain.clock import Clock
from feature_store import keys
from feature_store.budgets import BREAKER_MS, Ask, Claim, Grant, Ledger, Refusal, Settled, Word
from feature_store.redis import script_files as scripts
from feature_store.redis.server import Argument, Call, Server

_LETTER = {Word.win: "w", Word.bill: "b", Word.loss: "l"}
_FIELDS = ("s", "o", "s:{}", "o:{}", "w", "b", "l", "c", "k", "kv", "x", "fc", "fk")
"""The fields of an account in the order of a Ledger; {} is the day."""


class RedisBudgets:
    """The budgets protocol over Redis or Valkey; see feature_store.budgets.Budgets."""

    def __init__(self, server: Server, clock: Clock | None = None) -> None:
        """`clock` stands in for the server's own; for tests."""
        self._server = server
        self._clock = clock

    def _now(self) -> Argument:
        return "" if self._clock is None else self._clock()

    async def lease(self, asks: Sequence[Ask]) -> list[Grant]:
        if not asks:
            return []
        now = self._now()
        replies = await self._server.run(scripts.LEASE, [_call_of(ask, now) for ask in asks])
        return [_grant(reply) for reply in replies]

    async def settle(self, claims: Sequence[Claim]) -> list[Settled]:
        if not claims:
            return []
        now = self._now()
        calls: list[Call] = [
            (
                keys.account(claim.campaign),
                [
                    *(now, _LETTER[claim.word], claim.bid, claim.lease, claim.day),
                    *(claim.reserved, claim.cost, claim.until_ms, BREAKER_MS),
                ],
            )
            for claim in claims
        ]
        replies: list[bytes] = await self._server.run(scripts.SETTLE, calls)
        return [Settled(reply.decode()) for reply in replies]

    async def count(
        self, campaign: str, *, clicks: int = 0, conversions: int = 0, value: int = 0,
        foretold_clicks: int = 0, foretold_conversions: int = 0,
    ) -> None:  # fmt: skip
        account = keys.account(campaign)[0]
        amounts = (
            ("c", clicks), ("k", conversions), ("kv", value),
            ("fc", foretold_clicks), ("fk", foretold_conversions),
        )  # fmt: skip
        await self._server.call_all(
            [("HINCRBY", account, field, amount) for field, amount in amounts if amount]
        )

    async def count_once(
        self, campaign: str, mark: str, until_ms: int,
        *, clicks: int = 0, conversions: int = 0, value: int = 0,
    ) -> bool:  # fmt: skip
        args: list[Argument] = [self._now(), mark, until_ms, clicks, conversions, value]
        (reply,) = await self._server.run(scripts.COUNT, [(keys.account(campaign), args)])
        return bool(reply)

    async def ledgers(self, campaigns: Sequence[tuple[str, int]]) -> list[Ledger]:
        found: list[list[Any]] = await self._server.call_all(
            [
                ("HMGET", keys.account(campaign)[0], *[field.format(day) for field in _FIELDS])
                for campaign, day in campaigns
            ]
        )
        return [Ledger(*[int(value or 0) for value in values]) for values in found]


def _call_of(ask: Ask, now: Argument) -> Call:
    limits = ask.limits
    bounds = (limits.daily, limits.total, limits.per_minute)
    args: list[Argument] = [now, limits.version]
    args += ["" if bound is None else bound for bound in bounds]
    args += [ask.want, ask.least, ask.usable_ms, ask.hold_ms, len(ask.days)]
    for day in ask.days:
        args += day
    for lease, used in ask.done:
        args += (lease, used)
    return keys.account(ask.campaign), args


def _grant(reply: Sequence[Any]) -> Grant:
    *numbers, refusal = reply
    return Grant(*[int(number) for number in numbers], refusal=Refusal(refusal.decode()))
