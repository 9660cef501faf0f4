"""The simulated shop as files: what an import takes, and apart from it the truth.

    simulated-events.parquet    event_id, user, kind, item, at, value: for `training import`
    simulated-items.csv         item, title, categories, price: for `import --what items`
    truth-events.parquet        event_id, position, buys, intent: whether a purchase follows later
                                in the visit, and the best that can be said of it after the event
    truth-users.parquet         user, type, gone, churn, effect: the chance of no visit within the
                                horizon from the end of the log, and what contact takes off it

Every name says that it is simulated. Knows nothing of how the shop was drawn.
"""

from pathlib import Path

import numpy as np
import polars as pl

from domain.events import Kind
from training.datasets.synthetic.shop import Shop, category_names, item_names
from training.datasets.synthetic.world import CELL, ITEMS, TIERS, TYPES, category_of, prices

EVENTS = "simulated-events.parquet"
ITEM_FILE = "simulated-items.csv"
TRUTH_EVENTS = "truth-events.parquet"
TRUTH_USERS = "truth-users.parquet"


def event_frame(shop: Shop) -> pl.DataFrame:
    """Answer the events as everybody sees them."""
    names = np.array([*item_names(), ""])
    users = np.array(shop.user_names())
    return pl.DataFrame(
        {
            "event_id": _event_ids(shop),
            "user": users[shop.owner],
            "kind": [Kind(kind).name for kind in shop.visits.kinds.tolist()],
            "item": names[shop.visits.items],
            "at": shop.ats,
            "value": pl.Series(shop.values, nan_to_null=True),
        }
    )


def _event_ids(shop: Shop) -> list[str]:
    return [f"simulated-{number}" for number in range(len(shop.visits.ats))]


def item_frame() -> pl.DataFrame:
    """Answer the catalogue."""
    place = np.arange(ITEMS)
    tiers = np.array(TIERS)[place // CELL % len(TIERS)]
    categories = np.array(category_names())[category_of(place)]
    titles = [f"simulated {tier} item {number}" for number, tier in enumerate(tiers)]
    columns = {"item": item_names(), "title": titles, "categories": categories, "price": prices()}
    return pl.DataFrame(columns)


def truth_frames(shop: Shop) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Answer the truth about every event and about every shopper."""
    visits = shop.visits
    inside = np.arange(len(visits.ats)) - np.repeat(visits.offsets[:-1], np.diff(visits.offsets))
    events = pl.DataFrame(
        {
            "event_id": _event_ids(shop),
            "position": inside + 1,
            "buys": shop.buys,
            "intent": shop.best.intent,
        }
    )
    users = pl.DataFrame(
        {
            "user": shop.user_names(),
            "type": np.array(TYPES)[shop.hidden.types],
            "gone": shop.hidden.gone,
            "churn": shop.best.churn,
            "effect": shop.best.effect,
            "horizon_days": np.full(len(shop.hidden.types), shop.horizon_days),
        }
    )
    return events, users


def write_shop(shop: Shop, folder: Path) -> list[Path]:
    """Write all four files into the folder, made where it is missing; answer their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    events, users = truth_frames(shop)
    paths = [folder / name for name in (EVENTS, ITEM_FILE, TRUTH_EVENTS, TRUTH_USERS)]
    event_frame(shop).write_parquet(paths[0])
    item_frame().write_csv(paths[1])
    events.write_parquet(paths[2])
    users.write_parquet(paths[3])
    return paths
