"""What is to be told of a sweep: who crossed a band, unless they were told of not long ago.

Knows nothing of how it is delivered.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np

from domain.clock import DAY_MS
from domain.errors import OperatorError
from domain.scores import Band
from feature_store.audiences import advised
from feature_store.sweeps.pages import LEVELS
from feature_store.sweeps.reading import Sweep, Sweeps
from feature_store.sweeps.shelf import sweeps_in
from training.notify.outbox import Delivery, Outbox

TYPE = "churn.band_crossed"
BATCH = 100
"""Crossings in one delivery."""
COOLDOWN = "SANDERLING_WEBHOOK_COOLDOWN_DAYS"
BANDS = "SANDERLING_WEBHOOK_BANDS"


@dataclass(frozen=True)
class Rule:
    """What is told. cooldown_days: of a user entering a band, nothing more of that user and that
    band for so long. bands: only of users entering one of these."""

    cooldown_days: float = 7.0
    bands: tuple[Band, ...] = LEVELS


def rule_from_env(environ: Mapping[str, str]) -> Rule:
    """Answer the rule that the environment states; raises OperatorError naming the variable."""
    try:
        days = float(environ.get(COOLDOWN, "").strip() or 7.0)
        if not 0 <= days < 10_000:
            raise ValueError("out of range")
    except ValueError as error:
        raise OperatorError(f"{COOLDOWN} is a number of days, 0 or more") from error
    names = [name.strip() for name in environ.get(BANDS, "").split(",") if name.strip()]
    if not set(names) <= set(Band):
        raise OperatorError(f"{BANDS} is a list of " + ", ".join(Band))
    return Rule(days, tuple(Band(name) for name in names) or LEVELS)


def crossings(sweep: Sweep, rule: Rule) -> Iterator[dict[str, Any]]:
    """Yield an event a user who crossed a band, greatest loss first; none in a first sweep.

    A band says who is at risk, not whom contact would keep: what is advised goes with it.
    """
    table, summary = sweep.table, sweep.summary
    if summary.previous is None:
        return
    rows = np.flatnonzero(np.maximum(table["previous"], 0) != table["level"])
    names = ("level", "previous", "probability", "value", "expected_loss")
    columns = zip(
        *(table[name][rows].tolist() for name in names), advised(sweep, rows), strict=True
    )
    for user, (level, previous, p, value, loss, action) in zip(
        table.names(rows), columns, strict=True
    ):
        band = LEVELS[level]
        if band in rule.bands:
            yield {
                "id": _hash(summary.id, user, band.value),
                "user": user,
                "band": band.value,
                "previous_band": LEVELS[previous].value if previous >= 0 else None,
                "probability": p,
                "value": value if value == value else None,
                "expected_loss": loss if loss == loss else None,
                "recommended_action": action,
            }


def _hash(*parts: str) -> str:
    return sha256("\0".join(parts).encode()).hexdigest()[:32]


def deliveries(sweep: Sweep, events: list[dict[str, Any]], now: int) -> list[Delivery]:
    """Answer the bodies that tell of these events; ids are the same whenever they are made."""
    summary = sweep.summary
    about = {
        "type": TYPE,
        "sweep": summary.id,
        "as_of": summary.as_of,
        "model": summary.model,
        "horizon_days": summary.horizon_days,
        "basis": summary.basis,
    }
    made: list[Delivery] = []
    for start in range(0, len(events), BATCH):
        name = _hash(summary.id, str(start))
        body = {"id": name, **about, "events": events[start : start + BATCH]}
        made.append(Delivery(name, now, json.dumps(body, allow_nan=False).encode()))
    return made


def collect(outbox: Outbox, sweep: Sweep, rule: Rule, now: int) -> int:
    """Take in what a sweep has to tell, once; answer how many users it tells of."""
    as_of = sweep.summary.as_of
    lately = outbox.told_since(as_of - round(rule.cooldown_days * DAY_MS))
    events = [
        event for event in crossings(sweep, rule) if (event["user"], event["band"]) not in lately
    ]
    told = [(event["user"], event["band"]) for event in events]
    taken = outbox.take(sweep.summary.id, deliveries(sweep, events, now), told, as_of)
    return len(events) if taken else 0


def collect_all(outbox: Outbox, sweeps: Sweeps, rule: Rule, now: int) -> int:
    """Take in every kept sweep that was not yet, oldest first; answer how many users are told of.

    Before the first of all, only the last sweep is news.
    """
    names = sweeps_in(sweeps.root, whole=True)
    if outbox.is_new():
        for name in names[:-1]:
            outbox.take(name, [], [], 0)
    found = 0
    for name in names:
        sweep = None if outbox.knows(name) else sweeps.get(name)
        if sweep is not None:
            found += collect(outbox, sweep, rule, now)
    return found
