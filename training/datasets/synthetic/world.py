"""The laws of the simulated shop: what shoppers of each type do, feel and leave for.

    need      a visit has one or not; a cart left behind raises the chance, a purchase lowers it
    phase     explore, compare, decide, drift: each lasts a drawn number of events (semi-Markov);
              with a need one explores first and compares then, without it the other way round
    fatigue   every further event makes leaving the site likelier
    churn     after every visit some never come back, fewer of those who bought

Everything drawn from these laws is simulated. Knows nothing of one shopper or of inference.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from domain.events import KINDS, Kind

F64 = npt.NDArray[np.float64]

PHASES = ("explore", "compare", "decide", "drift")
GAPS = ((2, 15), (15, 60), (60, 300), (300, 1500))
"""Classes of pauses between two events of a visit, seconds; within a class all are as likely."""

LONGEST = 60
"""Events after which a visit ends anyway."""

TYPES = tuple(
    f"{taste} {purse}" for taste in ("home", "sport", "style") for purse in ("careful", "generous")
)
CATEGORIES = 12
TIERS = ("cheap", "middle", "dear")
CELL = 2
"""Items of each category and tier."""

ITEMS = CATEGORIES * len(TIERS) * CELL


class World(NamedTuple):
    """t types, p phases, c categories. taste: [t, c], a category where nothing holds one.
    tier: [t, TIERS]. need: [t], log-odds; cart, fresh, fresh_days: what a cart left at the last
    visit adds to it, and what a purchase takes off, fading over days. kinds: [p, KINDS]. gaps:
    [p, GAPS]. stay, again: [p], to stay in the category, and then with the very item. leave:
    [p], and fatigue, what each event adds to it. start: [2, p] and jump: [2, p, p], without and
    with a need. lasts: [p, d], a phase of 1 … d events. visits: [t], per hour. churn: [t, 2],
    after a visit without and with a purchase. contact: [t, 2], the chance that contact wins back
    who has gone, and that it drives away who has not."""

    taste: F64
    tier: F64
    need: F64
    cart: float
    fresh: float
    fresh_days: float
    kinds: F64
    gaps: F64
    stay: F64
    again: F64
    leave: F64
    fatigue: float
    start: F64
    jump: F64
    lasts: F64
    visits: F64
    churn: F64
    contact: F64


def _rows(rows: list[list[float]]) -> F64:
    made = np.array(rows, np.float64)
    return made / made.sum(axis=-1, keepdims=True)


def _kinds() -> F64:
    columns = ("search", "click", "custom", "add_to_cart", "seen", "purchase")
    shares = [
        [0.20, 0.66, 0.04, 0.03, 0.07, 0.00],
        [0.12, 0.72, 0.06, 0.05, 0.05, 0.00],
        [0.04, 0.34, 0.06, 0.26, 0.02, 0.28],
        [0.24, 0.56, 0.02, 0.03, 0.15, 0.00],
    ]
    out = np.zeros((len(PHASES), KINDS))
    for place, name in enumerate(columns):
        out[:, Kind[name]] = [row[place] for row in shares]
    return out


def usual_world() -> World:
    """Answer the laws that the command line and the benchmark use."""
    taste = np.ones((len(TYPES), CATEGORIES))
    for number in range(len(TYPES)):
        first = 4 * (number // 2)
        taste[number, first : first + 4] = [9, 7, 5, 3]
    careful = np.array([number % 2 == 0 for number in range(len(TYPES))])
    jump = [
        # Without a need: compare, explore, drift, hardly ever decide.
        [[0, 0.48, 0.02, 0.50], [0.88, 0, 0.02, 0.10], [0, 0.2, 0, 0.8], [0.4, 0, 0, 0.6]],
        # With a need: explore, compare, decide.
        [[0, 0.96, 0, 0.04], [0.10, 0, 0.86, 0.04], [0, 0.7, 0, 0.3], [0.8, 0, 0, 0.2]],
    ]
    return World(
        taste=_rows(taste.tolist()),
        tier=np.where(careful[:, None], [0.6, 0.3, 0.1], [0.2, 0.4, 0.4]),
        need=np.where(careful, -1.2, -0.8),
        cart=1.0,
        fresh=-1.0,
        fresh_days=5.0,
        kinds=_kinds(),
        gaps=_rows(
            [[0.60, 0.30, 0.08, 0.02], [0.06, 0.30, 0.50, 0.14],
             [0.10, 0.25, 0.40, 0.25], [0.25, 0.30, 0.25, 0.20]]
        ),
        stay=np.array([0.20, 0.90, 0.94, 0.40]),
        again=np.array([0.03, 0.35, 0.60, 0.10]),
        leave=np.array([0.02, 0.03, 0.03, 0.22]),
        fatigue=0.004,
        start=np.array([[0.15, 0.80, 0, 0.05], [0.88, 0.12, 0, 0]]),
        jump=np.array(jump),
        lasts=_rows(
            [[0.10, 0.35, 0.35, 0.15, 0.05], [0.05, 0.25, 0.35, 0.25, 0.10],
             [0.20, 0.30, 0.25, 0.15, 0.10], [0.30, 0.25, 0.20, 0.15, 0.10]]
        ),
        visits=np.array([1 / 60, 1 / 90, 1 / 48, 1 / 72, 1 / 80, 1 / 110]),
        churn=np.array(
            [[0.04, 0.01], [0.03, 0.01], [0.05, 0.02], [0.04, 0.01], [0.06, 0.03], [0.05, 0.02]]
        ),
        contact=np.array(
            [[0.30, 0.02], [0.15, 0.01], [0.25, 0.05], [0.10, 0.02], [0.05, 0.20], [0.02, 0.10]]
        ),
    )  # fmt: skip


def prices() -> F64:
    """Answer float64[ITEMS], the price of each item in units of the house currency."""
    place = np.arange(ITEMS)
    tier, number = place // CELL % len(TIERS), place % CELL
    base = np.array([8.0, 25.0, 90.0])[tier]
    return np.round(base * (1 + 0.05 * number), 2).astype(np.float64)


def category_of(items: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Answer the category, 0 … CATEGORIES - 1, of items given as places 0 … ITEMS - 1."""
    return items // (CELL * len(TIERS))
