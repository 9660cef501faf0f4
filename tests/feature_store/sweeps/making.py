"""Small sweeps with known numbers, written as training writes them."""

from pathlib import Path

import numpy as np

from feature_store.audiences import FEATURES as FEATURE_NAMES
from feature_store.sweeps.ranking import rank
from feature_store.sweeps.shelf import PLAN, Summary, point, write_json, write_summary
from feature_store.sweeps.table import FEATURES as BESIDE
from feature_store.sweeps.table import SCORED, TABLE, SweepTable, parted, table_of, write_table

ID = "20240601T000000-0000000{}"
AS_OF = 1_717_200_000_000
FEATURES = {
    "names": ["recency", "order_gap_mean", "items"],
    "groups": ["recency", "rhythm", "breadth"],
    "units": ["days", "days", "items"],
    "typical": {"items": 4.0},
}


def scored(users: list[str], probability: list[float], value: list[float]) -> SweepTable:
    """A table as scoring leaves it: every user is told two reasons and a rest."""
    n = len(users)
    p, v = np.array(probability, float), np.array(value, float)
    numbers = np.full((n, 3, 2), np.nan)
    numbers[:, 0], numbers[:, 1, 0] = (41.0, 9.0), 7.0
    columns = {
        "probability": p,
        "confidence": np.full(n, 0.75),
        "value": v,
        "expected_loss": p * v,
        "survival": np.stack([1 - p / 2, 1 - p], axis=1) if n else np.zeros((0, 2)),
        "reason_group": np.tile(np.array([0, 2, -1], np.int16), (n, 1)),
        "reason_line": np.zeros((n, 3), np.int16),
        "reason_numbers": numbers.reshape(n, 6),
        "reason_total": np.tile([0.8, -0.4, 0.0], (n, 1)),
        "reason_share": np.tile([0.6, 0.3, 0.0], (n, 1)),
        "rest": np.tile([1.0, 0.13, 0.1], (n, 1)),
    }
    assert tuple(columns) == SCORED
    return table_of(users, columns)


def with_features(table: SweepTable, given: dict[str, list[float]]) -> SweepTable:
    """The table with features beside its scores: those given, and 0 for all others."""
    columns = {name: np.zeros(len(table)) for name in FEATURE_NAMES}
    columns |= {name: np.array(column, float) for name, column in given.items()}
    return table_of(table.users, {**table.columns, **columns})


def by_loss(loss: np.ndarray, previous: np.ndarray) -> np.ndarray:
    """Bands without memory: medium from 10, high from 50."""
    return np.digitize(np.nan_to_num(loss), [10.0, 50.0]).astype(np.int8)


def put(root: Path, number: int, table: SweepTable, before: SweepTable | None = None) -> Summary:
    """Write a whole sweep and point at it; answer its summary."""
    folder = root / ID.format(number)
    write_json(folder / PLAN, {})
    ranked = rank(table, before, by_loss, table["expected_loss"])
    scores, features = parted(ranked.table)
    write_table(folder / TABLE, scores)
    if features.columns:
        write_table(folder / BESIDE, features)
    levels = ranked.table["level"]
    summary = Summary(
        id=folder.name,
        family=root.name,
        as_of=AS_OF,
        started_at=AS_OF + 1_000,
        finished_at=AS_OF + 2_000,
        users=len(table),
        model="20240531-120000-0123456789ab",
        horizon_days=30.0,
        definition={"definition": "inactivity", "horizon_days": 30.0, "lead_days": 0.0},
        survival_days=(15.0, 30.0),
        basis="loss",
        limits={
            "medium_enter": 10.0, "medium_leave": 8.0, "high_enter": 50.0, "high_leave": 40.0
        },
        bands={
            name: int((levels == place).sum())
            for place, name in enumerate(("low", "medium", "high"))
        },
        left_out={"inactive": 2, "refused": 1},
        features=FEATURES,
        value=float(np.nansum(table["value"])),
        expected_loss=float(np.nansum(table["expected_loss"])),
        crossings=len(ranked.crossed),
        grade="B",
        uplift="20240530-120000-0123456789ab" if "uplift.action" in features.columns else "",
    )  # fmt: skip
    write_summary(folder, summary)
    point(root, folder.name)
    return summary
