"""A worker process: reserves bids from its own slice until it is killed, and tells of each.

Run as `python -m tests.feature_store.bidding_worker URL BUDGET SEED`. A line of its output is a
bid that went out: id, lease, day, until ms, micros.
"""

import asyncio
import random
import sys

from domain.campaigns import Budget, Campaign, LineItem, Pacing
from domain.ids import new_id
from feature_store.opening import open_store
from feature_store.purses import Purses, Terms

TERMS = Terms(usable=400, exp=1_000, grace=600, patience=50, warm=60_000)


def campaign(budget: int) -> Campaign:
    """Answer the one campaign that all workers spend."""
    line = LineItem("l", 100_000)
    return Campaign(
        "busy", budget=Budget(total=budget), pacing=Pacing.asap, max_bid=200_000, lines=(line,),
        version=1,
    )  # fmt: skip


async def work(url: str, budget: int, seed: int) -> None:
    """Bid without an end."""
    chance = random.Random(seed)
    store = await open_store(url=url)
    purses = Purses(store.budgets, TERMS)
    purses.put([campaign(budget)])
    while True:
        await purses.turn()
        for _ in range(chance.randrange(1, 12)):
            amount = chance.randint(50, 200)
            got = purses.reserve("busy", amount)
            if got is not None:
                print(new_id(), *got, amount, flush=True)
        await asyncio.sleep(0.01)


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
