"""A made-up shop whose customers leave: rates and lifetimes are drawn, so the truth is known.

Every number that rests on it is simulated.
"""

import numpy as np

from domain.clock import DAY_MS
from domain.events import Kind
from domain.ids import user_entity
from feature_store.history import History
from feature_store.records import HAS_VALUE, RECORD

START = 1_700_006_400_000
"""A midnight in UTC."""


def leaving_shop(
    customers: int = 400, days: int = 240, seed: int = 0, mean_life: float = 120.0
) -> History:
    """Answer a history: each customer starts in the first half, orders as a Poisson process with
    a rate of their own, and leaves for good after an exponential life."""
    rng = np.random.default_rng(seed)
    entities: list[str] = []
    parts: list[np.ndarray] = []
    for number in range(customers):
        start = rng.uniform(0, days / 2)
        rate = rng.gamma(1.5, 1 / 10)
        end = min(start + rng.exponential(mean_life), days)
        count = rng.poisson(rate * max(end - start, 0))
        ats = np.sort(np.concatenate([[start], rng.uniform(start, end, count)]))
        entities.append(user_entity(f"c{number}"))
        parts.append(orders(ats, rng))
    offsets = np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int64)
    return History.from_ordered(entities, np.concatenate(parts), offsets)


def orders(days: np.ndarray, rng: np.random.Generator, kind: Kind = Kind.purchase) -> np.ndarray:
    """Answer records at the given days since START, rising, of one customer."""
    made = np.zeros(len(days), RECORD)
    made["at"] = START + (days * DAY_MS).astype(np.int64)
    made["event"] = rng.integers(1, 2**63, len(days), dtype=np.uint64)
    made["item"] = rng.integers(1, 50, len(days)).astype(np.uint64)
    made["value"] = rng.integers(1, 40, len(days)) * 1_000_000
    made["flags"] = HAS_VALUE
    made["quantity"] = 1
    made["kind"] = kind
    return made


def history_of_orders(people: dict[str, list[tuple[float, Kind]]], seed: int = 0) -> History:
    """Answer a history of people → (day since START, kind) pairs."""
    rng = np.random.default_rng(seed)
    parts: list[np.ndarray] = []
    for events in people.values():
        rising = sorted(events)
        made = orders(np.array([day for day, _ in rising], np.float64), rng)
        made["kind"] = [kind for _, kind in rising]
        parts.append(made)
    offsets = np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int64)
    entities = [user_entity(name) for name in people]
    return History.from_ordered(entities, np.concatenate(parts), offsets)


def at_day(day: float) -> int:
    """Answer a day since START in UTC milliseconds."""
    return START + round(day * DAY_MS)


def term_shop(customers: int = 700, days: int = 300, seed: int = 0) -> History:
    """Answer contracts: half the customers call support before they cancel, and some renew.

    Who called within the last month cancels soon with nine in ten; nobody else in hardly any
    case. So support is what tells, and the truth is known.
    """
    rng = np.random.default_rng(seed)
    people: dict[str, list[tuple[float, Kind]]] = {}
    for number in range(customers):
        start = rng.uniform(0, 60)
        events: list[tuple[float, Kind]] = [(start, Kind.subscribe)]
        events += [(day, Kind.login) for day in np.sort(rng.uniform(start, days, 12))]
        call = rng.uniform(start + 10, days)
        if rng.random() < 0.5:
            events.append((call, Kind.support))
            if rng.random() < 0.9:
                end = call + rng.uniform(5, 40)
                events.append((end, Kind.cancel))
                if rng.random() < 0.2:
                    events.append((end + 2, Kind.renew))
        people[f"c{number}"] = [event for event in events if event[0] < days]
    return history_of_orders(people, seed)


def telling_shop(customers: int = 700, days: int = 240, seed: int = 0) -> History:
    """Answer a shop where what is bought tells who stays: of twenty items those up to ten are
    bought, three times of four, by who orders every month on average, the others by who comes back
    once or twice and then no more."""
    rng = np.random.default_rng(seed)
    parts: list[np.ndarray] = []
    for _ in range(customers):
        start = rng.uniform(0, days - 40)
        stays = rng.random() < 0.5
        gaps = rng.exponential(30, 20 if stays else rng.integers(0, 3))
        ats = start + np.concatenate([[0.0], np.cumsum(gaps)])
        made = orders(ats[ats < days], rng)
        fitting = rng.random(len(made)) < 0.75
        made["item"] = rng.integers(1, 11, len(made)) + np.where(fitting == stays, 0, 10)
        parts.append(made)
    offsets = np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int64)
    entities = [user_entity(f"c{number}") for number in range(customers)]
    return History.from_ordered(entities, np.concatenate(parts), offsets)
