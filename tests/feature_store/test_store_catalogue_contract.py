"""What every store promises of profiles, items, blobs and decisions (see conftest.SHAPES)."""

import asyncio
import random
from typing import Any

from domain.decisions import Decision
from domain.items import Item
from domain.users import Profile
from feature_store.store import EntityState, Store

NOW = 1_700_000_000_000


async def state(store: Store) -> EntityState:
    return (await store.read(["uada"])).states[0]


async def test_profiles(store: Store) -> None:
    profile = Profile({"city": "Åre", "tags": ["a", "b"], "age": 3.5}, {"analytics": True}, True, 7)
    await store.put_profile("ada", profile)
    seen = await state(store)
    assert seen.found
    assert seen.profile == profile
    merged = await store.patch_profile(
        "ada", 9, {"city": None, "new": 1}, {"analytics": None, "advertising": False}, False
    )
    attributes = {"tags": ["a", "b"], "age": 3.5, "new": 1}
    assert merged == Profile(attributes, {"advertising": False}, False, 9)
    assert (await state(store)).profile == merged


async def test_concurrent_patches_are_all_kept(store: Store) -> None:
    await asyncio.gather(*[store.patch_profile("ada", NOW, {f"a{n}": n}) for n in range(25)])
    seen = await state(store)
    assert seen.profile is not None
    assert seen.profile.attributes == {f"a{n}": n for n in range(25)}


def item(name: str, **fields: Any) -> Item:
    return Item(name, f"Title of {name}", ("c1", "c2"), {"color": "red"}, **fields)


async def test_items_come_back_as_they_were_put(store: Store) -> None:
    made = [item("b", price=5), item("a", available=False), Item("ö", hidden=True, expires_at=9)]
    version = await store.put_items(made)
    assert version == (await store.read([])).items_version > 0
    assert await store.get_items(["ö", "x", "b", "a"]) == [made[2], None, made[0], made[1]]
    assert await store.put_items([item("b")]) > version
    assert await store.get_items(["b"]) == [item("b")]


async def test_items_are_paged_in_order(store: Store) -> None:
    names = [f"i{number:04d}" for number in range(50)] + ["Z", "ö", "a b"]
    await store.put_items([Item(name) for name in random.Random(1).sample(names, len(names))])
    seen: list[str] = []
    cursor, pages = "", 0
    while True:
        page = await store.page_items(cursor, 20)
        seen += [one.item for one in page.items]
        pages += 1
        if not page.cursor:
            break
        cursor = page.cursor
    assert seen == sorted(names, key=lambda name: name.encode())
    assert pages == 3
    assert (await store.page_items("zzz", 5)).items == (Item("ö"),)


async def test_item_changes_are_told_in_order(store: Store) -> None:
    assert await store.item_changes(0) == (0, [])
    one = await store.put_items([item("a"), item("b")])
    two = await store.put_items([item("c")])
    assert await store.delete_items(["a", "nothing"]) == 1
    version, changes = await store.item_changes(one)
    assert version == (await store.read([])).items_version > two > one
    assert changes is not None
    assert [(c.version, c.item_id, c.item) for c in changes] == [
        (two, "c", item("c")),
        (version, "a", None),
    ]
    assert await store.item_changes(version) == (version, [])
    assert await store.item_changes(version + 5) == (version, None)
    assert await store.delete_items(["nothing"]) == 0
    assert (await store.item_changes(version))[0] == version


async def test_a_large_catalogue_is_put_at_once(store: Store) -> None:
    before = await store.put_items([item("first")])
    version = await store.put_items([Item(f"i{number:06d}") for number in range(12_000)])
    assert version > before
    assert await store.item_changes(before) == (version, None)
    after = await store.put_items([item("last")])
    assert await store.item_changes(version) == (
        after,
        [(after, "last", item("last"))],
    )
    page = await store.page_items("i011997", 100)
    assert [one.item for one in page.items] == ["i011998", "i011999", "last"]


async def test_only_recent_changes_are_held(store: Store) -> None:
    first = await store.put_items([item("first")])
    for start in range(0, 9_000, 1_000):
        version = await store.put_items([Item(f"i{n}") for n in range(start, start + 1_000)])
    assert (await store.item_changes(first))[1] is None
    recent = (await store.item_changes(version - 1))[1]
    assert recent is not None
    assert len(recent) == 1_000


async def test_blobs(store: Store) -> None:
    assert await store.get_blob("trends") is None
    await store.put_blob("trends", b"\x00\xff")
    assert await store.get_blob("trends") == b"\x00\xff"
    await store.ping()


async def test_decisions_are_accepted(store: Store) -> None:
    made = Decision("d", NOW, "recommend", "uada", "m", NOW, ("a", "b"), (1.0, 0.5), (1.0, 1.0))
    await store.log_decisions([made, made._replace(decision_id="e", entity="")])
    await store.log_decisions([])
