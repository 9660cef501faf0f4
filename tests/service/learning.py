"""What tests of learning from bids share: a worker of its own over a store, notices, bills."""

from pathlib import Path
from typing import Any

from domain.campaigns import Campaign
from domain.clock import FixedClock
from domain.notices import Token, spend_for
from feature_store.budgets import Word
from feature_store.store import Store
from models.bidding.landscape import places_of
from models.bidding.market import BUCKETS
from models.bidding.memo import Memo, pack_memo
from service.bid_learning import LiveLearning
from service.bundles import Bundles
from service.learning_settings import LearningSettings
from service.metrics import Metrics
from service.routes.notices import Notice
from tests.service.campaigning import CAMPAIGN
from tests.service.serving import NOW

PLACES = tuple(places_of({"exchange": "north", "site": "a.example"}, BUCKETS).tolist())
MEMO = Memo(PLACES, 2_000_000, 0.0625, 0.125, (0.25, 0.0, 1.0), True, BUCKETS)


def bid(name: str, memo: Memo | None = MEMO, **fields: Any) -> Token:
    """Make a token of a bid at 1.00 for 1,000 in a second-price auction."""
    about = b"" if memo is None else pack_memo(memo)
    made = Token(
        name, "c1", "l1", "cr", "north", 1, 1, 1_000, 1_000_000, 1_000_000, "USD", NOW + 900_000,
        "p/1", 2, 0.9, about=about,
    )  # fmt: skip
    return made._replace(**fields)


def notice(word: str, token: Token, price: int | None = None, **fields: Any) -> Notice:
    """Make a notice as the routes tell it."""
    cost = spend_for(token, price) if word == "bill" else 0
    return Notice(Word(word), token, price, None, 0, NOW, cost)._replace(**fields)


class Worker:
    """One worker's learning; `campaigns` may be changed."""

    def __init__(
        self,
        store: Store,
        clock: FixedClock | None = None,
        home: Path = Path("nowhere"),
        **settings: Any,
    ) -> None:
        self.clock = clock or FixedClock(NOW)
        self.metrics = Metrics()
        self.bundles = Bundles(home, self.metrics, self.clock)
        self.campaigns: dict[str, Campaign] = {"c1": CAMPAIGN}
        self.learning = LiveLearning(
            store, self.clock, self.bundles, self.metrics, lambda: self.campaigns,
            LearningSettings(**settings),
        )  # fmt: skip

    def counted(self, name: str, **labels: str) -> float:
        """Answer what a counter says, by its name without the namespace."""
        return self.metrics.registry.get_sample_value(f"sanderling_{name}", labels) or 0.0

    def lessons(self, outcome: str) -> float:
        """Answer how many lessons had an outcome."""
        return self.counted("bid_lessons_total", outcome=outcome)

    def tell(self, count: int, word: str = "win", first: int = 0) -> None:
        """Tell of some bids, each its own: prices between 0.60 and 0.80, where a floor is 0.50."""
        for number in range(first, first + count):
            price = 600_000 + 20_000 * (number % 11)
            self.learning.take(notice(word, bid(f"b{number}"), price))
