"""A corner shop small enough to answer by hand: a model of eight items, a catalogue of nine.

The model knows an old item that the catalogue no longer lists; the catalogue lists two items
too new for the model.
"""

from dataclasses import dataclass

import numpy as np

from domain.events import KINDS, Kind
from domain.ids import hash64
from domain.items import Item
from models.recommend.ask import Asker, Origin
from models.recommend.catalogue import Catalogue
from models.recommend.desk import Desk
from models.recommend.item_graph import ItemGraph
from models.recommend.model import RecommendModel
from models.recommend.popularity import Popularity

NOW = 1_700_000_000_000
HOUR = 3_600_000

LEARNED = ("bread", "butter", "jam", "coffee", "milk", "tea", "soap", "candle")
COUNTS = (90, 40, 20, 60, 80, 30, 10, 5)
FOLLOWS = {
    "bread": {"butter": 0.9, "jam": 0.5},
    "butter": {"bread": 0.6, "jam": 0.8},
    "jam": {"bread": 0.3, "tea": 0.2},
    "coffee": {"milk": 0.9, "tea": 0.1},
    "milk": {"coffee": 0.7},
    "tea": {"milk": 0.6, "jam": 0.3},
}
KIND_WEIGHTS = {Kind.click: 1.0, Kind.add_to_cart: 2.0, Kind.purchase: 3.0}


def _item(name: str, place: int, *categories: str, **fields) -> Item:
    return Item(
        name,
        title=name.capitalize(),
        categories=categories,
        created_at=NOW - HOUR * place,
        **fields,
    )


ITEMS = (
    _item("bread", 9, "food", "bakery", price=2_500_000, attributes={"organic": True}),
    _item("butter", 8, "food", "dairy", price=3_000_000, attributes={"grams": 250}),
    _item("jam", 7, "food", "sweet", price=4_200_000, attributes={"flavour": ["plum", "fig"]}),
    _item("coffee", 6, "drink", price=9_000_000, attributes={"organic": True, "grams": 500}),
    _item("milk", 5, "drink", "dairy", price=1_100_000),
    _item("tea", 4, "drink", price=5_000_000, attributes={"flavour": "mint", "grams": 100}),
    _item("soap", 3, "home", price=2_000_000, available=False),
    _item("honey", 2, "food", "sweet", price=6_000_000),
    _item("cocoa", 1, "drink", "sweet"),
)
"""Candle is missing on purpose: it is known from the log only. Honey and cocoa are new."""


def shop_model(repeats: bool = False) -> RecommendModel:
    """Answer the learned model: popularity a little, what follows what a lot."""
    place = {name: row for row, name in enumerate(LEARNED)}
    edges = [FOLLOWS.get(name, {}) for name in LEARNED]
    offsets = np.cumsum([0, *map(len, edges)])
    targets = np.array([place[to] for row in edges for to in row], np.int32)
    weights = np.array([weight for row in edges for weight in row.values()], np.float32)
    kinds = np.zeros(KINDS, np.float32)
    for kind, weight in KIND_WEIGHTS.items():
        kinds[kind] = weight
    return RecommendModel(
        items=LEARNED,
        hashes=np.array([hash64(name) for name in LEARNED], np.uint64),
        members=("popularity", "graph"),
        scorers=(
            Popularity(np.array(COUNTS, np.float32), None),
            ItemGraph(offsets, targets, weights, 0.7),
        ),
        weights=np.array([0.1, 1.0], np.float32),
        kind_weights=kinds,
        repeats=repeats,
    )


def shop_desk(model: RecommendModel | None = None, items: tuple[Item, ...] = ITEMS) -> Desk:
    """Lay out the desk of the shop; without `model` nothing was learned yet."""
    catalogue = Catalogue() if model is None else Catalogue(model.items, model.hashes)
    for item in items:
        catalogue.put(item)
    return Desk(catalogue, model, "recommend/shop" if model else "")


def asker(*past: str, kind: Kind = Kind.purchase, origin: Origin = Origin.user) -> Asker:
    """Answer who bought these items, oldest first, an hour apart, the last an hour ago."""
    count = len(past)
    return Asker(
        origin,
        np.array([hash64(name) if name else 0 for name in past], np.uint64),
        np.full(count, kind, np.uint8),
        np.array([NOW - HOUR * (count - place) for place in range(count)], np.int64),
    )


@dataclass(frozen=True)
class Loaded:
    """Stands for a released bundle that was loaded."""

    scorer: RecommendModel
    family: str = "recommend"
    version: str = "shop"
