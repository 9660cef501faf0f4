"""One bid explained: its row is found among others, and a bid without a row ends the demo."""

import io
import json
from pathlib import Path

import polars as pl
import pytest

from demo.commands import Commands
from demo.exchange.books import Sale
from demo.exchange.explaining import decision_of, explained
from demo.place import Place
from demo.telling import DemoFailed, Teller

SALE = Sale("bid-2", "reach-1", "plain", "dawn", 600_000, 550_000, 500_000, "")


def write_decisions(home: Path) -> Path:
    folder = home / "decisions" / "day=2026-11-01" / "bucket=000"
    folder.mkdir(parents=True)
    rows = [
        {
            "family": family, "model": "standard", "items": ["plain"], "scores": [0.6],
            "propensities": [0.9], "request": json.dumps({"bids": [[bid, "reach-1"]]}),
        }
        for family, bid in (("recommend", "bid-2"), ("bidding", "bid-1"), ("bidding", "bid-2"))
    ]  # fmt: skip
    pl.DataFrame(rows).write_parquet(folder / "1-0_2-0.parquet")
    return home / "decisions"


def test_the_row_of_a_bid(tmp_path: Path) -> None:
    decisions = write_decisions(tmp_path)
    row = decision_of(decisions, "bid-2")
    assert row is not None
    assert (row["family"], row["propensities"]) == ("bidding", [0.9])
    assert row["request"] == {"bids": [["bid-2", "reach-1"]]}
    assert decision_of(decisions, "bid-3") is None


class Drained(Commands):
    """Commands that only note what they would run: there is no store to drain here."""

    def run(self, words, shown: bool = True) -> None:
        self.teller.command(words)


def test_both_sides_are_told(tmp_path: Path, teller: Teller, out: io.StringIO) -> None:
    write_decisions(tmp_path)
    explained(Drained(Place(tmp_path), teller), teller, SALE)
    text = " ".join(out.getvalue().split())
    assert "feature_store.log drain" in text
    assert '"propensities": [0.9]' in text
    assert "offered 0.6000 at dawn" in text
    assert "paid 0.5500" in text
    assert text.count("✓") == 1


def test_a_bid_without_a_row_ends_the_demo(tmp_path: Path, teller: Teller) -> None:
    write_decisions(tmp_path)
    commands = Drained(Place(tmp_path), teller)
    with pytest.raises(DemoFailed, match="not in the decision log"):
        explained(commands, teller, _gone())


def _gone() -> Sale:
    return Sale("gone", "reach-1", "plain", "dawn", 1, 1, 1, "")
