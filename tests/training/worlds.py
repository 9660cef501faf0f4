"""Small made-up logs in which the right answer is known by construction."""

from collections.abc import Iterable

import numpy as np

from domain.clock import DAY_MS
from domain.events import Event, Kind
from domain.ids import hash64
from feature_store.history import History
from training.splits import Interactions, interactions_of

START = 1_600_000_000_000
Row = tuple[str, str, int]


def history_of_rows(rows: Iterable[Row], kind: Kind = Kind.purchase, cap: int = 512) -> History:
    """A history of (user, item, day) rows; the event ids are the rows' places."""
    return History.from_events(
        [
            Event(f"e{place:06d}", f"u{user}", kind, START + day * DAY_MS, item)
            for place, (user, item, day) in enumerate(rows)
        ],
        cap=cap,
    )


def full_of_rows(rows: list[Row], kind_weights=None) -> tuple[Interactions, list[str]]:
    """Interactions of rows, and the items by number in order of first appearance."""
    items = list(dict.fromkeys(item for _, item, _ in rows))
    weights = np.ones(len(Kind), np.float32) if kind_weights is None else kind_weights
    hashes = np.array([hash64(item) for item in items], np.uint64)
    return interactions_of(history_of_rows(rows), hashes, weights), items


def chain(users: int = 120, items: int = 30, length: int = 12) -> list[Row]:
    """Everyone walks round the same circle of items, from a place of their own, a step a day.

    Whoever had item i has item i + 1 next; all items are equally popular.
    """
    return [
        (f"{user}", f"i{(user * 7 + step) % items:02d}", step)
        for user in range(users)
        for step in range(length)
    ]


def checkerboard(users: int = 80, items: int = 40, share: float = 0.6, seed: int = 1) -> list[Row]:
    """Even users have most even items and odd users odd ones, in an order without meaning."""
    rng = np.random.default_rng(seed)
    rows: list[Row] = []
    for user in range(users):
        mine = [item for item in range(items) if item % 2 == user % 2 and rng.random() < share]
        rng.shuffle(mine)
        rows += [(f"{user}", f"i{item:02d}", day) for day, item in enumerate(mine)]
    return rows


def groceries(users: int = 80, items: int = 60, weeks: int = 20, seed: int = 2) -> list[Row]:
    """Everyone has five things of their own nearly every week, and now and then another."""
    rng = np.random.default_rng(seed)
    rows: list[Row] = []
    for user in range(users):
        own = rng.choice(items, 5, replace=False)
        for week in range(weeks):
            basket = [item for item in own if rng.random() < 0.8] + [int(rng.integers(items))]
            rows += [(f"{user}", f"i{item:02d}", 7 * week + user % 7) for item in basket]
    return rows
