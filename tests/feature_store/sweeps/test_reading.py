"""Reading: the current sweep is noticed, older ones stay for as long as they are kept."""

import threading
from pathlib import Path

import pytest

from domain.errors import OperatorError
from feature_store.sweeps.pages import Wanted
from feature_store.sweeps.reading import Sweeps, open_sweep
from feature_store.sweeps.shelf import CURRENT, clear_old
from feature_store.sweeps.table import TABLE
from tests.feature_store.sweeps.making import ID, put, scored


def _put(root: Path, number: int, *users: str) -> None:
    put(root, number, scored(list(users), [0.5] * len(users), [1.0] * len(users)))


def test_there_is_none_before_the_first(tmp_path: Path) -> None:
    sweeps = Sweeps(tmp_path / "churn")
    assert sweeps.current() is None
    assert sweeps.get(ID.format(1)) is None
    assert sweeps.get("../../secret") is None


def test_a_new_one_is_noticed_and_the_old_one_stays(tmp_path: Path) -> None:
    sweeps = Sweeps(tmp_path)
    _put(tmp_path, 1, "a")
    first = sweeps.current()
    assert first is not None
    assert first.table.users.to_pylist() == ["a"]
    assert sweeps.current() is first
    _put(tmp_path, 2, "b")
    second = sweeps.current()
    assert second is not None
    assert second.table.users.to_pylist() == ["b"]
    assert sweeps.get(ID.format(1)) is first


def test_one_that_was_cleared_away_is_gone(tmp_path: Path) -> None:
    sweeps = Sweeps(tmp_path)
    for number in range(1, 4):
        _put(tmp_path, number, "a")
        assert sweeps.current() is not None
    clear_old(tmp_path, keep=1)
    assert sweeps.get(ID.format(1)) is None
    assert sweeps.get(ID.format(3)) is not None


def test_a_selection_is_made_once(tmp_path: Path) -> None:
    sweeps = Sweeps(tmp_path)
    _put(tmp_path, 1, "a", "b")
    sweep = sweeps.current()
    assert sweep is not None
    rows = sweeps.selected(sweep, Wanted(), "user")
    assert rows.tolist() == [0, 1]
    assert sweeps.selected(sweep, Wanted(), "user") is rows
    for loss in range(20):
        assert len(sweeps.selected(sweep, Wanted(min_loss=float(loss)), "user")) == 2 * (loss == 0)


def test_what_cannot_be_read_is_the_operators_business(tmp_path: Path) -> None:
    _put(tmp_path, 1, "a")
    (tmp_path / ID.format(1) / TABLE).write_bytes(b"half")
    with pytest.raises(OperatorError):
        Sweeps(tmp_path).current()
    with pytest.raises(OperatorError):
        open_sweep(tmp_path / ID.format(1))
    (tmp_path / CURRENT).write_text("half")
    with pytest.raises(OperatorError):
        Sweeps(tmp_path).current()


def test_readers_in_threads_always_see_a_whole_sweep(tmp_path: Path) -> None:
    sweeps, wrong = Sweeps(tmp_path), list[str]()
    _put(tmp_path, 1, "a1")
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            sweep = sweeps.current()
            if sweep is None:
                wrong.append("none")
                return
            number = sweep.summary.id[-1]
            rows = sweeps.selected(sweep, Wanted(), "user")
            if sweep.table.names(rows) != [f"a{number}"]:
                wrong.append(number)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(2, 9):
        _put(tmp_path, number, f"a{number}")
        clear_old(tmp_path, keep=3)
    over.set()
    for reader in readers:
        reader.join()
    assert not wrong
