"""The whole circle for real: import, fit, release, serve, click, another answer."""

import csv
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from demo.__main__ import bring_in, main
from demo.commands import ROOT, Commands
from demo.data import data_of
from demo.place import Imported, Place
from demo.telling import Teller
from training.importing.presets.grocery import installed_data

USERS, GROUPS, ITEMS_EACH, EVENTS_EACH = 150, 3, 20, 40
START = 1_500_000_000


def write_shop(folder: Path) -> Path:
    """Write a shop's log: users of three tastes who mostly keep to their own shelf."""
    chance = np.random.default_rng(11)
    rows = []
    for user in range(USERS):
        own = user % GROUPS
        for n in range(EVENTS_EACH):
            group = own if chance.random() < 0.9 else int(chance.integers(GROUPS))
            item = group * ITEMS_EACH + min(int(chance.exponential(5)), ITEMS_EACH - 1)
            at = START + n * 86_400 + int(chance.integers(80_000))
            rows.append((f"u{user}", f"i{item}", "view" if n % 3 else "buy", at))
    folder.mkdir()
    with (folder / "events.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("user_id", "sku", "event", "timestamp"), *rows])
    with (folder / "items.csv").open("w", newline="") as file:
        items = [(f"i{n}", f"shelf {n // ITEMS_EACH}") for n in range(GROUPS * ITEMS_EACH)]
        csv.writer(file).writerows([("item", "categories"), *items])
    return folder


def told(home: Path, *words: str) -> str:
    with socket.socket() as probe:
        # One the system says is free: others may be testing on the same machine.
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    done = subprocess.run(
        [sys.executable, "-m", "demo", "--home", str(home), "--port", port,
         "--exchange-seconds", "2", *words],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=1_200,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-2_000:]
    return done.stdout


def test_a_log_of_ones_own(tmp_path: Path) -> None:
    home = tmp_path / "home"
    try:
        text = told(home, "--data", str(write_shop(tmp_path / "shop")))
        assert "✓ the log holds 6,000 events" in text
        assert text.count("✓ the very next answer is another one") >= 1
        assert "✓ every item is of shelf" in text
        assert "✓ what we say was spent is what the exchange charged, to the micro" in text
        assert "✓ the bid can be told from the log" in text
        assert Place(home).running() is not None
    finally:
        stopped = main(["--stop", "--home", str(home)])
    assert stopped == 0
    assert Place(home).running() is None


def test_a_second_run_uses_the_log_again(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "log.csv"
    log.write_text("user,item,at\na,b,1500000000\na,c,1500000001\n")
    place, teller = Place(tmp_path / "home"), Teller()
    commands = Commands(place, teller)
    data = data_of(log, False, place.home)
    bring_in(data, place, commands, teller)
    assert "events: read 2 · accepted 2" in capfd.readouterr().out
    assert place.imported() == Imported(str(log), 2)
    bring_in(data, place, commands, teller)
    told_again = capfd.readouterr().out
    assert "imported by an earlier run: the log holds 2 events" in told_again
    assert "training import" not in told_again


def test_the_groceries_in_short(tmp_path: Path) -> None:
    if installed_data() is None:
        pytest.skip("the grocery data is not installed (extra demo)")
    home = tmp_path / "home"
    try:
        text = told(home, "--quick")
    finally:
        assert main(["--stop", "--home", str(home)]) == 0
    assert text.count("✓ the very next answer is another one") == 2
    assert "the pointer on disk and MLflow's champion are the same version" in text


def test_another_log_needs_another_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    Place(home).note_import(Imported("other", 5))
    log = tmp_path / "log.csv"
    log.write_text("user,item,at\na,b,1500000000\n")
    assert main(["--home", str(home), "--data", str(log)]) == 1
    assert "holds another log" in capsys.readouterr().err


def test_nothing_to_stop_and_nothing_to_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--stop", "--home", str(tmp_path)]) == 0
    assert "nothing to stop" in capsys.readouterr().out
    assert main(["--home", str(tmp_path), "--data", str(tmp_path / "gone")]) == 1
    assert "the demo failed: nothing at" in capsys.readouterr().err
