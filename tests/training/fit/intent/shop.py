"""A small log of shop visits: who means to buy returns to one thing before the cart.

Browsers and buyers do the same acts as often; buyers look at their item, search, and look at it
again, browsers search first. Some sessions end in a purchase that nothing announced.
"""

import numpy as np

from domain.clock import DAY_MS, HOUR_MS
from domain.events import Event, Kind
from domain.ids import hash64
from feature_store.history import History
from models.intent.categories import category_code

START = 1_700_000_000_000
ITEMS = 40


def events_of(users: int, visits: int, seed: int = 0) -> list[Event]:
    """Draw the events of all users, a visit every few days."""
    rng = np.random.default_rng(seed)
    out: list[Event] = []
    for user in range(users):
        at = START + int(rng.integers(0, 2 * DAY_MS))
        for _ in range(visits):
            at += int(rng.integers(8 * HOUR_MS, 4 * DAY_MS))
            when = at
            for kind, item, value in _visit(rng):
                when += int(rng.integers(5_000, 240_000))
                out.append(
                    Event(f"e{len(out)}", f"uuser-{user}", kind, when, item, value, quantity=1.0)
                )
    return out


def _visit(rng: np.random.Generator) -> list[tuple[Kind, str, int | None]]:
    item, other = (f"item-{k}" for k in rng.integers(0, ITEMS, 2))
    buyer = rng.random() < 0.3
    look, search = (Kind.click, item, None), (Kind.search, "", None)
    start = [look, search, look] if buyer else [search, look, look]
    middle = [(Kind.click, other, None)] * int(rng.integers(0, 4))
    end: list[tuple[Kind, str, int | None]] = []
    if rng.random() < (0.85 if buyer else 0.08):
        end = [(Kind.add_to_cart, item, 20_000_000), (Kind.purchase, item, 20_000_000)]
        if rng.random() < 0.15:
            end = end[:1]
    return [*start, *middle, *end]


def categories() -> dict[int, int]:
    """Answer item hash → category code: four items a category."""
    return {hash64(f"item-{k}"): category_code(f"category-{k // 4}") for k in range(ITEMS)}


def history_of(users: int = 150, visits: int = 12, seed: int = 0) -> History:
    """Answer the log as history."""
    return History.from_events(events_of(users, visits, seed))


QUICK = {"width": 16, "heads": 2, "epochs": 5, "rounds": 20, "rate": 1e-2, "patience": 2}
"""Settings of a fit that takes seconds."""
END = START + 60 * DAY_MS


def silent(*_: object, **__: object) -> "Silence":
    """Take the place of a progress bar."""
    return Silence()


class Silence:
    """A progress bar that says nothing."""

    def __enter__(self) -> "Silence":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def update(self, count: int = 1) -> None:
        """Count nothing."""
