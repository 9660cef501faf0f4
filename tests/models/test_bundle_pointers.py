"""Pointers move whole, remember where they were, go back, and keep bundles from clearing."""

import json
import os
import threading

import pytest

from domain.clock import DAY_MS
from domain.errors import BundleRefused
from models.bundle import (
    CHALLENGER,
    CURRENT,
    Draft,
    current_bundle,
    open_bundle,
    point,
    write_bundle,
)
from models.bundle_pointers import (
    REMEMBERED,
    Pointer,
    clear_old,
    family_lock,
    point_back,
    read_pointer,
    versions,
    write_pointer,
)

ABSENT = "20200101-000000-000000000000"


@pytest.fixture
def family(tmp_path):
    """A family's folder with five bundles, a second apart."""
    for second in range(5):
        write_bundle(tmp_path, Draft("toy", second * 1000, {}, {}))
    return tmp_path / "toy"


def test_before_the_first_release_nothing_is_current(tmp_path):
    assert current_bundle(tmp_path, "toy") is None
    assert read_pointer(tmp_path / "toy") is None
    assert versions(tmp_path / "toy") == []


def test_a_pointer_names_a_bundle_and_remembers_those_before(family):
    a, b, c = versions(family)[:3]
    assert point(family, a, 1) == Pointer(a, 1)
    point(family, b, 2)
    assert point(family, c, 3) == read_pointer(family) == Pointer(c, 3, (b, a))
    assert current_bundle(family.parent, "toy") == family / c
    assert open_bundle(family / c).version == c


def test_pointing_where_it_points_changes_nothing(family):
    a = versions(family)[0]
    point(family, a, 1)
    assert point(family, a, 2) == Pointer(a, 1)


def test_pointers_of_two_names_do_not_meet(family):
    a, b = versions(family)[:2]
    point(family, a, 1)
    point(family, b, 2, CHALLENGER)
    assert read_pointer(family, CURRENT) == Pointer(a, 1)
    assert read_pointer(family, CHALLENGER) == Pointer(b, 2)


def test_only_so_many_are_remembered(family):
    a, b = versions(family)[:2]
    for turn in range(REMEMBERED * 2):
        point(family, (a, b)[turn % 2], turn)
    pointer = read_pointer(family)
    assert pointer is not None
    assert len(pointer.before) == REMEMBERED


@pytest.mark.parametrize("version", ["", "..", "../toy", ABSENT])
def test_a_version_that_is_not_there_is_refused(family, version):
    with pytest.raises(BundleRefused, match="no bundle"):
        point(family, version, 1)
    assert read_pointer(family) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "not json",
        "\xff",
        json.dumps({"format": 2, "version": ABSENT, "at": 0, "before": []}),
        json.dumps({"format": 1, "version": "../../etc", "at": 0, "before": []}),
        json.dumps({"format": 1, "version": ABSENT, "at": 0, "before": [1]}),
    ],
)
def test_a_damaged_pointer_is_refused_and_named(family, text):
    (family / "current").write_text(text, encoding="latin-1")
    with pytest.raises(BundleRefused, match="pointer toy/current"):
        current_bundle(family.parent, "toy")


def test_going_back_names_the_one_before_and_forgets_the_one_left(family):
    a, b, c = versions(family)[:3]
    for version in (a, b, c):
        point(family, version, 1)
    opened = []
    assert point_back(family, 2, opened.append) == Pointer(b, 2, (a,))
    assert opened == [family / b]
    assert point_back(family, 3, open_bundle) == Pointer(a, 3)
    with pytest.raises(BundleRefused, match="no earlier release"):
        point_back(family, 4, open_bundle)
    assert read_pointer(family) == Pointer(a, 3)


def test_going_back_to_a_damaged_bundle_moves_nothing(family):
    a, b = versions(family)[:2]
    point(family, a, 1)
    point(family, b, 2)
    (family / a / "golden.json").write_text("{}")
    with pytest.raises(BundleRefused):
        point_back(family, 3, open_bundle)
    assert read_pointer(family) == Pointer(b, 2, (a,))


def test_clearing_keeps_the_newest_and_all_that_pointers_need(family):
    a, b, c, d, e = versions(family)
    for version in (a, b):
        point(family, version, 1)
    point(family, c, 1, CHALLENGER)
    assert clear_old(family, keep=1, now_ms=0) == [d]
    assert versions(family) == [a, b, c, e]
    assert clear_old(family, keep=0, now_ms=0) == [e]
    assert point_back(family, 2, open_bundle).version == a


def test_what_crashed_writers_left_goes_after_a_day(family):
    (family / ".writing-00ff").mkdir()
    (family / ".writing-00ff" / "part").write_text("x")
    (family / ".pointing-00ff").write_text("x")
    born_ms = int((family / ".writing-00ff").stat().st_mtime * 1000)
    os.utime(family / ".pointing-00ff", (born_ms / 1000, born_ms / 1000))
    clear_old(family, keep=9, now_ms=born_ms + DAY_MS - 1000)
    assert (family / ".writing-00ff").is_dir()
    clear_old(family, keep=9, now_ms=born_ms + DAY_MS + 1000)
    assert {path.name for path in family.iterdir()} == set(versions(family))


def test_a_reader_never_sees_half_a_pointer(family):
    a, b = versions(family)[:2]
    write_pointer(family, CURRENT, Pointer(a, 0))
    stop = threading.Event()
    seen, failed = set(), []

    def read() -> None:
        while not stop.is_set():
            try:
                seen.add(current_bundle(family.parent, "toy"))
            except BundleRefused as error:
                failed.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    for turn in range(100):
        write_pointer(family, CURRENT, Pointer((a, b)[turn % 2], turn))
    stop.set()
    reader.join()
    assert not failed
    assert seen <= {family / a, family / b}


def test_one_at_a_time_holds_a_family(family):
    order = []

    def second() -> None:
        with family_lock(family):
            order.append("second")

    with family_lock(family):
        waiting = threading.Thread(target=second)
        waiting.start()
        order.append("first")
    waiting.join(timeout=10)
    assert order == ["first", "second"]
