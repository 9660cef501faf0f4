"""Four real workers on a real server, one killed -9 again and again, bills doubled and shuffled."""

import asyncio
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from feature_store.budgets import Ask, Claim, Settled, Word
from feature_store.opening import open_store
from feature_store.purses import limits_of
from feature_store.redis.store import RedisStore
from feature_store.store import Store
from tests.feature_store.bidding_worker import campaign
from tests.feature_store.servers import RunningServer

ROOT = Path(__file__).resolve().parents[2]
BUDGET = 300_000
WORKERS, KILLS = 4, 6


class Workers:
    """Processes that bid, and everything they said."""

    def __init__(self, url: str) -> None:
        self.url, self.said, self.hired = url, [], 0
        self._readers: list[threading.Thread] = []
        self.running = [self._hire() for _ in range(WORKERS)]

    said: list[str]

    def _hire(self) -> "subprocess.Popen[str]":
        self.hired += 1
        command = [sys.executable, "-m", "tests.feature_store.bidding_worker", self.url]
        process = subprocess.Popen(
            [*command, str(BUDGET), str(self.hired)], cwd=ROOT, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
        )  # fmt: skip
        stdout = process.stdout
        assert stdout is not None

        def read() -> None:
            # Lines that were cut by a kill never left the worker: no exchange saw such a bid.
            self.said.extend(line for line in stdout if line.endswith("\n"))
            stdout.close()

        reader = threading.Thread(target=read)
        reader.start()
        self._readers.append(reader)
        return process

    def replace(self, place: int) -> None:
        self.running[place].kill()
        self.running[place].wait()
        self.running[place] = self._hire()

    def end(self) -> None:
        for process in self.running:
            process.kill()
            process.wait()
        for reader in self._readers:
            reader.join()


async def empty_store(server: RunningServer) -> Store:
    server.empty()
    return await open_store(url=server.url)


async def test_workers_that_are_killed_spend_the_budget_and_never_more(
    servers: Callable[[str], RunningServer],
) -> None:
    store = await empty_store(servers("valkey"))
    assert isinstance(store, RedisStore)
    chance = random.Random(1)
    workers = Workers(servers("valkey").url)
    settled: dict[str, Settled] = {}
    spent = told = kills = 0
    started = time.monotonic()
    deadline = started + 40
    try:
        while time.monotonic() < deadline and spent < 0.97 * BUDGET:
            fresh, told = workers.said[told:], len(workers.said)
            claims: list[Claim] = []
            for line in fresh:
                bid, lease, day, until, amount = line.split()
                word = Word.loss if chance.random() < 0.3 else Word.bill
                cost = int(amount) - chance.randrange(40) if word == Word.bill else 0
                claim = Claim(
                    *(word, "busy", bid, int(lease), int(day), int(amount), cost, int(until))
                )
                claims += [claim] * chance.randint(1, 3)
            chance.shuffle(claims)
            for claim, answer in zip(claims, await store.budgets.settle(claims), strict=True):
                if answer == Settled.taken:
                    assert claim.bid not in settled, "one bid, one spend"
                    settled[claim.bid] = answer
                    spent += claim.cost
            (ledger,) = await store.budgets.ledgers([("busy", 0)])
            assert ledger.spent == spent
            assert ledger.spent + ledger.lent <= BUDGET
            if kills < KILLS and time.monotonic() - started > kills + 2:
                kills += 1
                workers.replace(chance.randrange(WORKERS))
            await asyncio.sleep(0.05)
    finally:
        workers.end()
    assert spent >= 0.95 * BUDGET, "what dead workers held came back"
    assert kills >= 2
    await asyncio.sleep(2.1)
    await store.budgets.lease([Ask("busy", limits_of(campaign(BUDGET)), [], 0, 1, 1, 1)])
    (ledger,) = await store.budgets.ledgers([("busy", 0)])
    assert ledger.lent == 0
    await store.close()
