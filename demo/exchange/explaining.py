"""One bid explained: what the decision log says of it, and what the exchange's books say.

Reads the log as training would. Knows nothing of how a bid is made.
"""

import json
from pathlib import Path
from typing import Any

import polars as pl

from demo.commands import Commands
from demo.exchange.books import Sale
from demo.telling import DemoFailed, Teller, folded
from feature_store.settings import Home

SHOWN = ("model", "items", "scores", "propensities", "request")


def explained(commands: Commands, teller: Teller, sale: Sale) -> None:
    """Show a bid's row of the decision log beside what came of it; raises DemoFailed."""
    commands.run(["feature_store.log", "drain"])
    row = decision_of(Home(commands.place.home).decisions, sale.bid)
    if row is None:
        raise DemoFailed("a bid that won is not in the decision log")
    teller.say(f"Bid {sale.bid}, the last that {sale.campaign} won, as the decision log has it:")
    teller.lines(folded({name: row[name] for name in SHOWN}))
    came = "the others' best bid or the floor was"
    teller.say(
        f"What came of it, by the exchange's books: offered {sale.offered / 1e6:.4f} at "
        f"{sale.exchange}, {came} {sale.to_beat / 1e6:.4f}, paid {sale.paid / 1e6:.4f} "
        "for a thousand."
    )
    teller.holds("the bid can be told from the log, with its price, policy and propensity")


def decision_of(decisions: Path, bid: str) -> dict[str, Any] | None:
    """Answer the row of the decision that a bid is in, None when there is none."""
    files = str(decisions / "day=*" / "bucket=*" / "*.parquet")
    rows = (
        pl.scan_parquet(files, hive_partitioning=False)
        .filter((pl.col("family") == "bidding") & pl.col("request").str.contains(bid, literal=True))
        .collect()
    )
    if not rows.height:
        return None
    row = rows.row(0, named=True)
    return {**row, "request": json.loads(row["request"])}
