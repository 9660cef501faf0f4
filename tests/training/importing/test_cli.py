"""The import command end to end: real files, the real store, the log; twice over; and the words."""

import csv
import gzip
import subprocess
import sys
import time
from pathlib import Path

import pytest

from feature_store.log.reader import read_log
from training.cli import main

LINES = [
    "customer,sku,what,when,total",
    *(f"c{n % 7},p{n % 11},buy,2020-01-{n % 28 + 1:02} 10:00,{n}.50" for n in range(60)),
    "c1,p1,gaze,2020-01-01 10:00,1",
    "c1,p1,buy,someday,1",
    "c1,p1,buy,2020-01-01 10:00,dear",
]
MAP = [
    "--user", "customer", "--item", "sku", "--kind", "what", "--kind-map", "buy=purchase",
    "--at", "when", "--tz", "Europe/Berlin", "--value", "total", "--currency", "=EUR",
]  # fmt: skip


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    monkeypatch.setenv("SANDERLING_HOME", str(home))
    monkeypatch.setenv("SANDERLING_BUCKETS", "4")
    monkeypatch.delenv("SANDERLING_CURRENCY", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)
    return home


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "shop.csv.gz"
    path.write_bytes(gzip.compress("\n".join(LINES).encode()))
    return path


def test_events_to_the_log_and_twice_nothing(
    home: Path, log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", str(log), *MAP]) == 0
    told = capsys.readouterr().out
    assert "events: read 63 · accepted 60 · already there 0 · rejected 3" in told
    assert "house currency is not set" in told
    assert "log: 60 rows" in told
    rejects = home / "imports" / "shop.csv.gz.rejects.csv"
    with rejects.open(newline="") as file:
        rows = [(row["row"], row["field"], row["code"]) for row in csv.DictReader(file)]
    assert rows == [
        ("62", "kind", "unknown_kind"), ("63", "at", "unreadable"), ("64", "value", "unreadable"),
    ]  # fmt: skip
    table = read_log(home / "log", ["entity", "at", "value", "kind", "currency"])
    assert table.height == 60
    assert table["value"].sum() == sum(n * 1_000_000 + 500_000 for n in range(60))
    assert table["at"].min() == 1_577_869_200_000

    renamed = log.with_name("again.csv.gz")
    log.rename(renamed)
    assert main(["import", str(renamed), *MAP]) == 0
    assert "accepted 0 · already there 60" in capsys.readouterr().out
    assert read_log(home / "log", ["entity"]).height == 60


def test_items_users_and_labels(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    items = tmp_path / "items.csv"
    items.write_text("sku,name,top,price,brand\np1,Thing,X,2.5,Tern\n,Nothing,X,1,Tern\n")
    words = ["--item", "sku", "--title", "name", "--categories", "top", "--price", "price"]
    assert main(["import", str(items), "--what", "items", *words]) == 0
    assert "items: read 2 · accepted 1 · already there 0 · rejected 1" in capsys.readouterr().out
    users = tmp_path / "users.jsonl"
    users.write_text('{"customer_id":"c1","city":"Husum"}\n')
    assert main(["import", "--users", str(users)]) == 0
    assert "users: read 1 · accepted 1" in capsys.readouterr().out
    labels = tmp_path / "left.csv"
    labels.write_text("customer_id,date,left\nc1,2020-02-01,yes\nc2,2020-02-01,no\n")
    words = ["--label", "left", "--name", "churn"]
    assert main(["import", "--labels", str(labels), *words]) == 0
    told = capsys.readouterr().out
    assert "labels: read 2 · accepted 2" in told
    assert "2 users, of them never seen: 1" in told
    assert (home / "labels" / "churn.parquet").is_file()


def test_a_dry_run_shows_and_writes_nothing(
    home: Path, log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", str(log), *MAP, "--dry-run", "--rows", "2", "--move-to-now"]) == 0
    told = capsys.readouterr().out
    assert "60 would be accepted, 3 rejected" in told
    assert "all times are moved" in told
    assert not home.exists()


def test_moved_to_now(home: Path, log: Path) -> None:
    assert main(["import", str(log), *MAP, "--move-to-now"]) == 0
    newest = read_log(home / "log", ["at"])["at"].max()
    age = time.time() * 1000 - newest  # type: ignore[operator]
    assert 0 <= age < 7 * 86_400_000


def test_no_row_that_can_be_used_is_exit_status_1(home: Path, log: Path) -> None:
    wrong = ["--user", "customer", "--kind", "sku", "--at", "when"]
    assert main(["import", str(log), *wrong]) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "nothing to import"),
        (["gone.csv"], "no such file: gone.csv"),
        (["--preset", "cdnow-sample", "--what", "items", "."], "cdnow-sample holds no items"),
        (["--what", "labels", "x.csv"], "labels need --label COLUMN and --name SET"),
    ],
)
def test_what_cannot_be_done_says_what_to_say(
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["import", *words]) == 4
    assert message in capsys.readouterr().err


def test_a_kill_in_the_middle_and_a_second_run_leave_each_event_once(
    home: Path, tmp_path: Path
) -> None:
    log = tmp_path / "long.csv"
    with log.open("w") as file:
        file.write("user,item,kind,at\n")
        file.writelines(f"u{n % 97},i{n % 31},click,{1_500_000_000 + n}\n" for n in range(120_000))
    command = [sys.executable, "-m", "training", "import", str(log)]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert child.stderr is not None
    told = b""
    while b"% " not in told and b"rows/s" not in told.split(b"?")[-1]:
        told += child.stderr.read(64)
        assert child.poll() is None, "ended before it could be killed"
    child.kill()
    child.wait()
    child.stderr.close()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "read 120,000" in done.stdout
    table = read_log(home / "log", ["entity", "event"])
    assert table.height == 120_000
    assert table.n_unique() == 120_000
