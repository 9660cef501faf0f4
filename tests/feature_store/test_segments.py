"""Saved segments over every kind of store: versions, conflicts, and writers that meet."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import BadField, NotFound, OperatorError
from feature_store.memory import MemoryStore
from feature_store.segments import (
    BLOB_NAME,
    MAX_SEGMENTS,
    NO_SEGMENTS,
    Segment,
    Segments,
    delete,
    is_name,
    load,
    one,
    pack,
    parse,
    put,
)
from feature_store.store import Store

NOW = 1_700_000_000_000
WHERE = "rfm.recency > 30"


async def test_a_segment_is_saved_changed_and_deleted(store: Store) -> None:
    assert await load(store) == NO_SEGMENTS
    made = await put(store, "old", WHERE, NOW, about="long silent")
    assert made == Segment("old", WHERE, "long silent", 1, NOW, NOW)
    assert await load(store) == Segments(1, {"old": made})
    other = await put(store, "a", "churn.band = high", NOW + 1)
    assert other.version == 2
    changed = await put(store, "old", "rfm.recency > 60", NOW + 2)
    assert changed == Segment("old", "rfm.recency > 60", "", 3, NOW, NOW + 2)
    assert list((await load(store)).by_name) == ["a", "old"]
    await delete(store, "old")
    with pytest.raises(NotFound):
        await delete(store, "old")
    # A name used again does not take an old version up again.
    again = await put(store, "old", WHERE, NOW + 3)
    assert again.version == 5


async def test_saving_the_same_again_changes_nothing(store: Store) -> None:
    made = await put(store, "old", WHERE, NOW)
    assert await put(store, "old", WHERE, NOW + 5) == made
    assert (await load(store)).revision == 1


async def test_who_saw_another_version_is_refused(store: Store) -> None:
    made = await put(store, "old", WHERE, NOW, version=0)
    for stale in (0, made.version + 1):
        with pytest.raises(BadField) as caught:
            await put(store, "old", "rfm.recency > 1", NOW, version=stale)
        assert caught.value.code == "version_conflict"
        with pytest.raises(BadField):
            await delete(store, "old", version=stale)
    changed = await put(store, "old", "rfm.recency > 1", NOW, version=made.version)
    await delete(store, "old", version=changed.version)
    assert (await load(store)).by_name == {}


async def test_writers_that_meet_lose_nothing(store: Store) -> None:
    await asyncio.gather(*(put(store, f"s{n}", WHERE, NOW) for n in range(16)))
    held = await load(store)
    assert sorted(held.by_name) == sorted(f"s{n}" for n in range(16))
    assert sorted(segment.version for segment in held.by_name.values()) == list(range(1, 17))


async def test_there_may_be_so_many() -> None:
    store = MemoryStore()
    full = {f"s{n}": Segment(f"s{n}", WHERE, "", n, NOW, NOW) for n in range(MAX_SEGMENTS)}
    await store.put_blob(BLOB_NAME, pack(Segments(MAX_SEGMENTS, full)))
    with pytest.raises(BadField) as caught:
        await put(store, "more", WHERE, NOW)
    assert caught.value.code == "too_many"
    assert (await put(store, "s3", "rfm.recency > 1", NOW)).version == MAX_SEGMENTS + 1


@pytest.mark.parametrize("held", [b"rubbish", b"{}", b"[1,2,3]", b"[2,0,[]]", b"\xff\xfe"])
async def test_what_cannot_be_read_is_refused_and_kept(held: bytes) -> None:
    store = MemoryStore()
    await store.put_blob(BLOB_NAME, held)
    with pytest.raises(OperatorError):
        await load(store)
    with pytest.raises(OperatorError):
        await put(store, "old", WHERE, NOW)
    assert await store.get_blob(BLOB_NAME) == held


def test_what_was_packed_is_read() -> None:
    named = {name: Segment(name, WHERE, "é", 1, NOW, NOW) for name in ("b", "a")}
    held = parse(pack(Segments(9, named)))
    assert held == Segments(9, named)
    assert list(held.by_name) == ["a", "b"]
    assert one(held, "a").about == "é"
    with pytest.raises(NotFound):
        one(held, "c")


@pytest.mark.parametrize("name", ["a", "at-risk_2", "2024", "x" * 64])
def test_a_name_is_plain(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize("name", ["", "A", "a b", "é", "a/b", "x" * 65, "a:b", "..", "a.b", "a\n"])
def test_other_names_are_refused(name: str) -> None:
    assert not is_name(name)


NAMES = st.from_regex(r"[a-z0-9_-]{1,64}", fullmatch=True)
SEGMENTS = st.dictionaries(
    NAMES,
    st.builds(Segment, st.just(""), st.text(max_size=60), st.text(max_size=20),
              st.integers(1, 2**40), st.integers(0, 2**45), st.integers(0, 2**45)),
    max_size=5,
)  # fmt: skip


@given(SEGMENTS, st.integers(0, 2**40))
def test_any_segments_are_packed_and_read(found: dict[str, Segment], revision: int) -> None:
    named = {name: found[name]._replace(name=name) for name in sorted(found)}
    whole = Segments(revision, named)
    assert parse(pack(whole)) == whole
    assert all(map(is_name, named))


@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(held: bytes) -> None:
    try:
        found = parse(held)
    except OperatorError:
        return
    assert parse(pack(found)) == found
