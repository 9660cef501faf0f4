"""An intent model small enough to answer by hand: one tree on the cart, no network.

Log-odds of a purchase: -2 with nothing put into the cart in this session, +1 with one thing, +2
with more. Every kind, item and category counts as usual; half a score after one event.
"""

from pathlib import Path
from typing import Any

import numpy as np

from domain.clock import MINUTE_MS
from domain.events import KINDS, Kind
from domain.ids import hash64
from models.bundle import Draft, Golden, write_bundle
from models.bundle_pointers import point
from models.calibration import Uncalibrated
from models.forest.dump import forest_from_dump
from models.intent.categories import Categories
from models.intent.confidence import PLACES, Confidence
from models.intent.encoding import learn_encoding
from models.intent.features import NAMES
from models.intent.model import IntentModel, Mix
from models.intent.past import ECHOES, PRIOR
from models.intent.renown import Renown
from models.intent.vocabulary import Columns

RATE = 0.08
GAP_MS = 30 * MINUTE_MS
ITEMS = ("tea", "jam", "bread")


def _split(feature: str, threshold: float, left: Any, right: Any) -> dict[str, Any]:
    return {
        "split_feature": NAMES.index(feature), "threshold": threshold, "decision_type": "<=",
        "default_left": True, "missing_type": "NaN", "internal_count": 2,
        "left_child": left, "right_child": right,
    }  # fmt: skip


def _leaf(value: float) -> dict[str, Any]:
    return {"leaf_value": value, "leaf_count": 1}


def visiting_model(target: str = "purchase") -> IntentModel:
    """Answer the model."""
    carts = "events_add_to_cart"
    tree = _split(carts, 0.5, _leaf(-2.0), _split(carts, 1.5, _leaf(1.0), _leaf(2.0)))
    forest = forest_from_dump(
        {
            "num_tree_per_iteration": 1,
            "max_feature_idx": len(NAMES) - 1,
            "tree_info": [{"tree_structure": tree}],
        }
    )
    n = KINDS * len(ITEMS)
    met = Columns(
        np.resize(np.arange(KINDS, dtype=np.int8), n),
        np.array([hash64(ITEMS[k % len(ITEMS)]) for k in range(n)], np.uint64),
        np.ones(n, np.int32),
        np.arange(n, dtype=np.int64) * 1_000_000,
        np.arange(n, dtype=np.int64) * MINUTE_MS,
    )
    nothing = Renown(
        np.zeros(0, np.int32), np.zeros((0, 3)), np.zeros(0, np.uint64), np.zeros((0, 3)),
        np.ones(3),
    )  # fmt: skip
    offsets = np.array([0, n])
    encoding = learn_encoding(met, offsets, np.zeros((n, len(ECHOES))), np.zeros((1, len(PRIOR))))
    return IntentModel(
        definition={"target": target, "horizon_hours": 0.0, "gap_ms": GAP_MS},
        encoding=encoding,
        renown=nothing,
        categories=Categories.made({}),
        network=None,
        forest=forest,
        mix=Mix(0.0, 1.0),
        calibration=Uncalibrated(),
        trust=Confidence(1.0, np.zeros(3), np.zeros((len(PLACES), 0))),
        rate=RATE,
    )


def release_visiting(home: Path, model: IntentModel | None = None, created_at: int = 0) -> str:
    """Write and release a bundle of the model; answer its version."""
    model = model or visiting_model()
    row = {
        "kinds": [int(Kind.click), int(Kind.add_to_cart)],
        "items": [str(hash64("tea"))] * 2,
        "categories": [0, 0],
        "values": [0, 0],
        "ats": [1_000, 2_000],
        "as_of": 3_000,
    }
    golden = Golden([{"input": row, "output": model.answer(row)}], 1e-9)
    draft = Draft("intent", created_at, model.arrays(), model.params(), golden=golden)
    bundle = write_bundle(home / "bundles", draft)
    point(home / "bundles" / "intent", bundle.version, created_at)
    return bundle.version
