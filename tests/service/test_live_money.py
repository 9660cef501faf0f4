"""The till: bids find money, tokens say what they must, purses fill themselves."""

from dataclasses import replace

import pytest

from domain.campaigns import Budget
from domain.clock import FixedClock
from domain.notices import Signer, spend_for
from feature_store.budgets import Claim, Settled, Word
from feature_store.memory import MemoryStore
from feature_store.purses import Terms
from feature_store.switches import KEYS, load_keys
from service.live_money import LiveMoney
from tests.service.campaigning import CAMPAIGN, order
from tests.service.serving import NOW, until


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(clock=FixedClock(NOW))


@pytest.fixture
def money(store: MemoryStore) -> LiveMoney:
    return LiveMoney(store, FixedClock(NOW), Terms(exp=300_000, grace=60_000))


async def test_a_token_says_what_its_bill_needs(store: MemoryStore, money: LiveMoney) -> None:
    await money.look()
    money.put([CAMPAIGN])
    await money.purses.turn()
    text = money.reserve(
        order("b1", entity="uada", policy="p/1", arm=3, propensity=0.5, at=1, about=b"memo")
    )
    assert text is not None
    token = Signer(await load_keys(store)).read(text)
    assert token[:5] == ("b1", "c1", "l1", "cr", "north")
    assert (token.reserved, token.price, token.cost, token.currency) == (
        1_000, 1_000_000, 1_000_000, "USD",
    )  # fmt: skip
    assert (token.entity, token.policy, token.arm, token.propensity) == ("uada", "p/1", 3, 0.5)
    assert 0 <= token.until_ms - (NOW + 360_000) < 10_000
    assert spend_for(token, 600_000) == 600
    claim = Claim(
        Word.bill, "c1", "b1", token.lease, token.day, token.reserved, 600, token.until_ms
    )
    assert await store.budgets.settle([claim]) == [Settled.taken]


async def test_a_bill_is_what_was_paid_and_not_what_was_set_aside(
    store: MemoryStore, money: LiveMoney
) -> None:
    """Set aside is rounded up; what is paid at the very price that was bid is rounded to even."""
    await money.look()
    money.put([CAMPAIGN])
    await money.purses.turn()
    keys = await load_keys(store)
    shaded = money.reserve(order("b1", price=473_291, owed=473_291, cost=474))
    assert shaded is not None
    token = Signer(keys).read(shaded)
    assert (token.reserved, token.quantity) == (474, 1_000_000)
    assert spend_for(token, 473_291) == spend_for(token, None) == 473
    outdoors = money.reserve(
        order("b2", price=473_291, owed=6_720_733, cost=6_721, quantity=14_200_000)
    )
    assert outdoors is not None
    token = Signer(keys).read(outdoors)
    assert (token.reserved, token.quantity) == (6_721, 14_200_000)
    assert spend_for(token, 473_291, 14_200_000) == 6_721
    assert spend_for(token, 473_291, 7_100_000) == 3_360
    assert spend_for(token, 473_291, 99_000_000) == 6_721


async def test_without_keys_or_without_money_there_is_no_bid(
    store: MemoryStore, money: LiveMoney
) -> None:
    money.put([CAMPAIGN])
    assert money.reserve(order("b1")) is None
    await money.look()
    assert money.reserve(order("b1")) is None, "nothing was lent yet"
    await money.purses.turn()
    assert money.reserve(order("b1")) is not None
    assert money.reserve(order("b2", cost=2_000_000)) is None


async def test_a_test_sets_nothing_aside_and_its_token_says_so(
    store: MemoryStore, money: LiveMoney
) -> None:
    await money.look()
    text = money.reserve(order("b1", test=True))
    assert text is not None
    assert Signer(await load_keys(store)).read(text).test
    assert money.ledger("c1").lent == 0


async def test_purses_fill_themselves_and_are_emptied_at_the_end(
    store: MemoryStore, money: LiveMoney
) -> None:
    await money.start()
    money.put([CAMPAIGN])
    await until(lambda: money.reserve(order("b1")) is not None)
    assert money.funded("c1")
    await until(lambda: money.reserve(order("b2", cost=200_000)) is not None)
    await money.stop()
    (ledger,) = await store.budgets.ledgers([("c1", 0)])
    assert 200_000 < ledger.lent < 210_000, "what was bid is still set aside, the rest is back"


async def test_a_bid_that_went_without_is_hurried_for(store: MemoryStore) -> None:
    money = LiveMoney(store, FixedClock(NOW))
    await money.start()
    money.put([replace(CAMPAIGN, budget=Budget(total=50_000))])
    await until(lambda: money.reserve(order("b", cost=25_000)) is not None)
    await money.stop()


async def test_keys_that_cannot_be_read_keep_the_last_ones(
    store: MemoryStore, money: LiveMoney
) -> None:
    await money.look()
    signer = money.signer
    await store.put_blob(KEYS, b"{")
    await money.look()
    assert money.signer is signer


async def test_a_bid_that_cannot_be_signed_keeps_no_money(money: LiveMoney) -> None:
    await money.look()
    money.put([CAMPAIGN])
    await money.purses.turn()
    before = money.purses.by_name["c1"].left
    for name in ("a\x1fb", "n" * 3_000):
        assert money.reserve(order("b1", exchange=name)) is None
    assert money.purses.by_name["c1"].left == before
    assert money.reserve(order("b1")) is not None
