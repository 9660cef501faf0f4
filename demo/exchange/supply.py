"""What is for sale in the demo's exchange: a day of made-up impressions, told in a minute.

Times, floors, others' bids and the truth about clicks come from the simulator's market; who
visits comes from the log. Everything is drawn beforehand. Knows nothing of requests.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from training.evaluate.auction.market import FIRST_PRICE, SECOND_PRICE, MarketSettings, draw
from training.evaluate.auction.prices import Floats

SLOTS = 24 * 60
CLICK_WORTH = 25_000.0
"""Micros: an impression of .84 a thousand is clicked by 3 in 100."""
BUYS = 0.2
"""Share of clicks that a purchase follows."""
DELAY_S = 2.0
MOST_USERS = 600
KNOWN = 0.6
"""Share of impressions shown to users of the log."""
LAWS = {"": 0.78, "granted": 0.08, "gdpr": 0.06, "coppa": 0.04, "lmt": 0.04}
"""What a request says of privacy, and how often: nothing, the GDPR with consent for us, the GDPR
without, a child, tracking limited on the device."""
FREE = ("", "granted")
"""Those under which somebody may be known."""


@dataclass(frozen=True, slots=True)
class House:
    """One exchange: how its auctions end, and whether it tells the price to beat."""

    name: str
    at: int
    tells: bool


HOUSES = (House("dawn", FIRST_PRICE, True), House("dusk", SECOND_PRICE, False))


class Visitor(NamedTuple):
    """Who looks: a user's id in the log ("" for a stranger), and what the law says of them."""

    user: str
    law: str

    @property
    def personal(self) -> bool:
        """Tell whether anything about this user may be looked up."""
        return bool(self.user) and self.law in FREE


class Offer(NamedTuple):
    """One impression for sale. due: seconds after the start. floor and others' bids: cpm micros.

    chance: of a click, before what a creative makes of it; luck: it is clicked where its chance
    is above this; buys: whether a click is followed by a purchase; delay: seconds until each.
    """

    number: int
    due: float
    house: House
    site: int
    hour: int
    floor: int
    others: Floats
    chance: float
    luck: float
    buys: bool
    delay: float
    visitor: Visitor


def users_of(log: Path, most: int = MOST_USERS) -> list[str]:
    """Answer ids of at most so many users in the log, evenly by name; [] where nobody is known."""
    files = str(log / "day=*" / "bucket=*" / "*.parquet")
    found = pl.scan_parquet(files, hive_partitioning=False).select("entity").unique().collect()
    names = sorted(one[1:] for one in found["entity"].to_list() if one.startswith("u"))
    step = max(1, len(names) // most)
    return names[::step][:most]


def offers_of(count: int, seconds: float, users: Sequence[str], seed: int) -> list[Offer]:
    """Draw about `count` impressions within `seconds`, in the order of time."""
    chance = np.random.default_rng(seed)
    # Clicks come after DELAY_S seconds in the mean, of a day that lasts `seconds`.
    delay = DELAY_S * SLOTS / seconds
    settings = MarketSettings(
        a_minute=count / SLOTS, slots=SLOTS, exchanges=len(HOUSES), worth=CLICK_WORTH, delay=delay
    )
    market = draw(settings, chance)
    n = len(market.value)
    slot = np.repeat(np.arange(SLOTS), np.diff(market.starts))
    due = np.sort((slot + chance.random(n)) * (seconds / SLOTS))
    late = np.minimum((market.told_at - slot) * (seconds / SLOTS), 3 * DELAY_S)
    known = chance.random(n) < (KNOWN if users else 0.0)
    who = chance.integers(0, max(1, len(users)), n)
    laws = chance.choice(list(LAWS), n, p=list(LAWS.values()))
    luck, buys = chance.random(n), chance.random(n) < BUYS
    return [
        Offer(
            row, float(due[row]), HOUSES[int(market.exchange[row])], int(market.site[row]),
            int(market.hour[row]), int(market.floor[row]), market.others[row],
            float(market.chance[row]), float(luck[row]), bool(buys[row]), float(late[row]),
            Visitor(users[int(who[row])] if known[row] else "", str(laws[row])),
        )
        for row in range(n)
    ]  # fmt: skip
