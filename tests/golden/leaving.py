"""A churn model small enough to answer by hand: two trees, a flat line, three intervals.

Log-odds: -1 at home, +2 after 30 silent days, -0.5 with three orders in 90 days. Calibrated by
nothing; the hazard halves after the first interval.
"""

from pathlib import Path
from typing import Any

import numpy as np

from models.bundle import Draft, Golden, Metric, write_bundle
from models.bundle_pointers import point
from models.calibration import Uncalibrated
from models.churn.attributes import Attributes
from models.churn.features import NAMES
from models.churn.hazard import Hazard
from models.churn.linear import Linear
from models.churn.model import ChurnModel
from models.forest.dump import forest_from_dump
from models.uplift.action import Terms
from models.uplift.halves import Halves
from models.uplift.line import Line
from models.uplift.model import UpliftModel

BASE_RATE = 0.4
HORIZON = 60.0
DEFINITION = {
    "definition": "inactivity",
    "kinds": ["purchase"],
    "history_days": 0.0,
    "lead_days": 7.0,
    "horizon_days": HORIZON,
    "active_days": 365.0,
}


def _split(feature: int, threshold: float, left: Any, right: Any) -> dict[str, Any]:
    return {
        "split_feature": feature, "threshold": threshold, "decision_type": "<=",
        "default_left": True, "missing_type": "NaN", "internal_count": 2,
        "left_child": left, "right_child": right,
    }  # fmt: skip


def _leaf(value: float) -> dict[str, Any]:
    return {"leaf_value": value, "leaf_count": 1}


def _forest(features: int, *roots: Any) -> Any:
    trees = [{"tree_structure": root} for root in roots]
    return forest_from_dump(
        {"num_tree_per_iteration": 1, "max_feature_idx": features - 1, "tree_info": trees}
    )


def leaving_model(attributes: Attributes | None = None, *, events: bool = True) -> ChurnModel:
    """Answer the model; without events it reads `months` (below 12 is a risk) and `plan`."""
    if events:
        f = len(NAMES)
        trees = (
            _split(NAMES.index("recency"), 30.0, _leaf(-1.0), _leaf(2.0)),
            _split(NAMES.index("orders_90d"), 2.5, _leaf(0.0), _leaf(-0.5)),
        )
    else:
        attributes = attributes or Attributes(("months",), {"plan": ("gold",)})
        f = 2
        trees = (_split(0, 12.0, _leaf(1.0), _leaf(-1.0)), _split(1, 0.5, _leaf(0.5), _leaf(0.0)))
    extra = () if attributes is None or not events else attributes.names()
    f += len(extra)
    zero = np.zeros(f)
    return ChurnModel(
        forest=_forest(f, *trees),
        linear=Linear(zero, np.ones(f), np.zeros(2 * f), np.zeros(2 * f), 0.0),
        blend=0.0,
        calibration=Uncalibrated(),
        definition=DEFINITION if events else DEFINITION | {"definition": "contractual"},
        low=np.full(f, -1e12),
        high=np.full(f, 1e12),
        reference=np.full(f, np.nan),
        attributes=attributes or Attributes(),
        hazard=Hazard(_forest(f + 1, _split(f, 0.5, _leaf(-1.0), _leaf(-2.0))), 3, 30.0),
        events=events,
    )


def release_leaving(home: Path, model: ChurnModel | None = None, created_at: int = 0) -> str:
    """Write and release a bundle of the model; answer its version."""
    model = model or leaving_model()
    rows = [{"features": [None] * len(model.names)}]
    golden = Golden([{"input": row, "output": model.answer(row)} for row in rows], 1e-9)
    draft = Draft(
        "churn",
        created_at,
        model.arrays(),
        model.params(),
        golden=golden,
        metrics={"base_rate": Metric(BASE_RATE, 0.38, 0.42)},
    )
    bundle = write_bundle(home / "bundles", draft)
    point(home / "bundles" / "churn", bundle.version, created_at)
    return bundle.version


def release_contact(home: Path, effect: float, doubt: float) -> str:
    """Release an uplift model by which contact changes everybody's chance to stay by `effect`,
    give or take `doubt`; a good outcome is worth 10 where no value is known, a contact costs 1."""
    f = len(NAMES)
    model = UpliftModel(
        halves=Halves.of([_forest(f, _leaf(0.0))] * 2),
        line=Line(0.0, effect, 1.0, ((doubt / 2) ** 2, 0.0, 0.0)),
        deviations=2.0,
        terms=Terms(10.0, 1.0),
        events=True,
    )
    draft = Draft("uplift", int(1000 * (effect + 1)), model.arrays(), model.params())
    bundle = write_bundle(home / "bundles", draft)
    point(home / "bundles" / "uplift", bundle.version, 0)
    return bundle.version
