"""What every store promises of profiles, items, blobs and decisions (see conftest.SHAPES)."""

import asyncio
import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from domain.decisions import Decision
from domain.errors import NotFound
from domain.items import Item
from domain.users import Profile
from feature_store.store import EditItems, EntityState, ItemChange, Store, StoreSettings
from tests.feature_store.conftest import OpenStore

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


async def test_an_edit_sees_what_there_is(store: Store) -> None:
    await store.put_items([item("a"), item("b", price=5)])
    before = (await store.read([])).items_version
    seen: list[Mapping[str, Item]] = []

    def edit(known: Mapping[str, Item]) -> list[Item]:
        seen.append(known)
        return [replace(known["b"], price=7), item("new")]

    made = await store.edit_items(["b", "none", "new", "b"], edit)
    assert seen == [{"b": item("b", price=5)}]
    assert list(made) == [item("b", price=7), item("new")]
    assert await store.get_items(["a", "b", "new"]) == [item("a"), *made]
    version, changes = await store.item_changes(before)
    assert changes == [ItemChange(version, one.item, one) for one in made]
    assert list(await store.edit_items(["a"], lambda known: [])) == []
    assert (await store.read([])).items_version == version


async def test_an_edit_that_raises_writes_nothing(store: Store) -> None:
    version = await store.put_items([item("a")])

    def edit(known: Mapping[str, Item]) -> list[Item]:
        raise NotFound("no such item")

    with pytest.raises(NotFound):
        await store.edit_items(["a"], edit)
    assert (await store.read([])).items_version == version
    # Whoever comes next is not kept waiting.
    assert await asyncio.wait_for(store.edit_items(["a"], lambda known: [item("a", price=1)]), 5)


def adding(name: str) -> EditItems:
    """Answer an edit that gives item "a" one attribute more."""
    return lambda known: [replace(known["a"], attributes={**known["a"].attributes, name: "x"})]


async def test_edits_by_many_at_the_same_moment_are_all_kept(opening: OpenStore) -> None:
    stores = [await opening(StoreSettings(buckets=8)) for _ in range(4)]
    await stores[0].put_items([item("a")])
    await asyncio.gather(
        *[store.edit_items(["a"], adding(f"{n}-{m}")) for n, store in enumerate(stores)
          for m in range(10)]
    )  # fmt: skip
    (held,) = await stores[0].get_items(["a"])
    assert held is not None
    assert set(held.attributes) == {"color", *(f"{n}-{m}" for n in range(4) for m in range(10))}


async def test_edits_of_overlapping_items_are_all_kept(opening: OpenStore) -> None:
    one, two = [await opening(StoreSettings(buckets=8)) for _ in range(2)]
    names = [f"i{number:02d}" for number in range(60)]
    await one.put_items([Item(name, price=0) for name in names])

    async def raise_prices(store: Store, some: list[str]) -> None:
        for _ in range(5):
            await store.edit_items(
                some,
                lambda known: [replace(i, price=(i.price or 0) + 1) for i in known.values()],
            )

    await asyncio.gather(raise_prices(one, names[:40]), raise_prices(two, names[20:][::-1]))
    prices = [held.price for held in await one.get_items(names) if held is not None]
    assert prices == [5] * 20 + [10] * 20 + [5] * 20


async def test_an_edit_brings_nothing_back_that_was_deleted_meanwhile(opening: OpenStore) -> None:
    one, two = [await opening(StoreSettings(buckets=8)) for _ in range(2)]
    for turn in range(10):
        await one.put_items([item("a")])

        def edit(known: Mapping[str, Item]) -> list[Item]:
            if "a" not in known:
                raise NotFound("no such item")
            return [replace(known["a"], price=9)]

        edited, deleted = await asyncio.gather(
            one.edit_items(["a"], edit), two.delete_items(["a"]), return_exceptions=True
        )
        assert deleted == 1, turn
        assert isinstance(edited, (NotFound, list))
        assert await one.get_items(["a"]) == [None]


async def test_deletions_are_remembered_until_the_item_is_put_again(store: Store) -> None:
    assert await store.page_deleted("", 10) == ((), "")
    names = ["ö", "b", "Z", "a b", "c"]
    await store.put_items([item(name) for name in names])
    assert await store.delete_items([*names, "nothing"]) == 5
    assert await store.page_deleted("", 10) == (("Z", "a b", "b", "c", "ö"), "")
    assert await store.page_deleted("", 2) == (("Z", "a b"), "a b")
    assert await store.page_deleted("a b", 3) == (("b", "c", "ö"), "ö")
    assert await store.page_deleted("ö", 3) == ((), "")
    # So many changes later that the feed no longer tells of it, and by both ways of putting.
    first = await store.put_items([item("c")])
    for start in range(0, 9_000, 1_000):
        await store.put_items([Item(f"i{n}") for n in range(start, start + 1_000)])
    assert (await store.item_changes(first - 1))[1] is None
    assert await store.page_deleted("", 10) == (("Z", "a b", "b", "ö"), "")
    await store.put_items([*[Item(f"i{n}") for n in range(12_000)], item("b"), item("ö")])
    assert await store.page_deleted("", 10) == (("Z", "a b"), "")


async def test_blobs(store: Store) -> None:
    assert await store.get_blob("trends") is None
    await store.put_blob("trends", b"\x00\xff")
    assert await store.get_blob("trends") == b"\x00\xff"
    await store.ping()


async def test_a_blob_is_edited_and_no_edit_is_lost(store: Store) -> None:
    assert await store.edit_blob("count", lambda held: (held or b"") + b"a") == b"a"

    async def add(part: bytes) -> None:
        await store.edit_blob("count", lambda held: (held or b"") + part)

    await asyncio.gather(*(add(b"b") for _ in range(20)))
    assert await store.get_blob("count") == b"a" + b"b" * 20

    def refuse(held: bytes | None) -> bytes:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await store.edit_blob("count", refuse)
    assert await store.get_blob("count") == b"a" + b"b" * 20
    # What was emptied is edited as well.
    await store.put_blob("count", b"")
    assert await store.edit_blob("count", lambda held: b"c") == b"c"


async def test_decisions_are_accepted(store: Store) -> None:
    made = Decision("d", NOW, "recommend", "uada", "m", NOW, ("a", "b"), (1.0, 0.5), (1.0, 1.0))
    await store.log_decisions([made, made._replace(decision_id="e", entity="")])
    await store.log_decisions([])
