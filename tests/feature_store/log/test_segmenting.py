"""From events and a saved segment to trends of that segment, on a real store."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domain.clock import FixedClock
from domain.events import Event, Kind
from domain.users import Profile
from feature_store import keys, segments
from feature_store.log.segmenting import LOOK_MS, MOST_ASKED, REMEMBER_MS, Segmenting
from feature_store.log.writer import SEGMENTS_MS, Writer
from feature_store.opening import open_store, open_streams
from feature_store.segment_trends import BLOB_NAME, parse
from feature_store.settings import Home
from feature_store.store import Store, StoreSettings
from feature_store.trends import BLOB_NAME as TRENDS
from feature_store.trends import parse as parse_trends
from tests.feature_store.making import T0

SETTINGS = StoreSettings(buckets=2)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(SETTINGS, Home(tmp_path))
    yield opened
    await opened.close()


async def _people(store: Store) -> None:
    """Even users are students; the last of them refused analytics."""
    for n in range(8):
        level = {"level": "student" if n % 2 == 0 else "teacher"}
        consent = {"analytics": False} if n == 6 else {}
        await store.put_profile(f"{n}", Profile(attributes=level, consent=consent))


def _clicks(item: str, people: range) -> list[Event]:
    return [Event(f"{item}{n}", f"u{n}", Kind.click, T0, item) for n in people]


async def test_a_segment_has_trends_of_its_own(store: Store, tmp_path: Path) -> None:
    home, clock = Home(tmp_path), FixedClock(T0)
    await _people(store)
    await segments.put(store, "students", 'attributes.level = "student"', T0)
    await segments.put(store, "buyers", "rfm.orders_90d >= 1", T0)
    await store.append(_clicks("tea", range(8)), T0)
    await store.append([Event("p", "u1", Kind.purchase, T0 - 1, "pot")], T0)
    streams = open_streams(SETTINGS, home)
    who = Segmenting(streams, clock, unanswered=True)
    writer = Writer(streams, home.log, home.decisions, 2, clock, who=who)
    writer.drain()
    found = parse(streams.get_blob(BLOB_NAME))
    people = {
        key.partition("@")[0]: dict(zip(one.items, one.people.round().tolist(), strict=True))
        for key, one in found.items()
        if one.people is not None
    }
    # Three students that may be counted; the only buyer clicked on tea as well.
    assert people == {"students": {"tea": 3}, "buyers": {"tea": 1, "pot": 1}}
    # A segment that means something else begins anew; one that is gone is forgotten.
    await segments.put(store, "students", 'attributes.level = "teacher"', T0)
    await segments.delete(store, "buyers")
    clock.now_ms += max(LOOK_MS, SEGMENTS_MS)
    await store.append(_clicks("jam", range(8)), T0)
    writer.drain()
    streams.close()
    (key,) = parse(await store.get_blob(BLOB_NAME))
    again = parse(await store.get_blob(BLOB_NAME))[key]
    assert key.startswith("students@")
    assert again.items == ("jam",)
    assert again.people is not None
    assert again.people.tolist() == pytest.approx([4.0])


async def test_people_are_asked_about_so_often_and_so_many(store: Store, tmp_path: Path) -> None:
    clock = FixedClock(T0)
    await _people(store)
    await segments.put(store, "students", 'attributes.level = "student"', T0)
    streams = open_streams(SETTINGS, Home(tmp_path))
    asked: list[int] = []
    read = streams.read_states
    streams.read_states = lambda users, histories: (  # type: ignore[method-assign]
        asked.append(len(users)) or read(users, histories)
    )
    who = Segmenting(streams, clock, unanswered=True)
    assert who.of(["u0"]) == {}
    assert who.look()
    assert not who.look()
    told = who.of(["u0", "u1", "u0", "sanon", "u6", "ustranger"])
    assert told == {"u0": who.keys, "u1": (), "u6": (), "ustranger": ()}
    who.of(["u0", "u1"])
    assert asked == [4]
    many = [f"u{n}x" for n in range(2 * MOST_ASKED)]
    assert len(who.of(many)) == MOST_ASKED - 4
    assert who.of(["unew"]) == {}
    clock.now_ms += 1_000
    assert who.of(["unew"]) == {"unew": ()}
    await store.put_profile("1", Profile(attributes={"level": "student"}))
    assert who.of(["u1"]) == {"u1": ()}
    clock.now_ms += REMEMBER_MS
    assert who.of(["u1"]) == {"u1": who.keys}
    streams.close()


async def test_segments_that_cannot_be_read_cost_the_whole_nothing(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    streams = open_streams(SETTINGS, Home(tmp_path))
    await store.put_blob(segments.BLOB_NAME, b"broken")
    who = Segmenting(streams, FixedClock(T0), unanswered=True)
    assert not who.look()
    assert who.keys == ()
    assert "no trends by segment" in caplog.text
    streams.close()


async def test_a_person_who_cannot_be_read_does_not_stop_the_log(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home, clock = Home(tmp_path), FixedClock(T0)
    await _people(store)
    await segments.put(store, "students", 'attributes.level = "student"', T0)
    await segments.put(store, "buyers", "rfm.orders_90d >= 1", T0)
    await store.append(_clicks("tea", range(2)), T0)
    streams = open_streams(SETTINGS, home)
    foreign = keys.history(keys.bucket("u0", SETTINGS.buckets), "u0")
    held = streams._call("GET", foreign)
    streams._call("SET", foreign, b"of another release")
    who = Segmenting(streams, clock, unanswered=True)
    Writer(streams, home.log, home.decisions, 2, clock, who=who).drain()
    trends = parse_trends(streams.get_blob(TRENDS))
    assert dict(zip(trends.items, trends.trending[0].round().tolist(), strict=True)) == {"tea": 2}
    assert "no trends by segment of" in caplog.text
    assert "u0" not in caplog.text
    streams._call("SET", foreign, held)
    assert who.of(["u0"]) == {"u0": ()}
    clock.now_ms += REMEMBER_MS
    assert who.of(["u0"])["u0"] == tuple(key for key in who.keys if key.startswith("students"))
    streams.close()
