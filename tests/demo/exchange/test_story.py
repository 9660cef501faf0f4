"""The exchange's story over a real service: a few seconds of auctions, every claim checked."""

import io
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from benchmarks.servers import our_service
from demo.calls import Service
from demo.commands import Commands
from demo.exchange.explaining import explained
from demo.exchange.requests import VENDOR
from demo.exchange.story import ExchangeStory, pictured
from demo.place import Place
from demo.telling import Teller
from feature_store.settings import Home

USERS = 12


def write_log(home: Path) -> None:
    """Write a log of a few users, as far as the exchange looks at it."""
    folder = home / "log" / "day=2026-11-01" / "bucket=000"
    folder.mkdir(parents=True)
    entities = [f"u{number}" for number in range(USERS)]
    pl.DataFrame({"entity": entities}).write_parquet(folder / "1-0_2-0.parquet")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write_log(tmp_path)
    return tmp_path


@pytest.fixture
def running(home: Path, teller: Teller) -> Iterator[Service]:
    with our_service(home, None, {"SANDERLING_TCF_VENDOR": str(VENDOR)}) as server:
        yield Service(server.url(""), teller)


def test_a_few_seconds_of_auctions(
    home: Path, running: Service, teller: Teller, out: io.StringIO
) -> None:
    for number in range(USERS):
        event = {"user": str(number), "kind": "purchase", "item": "x", "value": 1}
        running.quietly("POST", "/v1/events", event, expect=202)
    story = ExchangeStory(running, teller, seconds=3.0)
    ran = story.ran(Home(home).log, events=1, a_second=120)
    text = out.getvalue()
    assert text.count("✓") == 4
    assert "to the micro" in text
    assert len(ran.moments) == 10
    assert ran.books.auctions == pytest.approx(360, abs=80)
    assert ran.books.statuses[200] + ran.books.statuses[204] == ran.books.auctions
    assert ran.books.statuses[200] > 0.1 * ran.books.auctions
    assert sum(ran.spent) > 0
    # Everybody was told: two notices for a win, one for a loss.
    told = ran.books.told
    assert told["win taken"] == told["bill taken"] == ran.books.wins
    assert told["loss taken"] == ran.books.bids - ran.books.wins
    picture = pictured(home, ran, 3.0)
    assert picture.read_bytes().startswith(b"\x89PNG")
    explained(Commands(Place(home), teller), teller, ran)
    assert out.getvalue().count("✓") == 5


def test_a_log_without_users_has_no_audience(home: Path, running: Service, teller: Teller) -> None:
    for file in Home(home).log.glob("day=*/bucket=*/*"):
        pl.DataFrame({"entity": ["svisit"]}).write_parquet(file)
    ran = ExchangeStory(running, teller, seconds=1.0).ran(Home(home).log, 1, a_second=100)
    assert [one.kind for one in ran.campaigns] == ["reach", "clicks"]
    assert not any(one.people for one in ran.books.accounts.values())
