"""A made-up exchange: logged bids with context, and what came of them by a known rule."""

import json

import numpy as np

from domain.decisions import Decision
from domain.events import Event, Kind
from feature_store.log import decisions as decision_rows
from feature_store.log import events as event_rows
from feature_store.log.files import path_for, write_atomically
from feature_store.records import pack_payload, pack_record
from feature_store.store import DecisionEntry, StreamEntry

START = 1_700_000_000_000
STEP = 60_000
SITES = {"good": -1.2, "plain": -2.5, "poor": -4.0}
CONVERTS = {"shoes": 0.4, "hats": 0.1}
PRICE, SPREAD = 14.0, 0.4


def chance(site, intent):
    """Answer the true chance of a click."""
    return 1 / (1 + np.exp(-(SITES[site] + 2.0 * (intent - 0.5))))


def exchange(n, seed=0):
    """Answer n decisions with a bid each, and the events that quote them, by time."""
    rng = np.random.default_rng(seed)
    decisions, events = [], []
    for number in range(n):
        at = START + number * STEP
        site, campaign = rng.choice(list(SITES)), rng.choice(list(CONVERTS))
        intent, bid = float(np.round(rng.random(), 3)), f"bid{number}"
        price = int(np.exp(rng.normal(PRICE, 0.5)))
        rival = int(np.exp(PRICE + SPREAD * rng.logistic()))
        entity = f"u{rng.integers(0, 50)}"
        said = {
            "context": {"exchange": "x", "site": site, "hour": str(number % 24)},
            "scores": {"intent": intent},
            "bids": [
                {
                    "bid": bid,
                    "campaign": campaign,
                    "line": f"{campaign}-1",
                    "creative": "banner",
                    "at": 1,
                    "price": price,
                    "floor": 1000,
                }
            ],
        }
        decisions.append(
            Decision(
                f"d{number}", at, "bidding", entity, "", at, ("banner",), (1.0,), (1.0,),
                request=json.dumps(said),
            )
        )  # fmt: skip
        if rival > price:
            continue
        told = json.dumps({"auction": "won", "minimum": rival}) if number % 3 == 0 else ""
        outcome = {"decision_id": bid, "campaign": campaign}
        events.append(
            Event(f"i{number}", entity, Kind.impression, at + 500, properties=told, **outcome)
        )
        if rng.random() < chance(site, intent):
            events.append(Event(f"c{number}", entity, Kind.click, at + 5_000, **outcome))
            if rng.random() < CONVERTS[campaign]:
                after = at + 5_000 + int(rng.exponential(2 * 3_600_000))
                worth = 20_000_000 if campaign == "shoes" else 5_000_000
                events.append(
                    Event(f"p{number}", entity, Kind.purchase, after, value=worth, **outcome)
                )
    return decisions, sorted(events, key=lambda event: event.at)


def write_logs(home, decisions, events):
    """Write both logs as the writer would have: one file each."""
    entry = StreamEntry(
        f"{START}-0",
        b"".join(pack_record(event) for event in events),
        [pack_payload(event) for event in events],
    )
    for root, schema, options, table in (
        (
            home.log,
            event_rows.SCHEMA,
            event_rows.WRITE_OPTIONS,
            event_rows.table_of_entries([entry]),
        ),
        (
            home.decisions,
            decision_rows.SCHEMA,
            decision_rows.WRITE_OPTIONS,
            decision_rows.table_of_entries([DecisionEntry(f"{START}-0", decisions)]),
        ),
    ):
        path = path_for(root, 0, (START, 0), (START, 0))
        write_atomically(path, schema, iter([table]), options)
