"""The digest of a log depends on every event and on nothing else; the revision is git's."""

import random
import subprocess

import numpy as np
import pytest

from domain.errors import TooLittleData
from domain.events import Event, Kind
from feature_store.history import History
from feature_store.linking import Link
from feature_store.settings import Home
from feature_store.store import StoreSettings
from training.logbook import data_stamp, load_log, no_log, source_commit

EVENTS = [
    Event(f"e{n}", f"u{n % 3}", Kind.click, 1_000 + n // 2, item=f"i{n % 4}", value=n)
    for n in range(12)
]


def digest(events, **more) -> str:
    return data_stamp(History.from_events(events, **more), {}).digest


def test_the_stamp_has_count_range_and_split():
    stamp = data_stamp(History.from_events(EVENTS), {"kind": "time"})
    assert (stamp.events, stamp.first_at, stamp.last_at) == (12, 1_000, 1_005)
    assert stamp.split == {"kind": "time"}
    assert len(stamp.digest) == 64


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_arrival_does_not_matter(seed):
    shuffled = random.Random(seed).sample(EVENTS, len(EVENTS))
    assert digest(shuffled) == digest(EVENTS)


@pytest.mark.parametrize(
    "change",
    [{"at": 999}, {"item": "other"}, {"value": 99}, {"entity": "u9"}, {"event_id": "e99"}],
)
def test_any_change_of_any_event_matters(change):
    assert digest([EVENTS[0]._replace(**change), *EVENTS[1:]]) != digest(EVENTS)
    assert digest(EVENTS[1:]) != digest(EVENTS)


def test_events_repeated_for_a_link_count_once():
    events = [*EVENTS, Event("s1", "sx", Kind.click, 1_001, item="i1")]
    linked = History.from_events(events, links=[Link("sx", "u0", 2_000)])
    assert data_stamp(linked, {}).events == 13
    assert len(linked.records) > 13


def test_a_log_is_loaded_with_the_items_in_it(walked):
    log = load_log(walked, StoreSettings(history_cap=7))
    assert log.history.events == 60 * 14
    assert log.history.cap == 7
    assert log.items == tuple(f"item{n:02}" for n in range(24))
    assert np.all(np.diff(log.history.offsets) >= 0)


def test_an_empty_log_says_what_to_do(tmp_path):
    with pytest.raises(TooLittleData, match="training import"):
        load_log(Home(tmp_path), StoreSettings())


def test_the_revision_is_marked_when_the_checkout_was_changed(tmp_path):
    def git(*words):
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        subprocess.run(["git", *who, *words], cwd=tmp_path, check=True, capture_output=True)

    assert source_commit(tmp_path) == ""
    git("init", "-q")
    (tmp_path / "file").write_text("1")
    git("add", "file")
    git("commit", "-qm", "first")
    commit = source_commit(tmp_path)
    assert len(commit) == 40
    (tmp_path / "file").write_text("2")
    assert source_commit(tmp_path) == commit + "+"
    assert source_commit(tmp_path / "absent") == ""


def test_a_log_of_nothing_names_what_it_stands_for():
    log = no_log("trial.csv")
    assert (log.history.events, log.items, log.source) == (0, (), "trial.csv")
