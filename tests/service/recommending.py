"""What tests of learning from recommendations share: a worker over a store, and its shop."""

import numpy as np

from domain.clock import FixedClock
from domain.events import KINDS, Event, Kind
from domain.ids import hash64, user_entity
from domain.items import Item
from feature_store.store import Store
from feature_store.switches import ALL_ON, Switches
from models.recommend.ask import Ask, Asker, Origin
from models.recommend.catalogue import Catalogue
from models.recommend.desk import Desk
from models.recommend.exploring import Question
from models.recommend.model import RecommendModel
from models.recommend.popularity import Popularity
from service.metrics import Metrics
from service.recommend_learning import LiveRecommending, Mixed
from service.recommend_settings import RecommendSettings
from tests.models.recommend.small import graph_of
from tests.service.serving import NOW

ITEMS = tuple(f"i{number}" for number in range(30))
NEW = ("new0", "new1", "new2")


def shop() -> Desk:
    """Everybody wants i0, i1, … in order; what follows i0 are the last ones."""
    graph = graph_of(30, {(0, target): float(target) for target in range(20, 30)})
    model = RecommendModel(
        ITEMS, np.array([hash64(item) for item in ITEMS], np.uint64), ("popularity", "graph"),
        (Popularity(np.arange(30, 0, -1) ** 2.0, None), graph),
        np.array([0.1, 1.0], np.float32), np.ones(KINDS, np.float32),
    )  # fmt: skip
    catalogue = Catalogue(model.items, model.hashes)
    for name in NEW:
        catalogue.put(Item(name, created_at=NOW))
    return Desk(catalogue, model, "m")


ASKER = Asker(
    Origin.user, np.array([hash64("i0")], np.uint64), np.array([Kind.click], np.uint8),
    np.array([NOW - 1_000], np.int64),
)  # fmt: skip


def told(mixed: Mixed, decision: str, place: int = 0, kind: Kind = Kind.click) -> Event:
    """Answer the event that an item of an answer was clicked or bought."""
    item = mixed.slate.ids[place]
    return Event(f"e-{decision}-{place}", user_entity("u"), kind, NOW, item, decision_id=decision)


class Worker:
    """One worker's learning; `switches` may be changed."""

    def __init__(self, store: Store, clock: FixedClock | None = None, **settings: object) -> None:
        self.clock = clock or FixedClock(NOW)
        self.metrics = Metrics()
        self.desk = shop()
        self.switches: Switches = ALL_ON
        self.live = LiveRecommending(
            store, self.clock, self.metrics, lambda: self.desk, lambda: self.switches,
            RecommendSettings(**{"share": 0.0, **settings}),
        )  # fmt: skip

    def ask(self, decision: str, k: int = 5, **said: object) -> Mixed:
        """Answer a question of somebody who looked at i0."""
        question = Question(self.desk, Ask(k=k), ASKER, self.clock())
        return self.live.answer(question, decision, **said)

    def count(self, name: str, **labels: str) -> float:
        """Answer a metric's value, 0 for none."""
        return self.metrics.registry.get_sample_value(f"sanderling_{name}", labels) or 0.0

    async def wake(self) -> None:
        """Let somebody tell of an answer, so that mixes are drawn."""
        self.live.outcomes(
            [Event("e", user_entity("u"), Kind.click, NOW, "i1", decision_id="unknown")]
        )
        await self.live.look()
