"""Logged bids and what came of them: one row a bid, from the decision log and the event log.

A decision of the family `bidding` says in its request what was bid and in which context; events
quote the bid by decision_id. What a bid's events say of its auction in their properties ("auction"
won or lost, "price" and "minimum" in cpm micros) is gathered too. Knows nothing of features.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from domain.clock import DAY_MS
from domain.events import Kind
from feature_store.log.files import log_files
from feature_store.log.reader import read_log
from training.fit.bidding.settings import BiddingSettings

FAMILY = "bidding"
_COLUMNS = ["decision_id", "at", "family", "entity", "propensities", "request"]
_EVENTS = ["kind", "at", "decision_id", "entity", "value", "currency_code", "properties"]


class Bid(NamedTuple):
    """One bid. Times are ms UTC, None for what did not come; amounts cpm micros.

    auction: 1 first price, 2 second. won: None when nothing was heard and it is too soon to
    say. paid, minimum: 0 when not told. worth: micros that its conversion brought. arm: see
    models.bidding.arms, -1 unknown; propensity: with which it was drawn, 0 unknown.
    """

    bid: str
    at: int
    entity: str
    context: Mapping[str, str]
    scores: Mapping[str, float]
    campaign: str
    line: str
    creative: str
    auction: int
    price: int
    floor: int
    shown: int | None = None
    clicked: int | None = None
    converted: int | None = None
    worth: int = 0
    won: bool | None = None
    paid: int = 0
    minimum: int = 0
    arm: int = -1
    propensity: float = 0.0


def read_bids(events: Path, decisions: Path, settings: BiddingSettings, until: int) -> list[Bid]:
    """Answer every bid decided before `until` (ms UTC), by time, with its outcomes by then."""
    frames = [
        pl.read_parquet(file.path, columns=_COLUMNS).filter(
            pl.col("family") == FAMILY, pl.col("at") < until
        )
        for file in log_files(decisions)
    ]
    if not frames:
        return []
    rows = pl.concat(frames).unique("decision_id").sort("at", "decision_id")
    bids = {bid.bid: bid for row in rows.iter_rows(named=True) for bid in bids_of(row)}
    came = read_log(events, _EVENTS, until=until).filter(pl.col("decision_id").is_in(list(bids)))
    for row in came.sort("at").iter_rows(named=True):
        bids[row["decision_id"]] = after(bids[row["decision_id"]], row, settings)
    silent = until - round(settings.silent_hours * DAY_MS / 24)
    return [
        bid._replace(won=False) if bid.won is None and bid.at < silent else bid
        for bid in bids.values()
    ]


def bids_of(row: Mapping[str, Any]) -> list[Bid]:
    """Answer the bids of one logged decision; what cannot be read is none.

    Its request is {"context": {word: text}, "scores": {name: number}, "bids": [{"bid",
    "campaign", "line", "creative", "at", "price", "floor"}]}; a single bid without an id of its
    own goes by the decision's.
    """
    said = _object(row["request"])
    told = said.get("bids")
    given: list[Any] = told if isinstance(told, list) else []
    context = {str(k): str(v) for k, v in _object(said.get("context")).items()}
    scores = {
        str(name): float(score)
        for name, score in _object(said.get("scores")).items()
        if isinstance(score, int | float)
    }
    chances: list[Any] = row.get("propensities") or []
    found: list[Bid] = []
    for number, one in enumerate(given):
        bid = _object(one)
        price = _whole(bid.get("price"))
        name = str(bid.get("bid") or (row["decision_id"] if len(given) == 1 else ""))
        if name and price > 0:
            found.append(
                Bid(
                    bid=name,
                    at=int(row["at"]),
                    entity=row["entity"] or "",
                    context=context,
                    scores=scores,
                    campaign=str(bid.get("campaign", "")),
                    line=str(bid.get("line", "")),
                    creative=str(bid.get("creative", "")),
                    auction=_whole(bid.get("at")) or 2,
                    price=price,
                    floor=_whole(bid.get("floor")),
                    arm=bid["arm"] if isinstance(bid.get("arm"), int) else -1,
                    propensity=float(chances[number]) if number < len(chances) else 0.0,
                )
            )
    return found


def after(bid: Bid, event: Mapping[str, Any], settings: BiddingSettings) -> Bid:
    """Answer the bid after an event that quotes it; events come in order of time.

    Each outcome counts once, at its first, and only within its window.
    """
    at, kind = int(event["at"]), int(event["kind"])
    said = _object(event["properties"])
    if kind == Kind.impression and bid.shown is None:
        bid = bid._replace(shown=at, won=True, entity=bid.entity or event["entity"] or "")
    elif kind == Kind.click and bid.shown is not None and bid.clicked is None:
        if 0 <= at - bid.shown <= settings.click_days * DAY_MS:
            bid = bid._replace(clicked=at)
    elif (
        kind == Kind.purchase
        and bid.clicked is not None
        and bid.converted is None
        and 0 <= at - bid.clicked <= settings.conversion_days * DAY_MS
    ):
        worth = _whole(event["value"]) if not event["currency_code"] else 0
        bid = bid._replace(converted=at, worth=worth)
    if said.get("auction") in ("won", "lost"):
        # Who was shown has won, whatever another notice says.
        bid = bid._replace(won=said["auction"] == "won" or bid.shown is not None)
    return bid._replace(
        paid=_whole(said.get("price")) or bid.paid,
        minimum=_whole(said.get("minimum")) or bid.minimum,
    )


def _object(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    return value if isinstance(value, dict) else {}


def _whole(value: Any) -> int:
    """Answer an amount that is whole, above 0 and no larger than money may be, else 0."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return int(value) if number and 0 < value < 1e15 else 0
