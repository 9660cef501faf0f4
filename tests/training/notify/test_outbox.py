"""The outbox: taken in once, due in order, buried and revived; nothing lost by a kill."""

import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT
from training.notify.outbox import DEAD_LETTERS, OUTBOX, Delivery, Outbox, Standing

ONE, TWO = Delivery("a", 1_000, b'{"n": 1}'), Delivery("b", 1_001, b'{"n": 2}')


@pytest.fixture
def outbox(tmp_path: Path):
    with Outbox(tmp_path / "box") as made:
        yield made


def test_what_is_taken_in_is_due_in_order(outbox: Outbox) -> None:
    assert outbox.is_new()
    assert outbox.due(5_000) is None
    assert outbox.take("s1", [TWO, ONE], [("u", "high")], 900)
    assert outbox.knows("s1")
    assert not outbox.is_new()
    assert outbox.due(5_000) == ONE
    outbox.done("a")
    assert outbox.due(5_000) == TWO
    assert outbox.standing(6_000) == Standing(1, 4_999, 0, 0)


def test_a_source_is_taken_in_once(outbox: Outbox) -> None:
    assert outbox.take("s1", [ONE], [], 1)
    assert not outbox.take("s1", [TWO], [("u", "low")], 2)
    assert outbox.standing(2_000).waiting == 1
    assert outbox.told_since(0) == set()


def test_taking_in_is_all_or_nothing(outbox: Outbox) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        outbox.take("s1", [ONE, ONE], [("u", "low")], 2)
    assert not outbox.knows("s1")
    assert outbox.standing(0).waiting == 0


def test_who_was_told_of_is_remembered(outbox: Outbox) -> None:
    outbox.take("s1", [], [("u", "high"), ("v", "low")], 10)
    outbox.take("s2", [], [("u", "high")], 20)
    assert outbox.told_since(15) == {("u", "high")}
    assert outbox.told_since(9) == {("u", "high"), ("v", "low")}


def test_what_failed_waits_its_turn(outbox: Outbox) -> None:
    outbox.take("s1", [ONE, TWO], [], 1)
    outbox.again("a", 9_000, "status_500")
    assert outbox.due(8_999) == TWO
    outbox.done("b")
    assert outbox.due(8_999) is None
    assert outbox.due(9_000) == ONE._replace(attempts=1, next_at=9_000, last="status_500")
    assert outbox.standing(0).due == 9_000


def test_the_dead_are_kept_once_and_revived(outbox: Outbox) -> None:
    outbox.take("s1", [ONE, TWO], [], 1)
    failed = ONE._replace(attempts=100, last="timeout")
    outbox.bury(failed, 5)
    outbox.bury(failed, 6)
    with (outbox.folder / DEAD_LETTERS).open("ab") as file:
        file.write(b'{"id": "half')
    assert outbox.dead() == [failed]
    assert outbox.standing(0) == Standing(1, -1_001, 0, 1)
    assert outbox.revive() == 1
    assert outbox.due(2_000) == ONE
    assert outbox.standing(0).dead == 0
    assert outbox.revive() == 0


def test_only_the_owner_may_look(outbox: Outbox) -> None:
    outbox.take("s1", [ONE], [], 1)
    outbox.bury(ONE, 5)
    for name in (OUTBOX, DEAD_LETTERS):
        assert stat.S_IMODE(os.stat(outbox.folder / name).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(outbox.folder).st_mode) == 0o700


_KILLED = """
import os, signal, sys
from pathlib import Path
from training.notify.outbox import Delivery, Outbox
box = Outbox(Path(sys.argv[1]))
box.take("s1", [Delivery("a", 1, b"{}")], [("u", "high")], 1)
def half():
    yield Delivery("b", 2, b"{}")
    os.kill(os.getpid(), signal.SIGKILL)
box.take("s2", half(), [], 2)
"""


def test_a_kill_leaves_what_was_whole_and_nothing_half(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _KILLED, str(tmp_path)]
    assert subprocess.run(command, cwd=ROOT, check=False, timeout=60).returncode == -9
    with Outbox(tmp_path) as box:
        assert box.knows("s1")
        assert not box.knows("s2")
        assert box.standing(1).waiting == 1
