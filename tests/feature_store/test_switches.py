"""Switches and keys: what was put comes back, what is garbled is refused."""

import pytest

from domain.errors import OperatorError
from domain.notices import KEY_BYTES
from feature_store.memory import MemoryStore
from feature_store.switches import (
    ALL_ON,
    KEYS,
    SWITCHES,
    Switches,
    load_keys,
    load_switches,
    put_switches,
    renew_keys,
)


async def test_nothing_is_off_until_somebody_throws_a_switch() -> None:
    store = MemoryStore()
    assert await load_switches(store) == ALL_ON
    thrown = Switches(True, frozenset({"a", "b"}), frozenset({"north"}), True, True)
    await put_switches(store, thrown)
    assert await load_switches(store) == thrown


async def test_switches_of_an_earlier_release_leave_learning_on() -> None:
    store = MemoryStore()
    await store.put_blob(SWITCHES, b'{"everything": false, "campaigns": ["a"], "exchanges": []}')
    assert await load_switches(store) == Switches(campaigns=frozenset({"a"}))
    await store.put_blob(SWITCHES, b'{"exploration": true, "of_a_later_release": 1}')
    assert await load_switches(store) == Switches(exploration=True)


@pytest.mark.parametrize(
    "held", [b"{", b"[]", b'{"everything": 1}', b'{"learning": "no"}', b"\xff"]
)
async def test_switches_that_cannot_be_read_are_refused(held: bytes) -> None:
    store = MemoryStore()
    await store.put_blob(SWITCHES, held)
    with pytest.raises(OperatorError):
        await load_switches(store)


async def test_all_processes_share_one_key_and_a_new_one_leaves_the_last_believed() -> None:
    store = MemoryStore()
    first = await load_keys(store)
    assert await load_keys(store) == first
    assert [len(key) for key in first] == [KEY_BYTES]
    second = await renew_keys(store)
    assert second[1:] == first
    third = await renew_keys(store)
    assert (third[1], len(third)) == (second[0], 2)
    assert len(await renew_keys(MemoryStore())) == 1


@pytest.mark.parametrize("held", [b"{", b"[]", b'["c2hvcnQ="]', b'["!"]', b"\xff"])
async def test_keys_that_are_none_are_refused(held: bytes) -> None:
    store = MemoryStore()
    await store.put_blob(KEYS, held)
    with pytest.raises(OperatorError):
        await load_keys(store)
