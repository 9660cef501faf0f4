"""What every store promises of the bids that were shown, checked against each of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.clock import FixedClock
from feature_store.shown import KEPT_MS, MemoryShown, Shown, pack_shown, parse_shown
from feature_store.store import Store

NOW = 1_760_000_000_000
BID = Shown("b1", "c1", "banner-ü", NOW, bytes(range(48)))


async def test_what_was_shown_is_found_by_its_bid(store: Store) -> None:
    other = Shown("b2", "c2", "", NOW + 1, b"", True)
    await store.shown.put([BID, other])
    assert await store.shown.get(["b2", "none", "b1"]) == [other, None, BID]
    assert await store.shown.get([]) == []
    await store.shown.put([])


async def test_a_bid_may_be_put_again(store: Store) -> None:
    await store.shown.put([BID])
    await store.shown.put([BID._replace(clicked=True), BID._replace(bid="b3")])
    found = await store.shown.get(["b1", "b3"])
    assert [one is not None and one.clicked for one in found] == [True, False]
    last = BID._replace(creative="other")
    await store.shown.put([BID, last])
    assert await store.shown.get(["b1"]) == [last]


async def test_many_at_once(store: Store) -> None:
    many = [BID._replace(bid=f"b{number}", at=number) for number in range(3_000)]
    await store.shown.put(many)
    assert await store.shown.get([one.bid for one in many]) == many


async def test_any_id_may_be_asked_for(store: Store) -> None:
    odd = ["", " ", "{", "}{x}", "ü" * 64, "a\nb", "*"]
    assert await store.shown.get(odd) == [None] * len(odd)
    await store.shown.put([BID._replace(bid=name) for name in odd])
    found = await store.shown.get(odd)
    assert [one is not None and one.bid for one in found] == odd


async def test_names_too_long_to_be_names_are_refused(store: Store) -> None:
    for wrong in (BID._replace(campaign="c" * 1_025), BID._replace(about=b"x" * 65)):
        with pytest.raises(ValueError, match="longer"):
            await store.shown.put([BID, wrong])
    assert await store.shown.get(["b1"]) == [None], "all or none"


@given(
    st.text(max_size=40), st.text(max_size=40), st.integers(0, 1 << 50), st.binary(max_size=64),
    st.booleans(),
)  # fmt: skip
def test_every_bid_comes_back(
    campaign: str, creative: str, at: int, about: bytes, clicked: bool
) -> None:
    shown = Shown("b", campaign, creative, at, about, clicked)
    assert parse_shown("b", pack_shown(shown)) == shown


@given(st.binary(max_size=80))
def test_bytes_of_anybody_are_a_bid_or_none(held: bytes) -> None:
    found = parse_shown("b", held)
    assert found is None or pack_shown(found)[:1] == held[:1]


def test_what_cannot_be_read_is_none() -> None:
    held = pack_shown(BID)
    for wrong in (None, b"", held[:-1], held + b"x", b"\x07" + held[1:]):
        assert parse_shown("b1", wrong) is None
    broken = held.replace("ü".encode(), b"\xff\xff")
    assert parse_shown("b1", broken) is None


async def test_memory_lets_go_in_time() -> None:
    clock = FixedClock(NOW)
    shown = MemoryShown(clock)
    await shown.put([BID])
    clock.advance(KEPT_MS - 1)
    assert await shown.get(["b1"]) == [BID]
    await shown.put([BID._replace(bid="b2")])
    clock.advance(1)
    assert [one is None for one in await shown.get(["b1", "b2"])] == [True, False]
    await shown.put([])
    assert list(shown._held) == ["b2"]
