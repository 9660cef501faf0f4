"""Money at hand: reserves it for bids, signs their tokens, and keeps the purses filled.

The till of the bidder. Two loops run beside the requests: one lends and gives back a few times a
second, sooner when a bid went without; one learns where campaigns stand. Knows nothing of prices.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from typing import Any

from domain.campaigns import Campaign
from domain.clock import Clock
from domain.errors import Unavailable
from domain.notices import Signer, Token
from feature_store.budgets import Ledger
from feature_store.purses import Purses, Reserved, Terms
from feature_store.store import Store
from feature_store.switches import load_keys
from service.bidding import Order
from service.logs import log_unexpected
from service.polling import Poller

TURN_S = 0.1
LOOK_S = 2.0
NOTHING_RESERVED = Reserved(0, 0, 0)
_HURRY_S = 0.005
"""Bids that go without in the same moment are asked for together."""


class LiveMoney(Poller):
    """Purses that fill themselves; see service.bidding.Till."""

    def __init__(self, store: Store, clock: Clock, terms: Terms | None = None) -> None:
        super().__init__(LOOK_S)
        self._store = store
        self._wanted = asyncio.Event()
        self._turning: asyncio.Task[None] | None = None
        self.purses = Purses(store.budgets, terms, clock)
        self.purses.hungry = self._wanted.set
        self.signer: Signer | None = None
        self.listeners: list[Callable[[Any], None]] = []
        """Told of every notice that was taken; they must not wait."""

    async def start(self) -> None:
        """Fetch the keys, and go on filling and looking."""
        await super().start()
        self._turning = asyncio.create_task(self._turn())

    async def stop(self) -> None:
        """Stop, and give back what nobody will bid any more."""
        await super().stop()
        if self._turning is not None:
            self._turning.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._turning
        await self.purses.give_back()

    async def look(self) -> None:
        """Learn where campaigns stand, and the keys; lets no error out."""
        try:
            self.signer = Signer(await load_keys(self._store))
            await self.purses.look()
        except Unavailable:
            return
        except Exception as error:
            log_unexpected(error, stage="money")

    async def _turn(self) -> None:
        while True:
            try:
                await self.purses.turn()
            except Unavailable:
                await asyncio.sleep(TURN_S)
            except Exception as error:
                log_unexpected(error, stage="money")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TURN_S):
                    await self._wanted.wait()
                    await asyncio.sleep(_HURRY_S)
            self._wanted.clear()

    def put(self, campaigns: Iterable[Campaign]) -> None:
        """Hold money of these campaigns and of no others."""
        self.purses.put(campaigns)

    def funded(self, campaign: str) -> bool:
        """Tell whether a campaign has money, or may get some."""
        return self.purses.funded(campaign)

    def ledger(self, campaign: str) -> Ledger:
        """Answer where a campaign stood a few seconds ago, over all workers."""
        return self.purses.ledger(campaign)

    def reserve(self, order: Order) -> str | None:
        """Set an order's cost aside and answer its token; None without money.

        A test sets nothing aside.
        """
        signer, ready = self.signer, order.candidate.ready
        if signer is None:
            return None
        campaign = ready.campaign.campaign
        reserved = NOTHING_RESERVED
        if not order.test:
            found = self.purses.reserve(campaign, order.cost, order.expires_in * 1_000)
            if found is None:
                return None
            reserved = found
        lease, day, until = reserved
        try:
            return signer.sign(
                Token(
                    *(order.bid, campaign, ready.line.line, order.creative.creative.creative),
                    *(order.exchange, lease, day, order.cost, order.price),
                    order.owed or order.cost * 1_000,
                    *(order.currency, until, order.policy, order.arm, order.propensity),
                    *(order.entity, order.at, order.test, order.about, order.quantity),
                )
            )
        except ValueError as error:
            # A bid that nobody hears of must not keep money.
            log_unexpected(error, stage="token")
            if not order.test:
                self.purses.unreserve(campaign, reserved, order.cost)
            return None
