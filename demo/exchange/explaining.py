"""What the decision log says of the exchange's bids: the arms that were tried, and one bid whole.

Reads the log as training would, and holds it against the exchange's books. Knows nothing of how
a bid is made.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from demo.commands import Commands
from demo.exchange.books import Sale
from demo.exchange.summary import Ran, thirds
from demo.telling import DemoFailed, Teller, folded
from feature_store.settings import Home
from models.bidding.arms import MULTIPLIERS

SHOWN = ("model", "items", "scores", "propensities", "request")
Row = dict[str, Any]


def explained(commands: Commands, teller: Teller, ran: Ran) -> None:
    """Show what was tried, and the last bid that won; raises DemoFailed when it was not logged."""
    commands.run(["feature_store.log", "drain"])
    names = {one.kind: one.campaign for one in ran.campaigns}
    rows = decisions_of(Home(commands.place.home).decisions, list(names.values()))
    reach = [row for row in rows if row["bid"]["campaign"] == names["reach"]]
    told_arms(teller, reach)
    sale = ran.books.sales[-1]
    row = next((row for row in reversed(rows) if row["bid"]["bid"] == sale.bid), None)
    if row is None:
        raise DemoFailed("a bid that won is not in the decision log")
    told_bid(teller, row, sale)


def decisions_of(decisions: Path, campaigns: Sequence[str]) -> list[Row]:
    """Answer every logged bid of these campaigns, in the order of time: the decision's row with
    its request read, and in `bid` the one of its bids that is meant."""
    files = str(decisions / "day=*" / "bucket=*" / "*.parquet")
    found = (
        pl.scan_parquet(files, hive_partitioning=False)
        .filter(pl.col("family") == "bidding")
        .sort("at")
        .collect()
    )
    rows: list[Row] = []
    for row in found.iter_rows(named=True):
        request = json.loads(row["request"])
        for place, bid in enumerate(request.get("bids", ())):
            if bid["campaign"] in campaigns:
                chance = row["propensities"][place]
                rows.append({**row, "request": request, "bid": {**bid, "propensity": chance}})
    return rows


def told_arms(teller: Teller, rows: Sequence[Row]) -> None:
    """Say which multipliers of the price the bandit chose, earlier and later."""
    teller.say("The price is multiplied by an arm of a bandit; of the bids for reach there had")
    parts = thirds(rows)
    table = [["multiplier", *(f"{each:g}" for each in MULTIPLIERS), "mean propensity"]]
    for name, part in zip(("first third", "last third"), parts, strict=True):
        arms = [row["bid"]["arm"] % len(MULTIPLIERS) for row in part]
        shares = [
            f"{arms.count(place) / max(len(arms), 1):.0%}" for place in range(len(MULTIPLIERS))
        ]
        table.append([name, *shares, f"{mean(row['bid']['propensity'] for row in part):.2f}"])
    teller.table(table)


def told_bid(teller: Teller, row: Row, sale: Sale) -> None:
    """Show a bid's decision beside what came of it."""
    teller.blank()
    teller.say(f"Bid {sale.bid}, the last that won, as the decision log has it:")
    teller.lines(folded({name: row[name] for name in SHOWN}))
    teller.say(
        f"What came of it, by the exchange's books: offered {sale.offered / 1e6:.4f} for a "
        f"thousand at {sale.exchange}, where {sale.to_beat / 1e6:.4f} was to beat; paid "
        f"{sale.paid / 1e6:.4f}."
    )
    if row["bid"]["price"] != sale.offered or row["bid"]["creative"] != sale.creative:
        raise DemoFailed("the decision log and the exchange name different prices or creatives")
    teller.holds(
        "the bid can be told from the log: its price, arm and propensity, what it was thought "
        "worth and how likely to win; the exchange heard the same price"
    )


def mean(values: Any) -> float:
    """Answer the mean of some numbers, 0 of none."""
    held = list(values)
    return sum(held) / len(held) if held else 0.0
