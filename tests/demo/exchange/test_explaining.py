"""What the decision log says: found among others, held against the books, or the demo ends."""

import io
import json
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from demo.commands import Commands
from demo.exchange.books import Books, Sale
from demo.exchange.campaigns import Running
from demo.exchange.explaining import decisions_of, explained, mean, told_arms
from demo.exchange.summary import Ran
from demo.place import Place
from demo.telling import DemoFailed, Teller

SALE = Sale("b-9", "reach-1", "plain", "dawn", 600_000, 550_000, 500_000, "")
CAMPAIGNS = (Running("reach-1", "reach", 1_000),)


def logged(bid: str, campaign: str, arm: int = 2, **more: Any) -> dict[str, Any]:
    told = {"bid": bid, "campaign": campaign, "creative": "plain", "price": 600_000, "arm": arm}
    return {**told, "win": 0.4, "confidence": 0.9, **more}


def decision(at: int, *bids: dict[str, Any], family: str = "bidding") -> dict[str, Any]:
    return {
        "at": at, "family": family, "model": "learned/1", "items": ["plain"] * len(bids),
        "scores": [0.6] * len(bids), "propensities": [0.25 * (1 + n) for n in range(len(bids))],
        "request": json.dumps({"bids": bids, "personal": True}),
    }  # fmt: skip


def write_decisions(home: Path) -> Path:
    """Nine bids for reach, of which the later ones are multiplied by more; others between."""
    folder = home / "decisions" / "day=2026-11-01" / "bucket=000"
    folder.mkdir(parents=True)
    rows = [
        decision(number, logged(f"b-{number}", "reach-1", arm=1 if number < 5 else 4))
        for number in range(9, 0, -1)
    ]
    rows.append(decision(4, logged("x-1", "other-1"), logged("b-4b", "reach-1", arm=13)))
    rows.append(decision(5, family="recommend"))
    rows.append(decision(6))
    pl.DataFrame(rows).write_parquet(folder / "1-0_2-0.parquet")
    return home / "decisions"


def ran(sale: Sale = SALE) -> Ran:
    books = Books(sales=[sale])
    books.accounts["reach-1"].bids, books.accounts["reach-1"].wins = 10, 3
    return Ran(books, CAMPAIGNS, (0,), ())


def test_bids_are_found_in_the_order_of_time(tmp_path: Path) -> None:
    rows = decisions_of(write_decisions(tmp_path), ["reach-1"])
    names = [row["bid"]["bid"] for row in rows]
    assert sorted(names) == ["b-1", "b-2", "b-3", "b-4", "b-4b", "b-5", "b-6", "b-7", "b-8", "b-9"]
    assert [row["at"] for row in rows] == [1, 2, 3, 4, 4, 5, 6, 7, 8, 9]
    # Of several bids in one decision each has its own propensity.
    assert {row["bid"]["bid"]: row["bid"]["propensity"] for row in rows}["b-4b"] == 0.5
    assert rows[0]["request"]["personal"] is True
    assert decisions_of(tmp_path / "decisions", ["nobody"]) == []


def test_which_arms_were_tried(tmp_path: Path, teller: Teller, out: io.StringIO) -> None:
    told_arms(teller, decisions_of(write_decisions(tmp_path), ["reach-1"]))
    cells = [re.split(r"\s{2,}", line.strip()) for line in out.getvalue().splitlines()]
    rows = {name: values for name, *values in cells}
    assert rows["first third"] == ["0%", "100%", "0%", "0%", "0%", "0.25"]
    assert rows["last third"] == ["0%", "0%", "0%", "0%", "100%", "0.25"]


def test_of_no_bids_nothing_was_tried(teller: Teller, out: io.StringIO) -> None:
    told_arms(teller, [])
    assert "last third" in out.getvalue()
    assert "0.00" in out.getvalue()


class Drained(Commands):
    """Commands that only note what they would run: there is no store to drain here."""

    def run(self, words: Any, shown: bool = True) -> None:
        self.teller.command(words)


def test_one_bid_is_told_from_both_sides(tmp_path: Path, teller: Teller, out: io.StringIO) -> None:
    write_decisions(tmp_path)
    explained(Drained(Place(tmp_path), teller), teller, ran())
    text = " ".join(out.getvalue().split())
    assert "feature_store.log drain" in text
    assert '"model": "learned/1"' in text
    assert "offered 0.6000 for a thousand at dawn, where 0.5000 was to beat; paid 0.5500" in text
    assert text.count("✓") == 1


@pytest.mark.parametrize(
    ("sale", "told"),
    [
        (SALE._replace(bid="gone"), "not in the decision log"),
        (SALE._replace(offered=600_001), "different prices"),
        (SALE._replace(creative="bright"), "different prices or creatives"),
    ],
)
def test_what_does_not_agree_ends_the_demo(
    sale: Sale, told: str, tmp_path: Path, teller: Teller
) -> None:
    write_decisions(tmp_path)
    with pytest.raises(DemoFailed, match=told):
        explained(Drained(Place(tmp_path), teller), teller, ran(sale))


def test_the_mean_of_nothing() -> None:
    assert mean([]) == 0.0
    assert mean([1, 2]) == 1.5
