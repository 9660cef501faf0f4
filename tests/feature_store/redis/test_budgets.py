"""The scripts of money do what the definition in memory does, step by step, and overspend never."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from domain.clock import FixedClock
from feature_store import keys
from feature_store.budgets import Ask, Budgets, Claim, Grant, Ledger, Settled
from feature_store.ledgers import MemoryBudgets
from feature_store.redis.budgets import RedisBudgets
from feature_store.redis.script_files import Script
from tests.feature_store.lending import NOON, ask
from tests.feature_store.servers import RunningServer
from tests.feature_store.spending import Spending, now

_FEW = settings(
    max_examples=40,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


class _Direct:
    """Scripts and commands on a real server, without an event loop."""

    def __init__(self, client: redis.Redis) -> None:
        self.client = client

    async def call(self, *command: Any) -> Any:
        return self.client.execute_command(*command)

    async def call_all(self, commands: Sequence[Sequence[Any]]) -> list[Any]:
        # The client would make a dict of some replies: these are lists as they come.
        return [self.client.execute_command(*command) for command in commands]

    async def mget(self, keys: Sequence[str]) -> Any:
        return self.client.mget(keys)

    async def run(self, script: Script, calls: Sequence[Any]) -> list[Any]:
        return [self.client.eval(script.text, len(names), *names, *args) for names, args in calls]

    async def infos(self) -> list[bytes]:
        return []

    async def close(self) -> None:
        self.client.close()


class _Both:
    """Asks two implementations the same and answers when they agree."""

    def __init__(self, first: Budgets, second: Budgets) -> None:
        self.first, self.second = first, second

    async def lease(self, asks: Sequence[Ask]) -> list[Grant]:
        answer = await self.first.lease(asks)
        assert await self.second.lease(asks) == answer
        return answer

    async def settle(self, claims: Sequence[Claim]) -> list[Settled]:
        answer = await self.first.settle(claims)
        assert await self.second.settle(claims) == answer
        return answer

    async def count(self, campaign: str, **what: int) -> None:
        await self.first.count(campaign, **what)
        await self.second.count(campaign, **what)

    async def ledgers(self, campaigns: Sequence[tuple[str, int]]) -> list[Ledger]:
        answer = await self.first.ledgers(campaigns)
        assert await self.second.ledgers(campaigns) == answer
        return answer


@pytest.fixture(params=["valkey", "redis"])
def client(
    request: pytest.FixtureRequest, servers: Callable[[str], RunningServer]
) -> Iterator[redis.Redis]:
    server = servers(request.param)
    server.empty()
    made = server.client()
    yield made
    made.close()


def test_the_scripts_agree_with_the_definition_whatever_comes(client: redis.Redis) -> None:
    class Together(Spending):
        def opened(self) -> Budgets:
            client.delete(*keys.account("c1"))
            return _Both(MemoryBudgets(self.clock), RedisBudgets(_Direct(client), self.clock))

    run_state_machine_as_test(Together, settings=_FEW)


def test_the_server_s_own_clock_rules_when_none_is_given(client: redis.Redis) -> None:
    client.delete(*keys.account("c1"))
    budgets = RedisBudgets(_Direct(client))
    seconds, _ = client.time()
    (grant,) = now(budgets.lease([ask(5, seconds * 1_000)]))
    assert grant.amount == 5
    assert 0 <= grant.now_ms - seconds * 1_000 < 60_000
    (refused,) = now(budgets.lease([ask(5, NOON)]))
    assert refused.refusal == "clock"


def test_nothing_to_do_asks_the_server_nothing() -> None:
    budgets = RedisBudgets(_Direct(redis.Redis(port=1)), FixedClock(NOON))
    assert now(budgets.lease([])) == []
    assert now(budgets.settle([])) == []
    assert now(budgets.ledgers([])) == []
    now(budgets.count("c1"))


def test_an_account_leaves_little_behind(client: redis.Redis) -> None:
    client.delete(*keys.account("c1"))
    clock = FixedClock(NOON)
    budgets = RedisBudgets(_Direct(client), clock)
    for _ in range(50):
        now(budgets.lease([ask(1, clock())]))
        clock.advance(100_000)
    now(budgets.lease([ask(0, clock())]))
    account, leases, closings, marks = keys.account("c1")
    assert client.hlen(leases) == client.zcard(closings) == client.zcard(marks) == 0
    assert client.hlen(account) < 15
