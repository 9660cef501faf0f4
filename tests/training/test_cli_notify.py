"""The command: sweeps in, deliveries out, nothing said of whom or where."""

from dataclasses import replace
from pathlib import Path

import pytest

from feature_store.log.lock import only_one
from feature_store.settings import Home
from feature_store.sweeps.reading import Sweeps
from feature_store.sweeps.shelf import write_summary
from tests.feature_store.sweeps.making import ID, put, scored
from tests.training.notify.receiving import SECRET, Receiver, receiving
from training.cli import main
from training.cli_notify import LOCK, take_in
from training.notify.signature import verify


@pytest.fixture
def receiver():
    with receiving() as made:
        yield made


@pytest.fixture
def home(tmp_path: Path, receiver: Receiver, monkeypatch) -> Home:
    """Two sweeps between which one user crossed, and a webhook in the environment."""
    home = Home(tmp_path)
    root = home.sweeps / "churn"
    put(root, 1, scored(["ann", "bob"], [0.5, 0.5], [2.0, 20.0]))
    first = Sweeps(root).current()
    assert first is not None
    summary = put(root, 2, scored(["ann", "bob"], [0.5, 0.5], [200.0, 20.0]), first.table)
    write_summary(root / ID.format(2), replace(summary, previous=ID.format(1)))
    monkeypatch.setenv("SANDERLING_HOME", str(tmp_path))
    monkeypatch.setenv("SANDERLING_WEBHOOK_URL", receiver.url)
    monkeypatch.setenv("SANDERLING_WEBHOOK_SECRET", SECRET)
    monkeypatch.setenv("SANDERLING_WEBHOOK_PRIVATE", "allow")
    for name in ("SANDERLING_WEBHOOK_BANDS", "SANDERLING_WEBHOOK_COOLDOWN_DAYS"):
        monkeypatch.delenv(name, raising=False)
    return home


def test_who_crossed_is_told_once(home: Home, receiver: Receiver, capsys) -> None:
    assert main(["notify"]) == 0
    (arrived,) = receiver.arrived
    assert b'"user": "ann"' in arrived.body
    assert b"bob" not in arrived.body
    sent_at = int(arrived.headers["sanderling-timestamp"])
    assert verify(SECRET.encode(), arrived.headers, arrived.body, sent_at)
    assert main(["notify"]) == 0
    assert len(receiver.arrived) == 1
    said = capsys.readouterr()
    for secret in ("ann", SECRET, receiver.url):
        assert secret not in said.out + said.err
    assert "1 users crossed a band" in said.err
    assert "1 delivered" in said.err


def test_what_a_target_cannot_take_waits(
    home: Home, receiver: Receiver, monkeypatch, capsys
) -> None:
    monkeypatch.setattr("training.notify.draining.FIRST_PAUSE_MS", 200)
    receiver.manner = 500
    assert main(["notify"]) == 6
    assert "status_500 1" in capsys.readouterr().err
    assert main(["notify", "--status"]) == 0
    assert "1 wait" in capsys.readouterr().err
    receiver.manner = 200
    assert main(["notify", "--for", "30"]) == 0
    assert len(receiver.arrived) >= 2
    assert "0 wait" in capsys.readouterr().err


def test_dead_letters_are_revived(home: Home, receiver: Receiver, capsys) -> None:
    receiver.manner = 422
    assert main(["notify"]) == 0
    assert "1 dead letters" in capsys.readouterr().err
    receiver.manner = 200
    assert main(["notify", "--revive"]) == 0
    assert len(receiver.arrived) == 2


def test_a_private_target_is_not_spoken_to_unless_allowed(
    home: Home, receiver: Receiver, monkeypatch, capsys
) -> None:
    monkeypatch.delenv("SANDERLING_WEBHOOK_PRIVATE")
    assert main(["notify"]) == 5
    monkeypatch.setenv("SANDERLING_WEBHOOK_URL", receiver.url.replace("http", "https"))
    assert main(["notify"]) == 6
    assert "private_address 1" in capsys.readouterr().err
    assert not receiver.arrived


def test_without_a_webhook_there_is_nobody_to_tell(home: Home, monkeypatch, capsys) -> None:
    monkeypatch.delenv("SANDERLING_WEBHOOK_URL")
    assert take_in(home) == 0
    assert main(["notify"]) == 5
    assert main(["notify", "--status"]) == 0
    assert "SANDERLING_WEBHOOK_URL" in capsys.readouterr().err


def test_a_sweep_takes_in_what_it_found(home: Home, receiver: Receiver) -> None:
    assert take_in(home) == 1
    assert take_in(home) == 0
    assert not receiver.arrived


def test_one_at_a_time(home: Home) -> None:
    with only_one(home.notices / "churn", LOCK):
        assert main(["notify"]) == 6
