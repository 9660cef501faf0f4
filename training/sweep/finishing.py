"""From scored parts to a whole sweep: bands, order, the table, Parquet parts, the summary.

Doing it again after a stop at any point gives the same files. Knows nothing of how rows were
scored, nor of who is told about it.
"""

import shutil
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from domain.errors import ScientistError
from domain.scores import Action
from feature_store.log.files import write_atomically
from feature_store.sweeps.attributes import joined_attributes
from feature_store.sweeps.pages import LEVELS
from feature_store.sweeps.ranking import rank
from feature_store.sweeps.reading import Sweep
from feature_store.sweeps.shelf import Summary, write_summary
from feature_store.sweeps.table import (
    FEATURES,
    TABLE,
    SweepTable,
    joined,
    open_table,
    parted,
    table_of,
    write_table,
)
from models.churn.bands import Limits, levels_of, limits_from
from training.sweep.plan import WORK, Plan, part_path

F64 = npt.NDArray[np.float64]
ROWS = "rows"
"""Folder of the Parquet parts."""
PARQUET_ROWS = 100_000
SLACK = 0.15
"""How far below its entry a band is left, as a share, for limits that an operator gives."""
_OPTIONS: dict[str, object] = {"compression": "zstd", "compression_level": 3}


class About(NamedTuple):
    """What the summary says beside what is in the rows; see shelf.Summary."""

    horizon_days: float
    definition: Mapping[str, Any]
    survival_days: tuple[float, ...]
    features: Mapping[str, Any]
    grade: str = ""
    calibration_error: float | None = None


def basis_of(table: SweepTable) -> str:
    """Answer "loss", or "probability" when nobody has a loss to expect."""
    return "loss" if bool((table["expected_loss"] > 0).any()) else "probability"


def limits_for(plan: Plan, before: Summary | None, key: F64) -> Limits:
    """Answer where bands begin: as given, else as in the sweep before, else by this one's rows.

    Limits stay from sweep to sweep, so that a band means the same loss next month.
    """
    if plan.limits is not None:
        medium, high = plan.limits
        return Limits(medium, medium * (1 - SLACK), high, high * (1 - SLACK)).checked()
    if before is not None and not plan.fresh_limits:
        return Limits(**before.limits).checked()
    return limits_from(key)


def finish(
    folder: Path,
    plan: Plan,
    before: Sweep | None,
    about: About,
    left_out: Mapping[str, int],
    now_ms: int,
    *,
    step: Callable[[str], None],
) -> Summary:
    """Make the sweep in `folder` whole; every part must be there. Answer its summary.

    before: the sweep whose bands are held on to. step: called with "ranked", "written" and
    "summarised". Raises ScientistError when everybody refused, OSError when the disk does.
    """
    parts = [open_table(part_path(folder, part)) for part in range(plan.parts)]
    table = joined(parts)
    table = table_of(table.users, {**table.columns, **joined_attributes(parts)})
    if not len(table):
        raise ScientistError(f"everybody who could be scored refused it; left out: {left_out}")
    basis = basis_of(table)
    if before is not None and before.summary.basis != basis:
        before = None
    key = table["expected_loss"] if basis == "loss" else table["probability"]
    limits = limits_for(plan, None if before is None else before.summary, key)
    ranked = rank(table, None if before is None else before.table, partial(_levels, limits), key)
    step("ranked")
    scores, features = parted(ranked.table)
    write_table(folder / TABLE, scores)
    if features.columns:
        write_table(folder / FEATURES, features)
    write_parquet(folder / ROWS, ranked.table, plan, about)
    step("written")
    counts = np.bincount(ranked.table["level"], minlength=len(LEVELS)).tolist()
    summary = Summary(
        id=plan.id,
        family=folder.parent.name,
        as_of=plan.as_of,
        started_at=plan.started_at,
        finished_at=now_ms,
        users=len(table),
        model=plan.model,
        horizon_days=about.horizon_days,
        definition=about.definition,
        survival_days=about.survival_days,
        basis=basis,
        limits=limits.params(),
        bands={band.value: count for band, count in zip(LEVELS, counts, strict=True)},
        left_out=left_out,
        features=about.features,
        value=_sum(ranked.table["value"]),
        expected_loss=_sum(ranked.table["expected_loss"]),
        previous=None if before is None else before.summary.id,
        crossings=len(ranked.crossed),
        grade=about.grade,
        calibration_error=about.calibration_error,
        uplift=plan.uplift if "uplift.action" in features.columns else "",
    )
    write_summary(folder, summary)
    step("summarised")
    shutil.rmtree(folder / WORK, ignore_errors=True)
    return summary


def _levels(limits: Limits, key: F64, previous: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    return levels_of(key, previous, limits)


def _sum(column: F64) -> float | None:
    known = column[np.isfinite(column)]
    return float(known.sum()) if len(known) else None


def write_parquet(folder: Path, table: SweepTable, plan: Plan, about: About) -> None:
    """Write the rows for whoever reads Parquet: in order of loss, unknown numbers as null.

    Columns: user, probability, confidence, band, previous_band, value, expected_loss, with an
    uplift model uplift, its interval (uplift_low, uplift_high) and recommended_action, survival
    (at survival_days), groups, shares and contributions of the strongest reasons, as_of,
    horizon_days, survival_days, model, sweep.
    """
    for number, start in enumerate(range(0, max(len(table), 1), PARQUET_ROWS)):
        rows = np.arange(start, min(start + PARQUET_ROWS, len(table)))
        frame = _frame(table.taken(rows), plan, about)
        path = folder / f"rows-{number:05d}.parquet"
        write_atomically(path, frame.schema, iter([frame]), _OPTIONS)


def _frame(table: SweepTable, plan: Plan, about: About) -> pa.Table:
    n = len(table)
    bands = [band.value for band in LEVELS]
    labels = list(about.features["labels"])
    told = table["reason_group"] >= 0
    offsets = np.concatenate([[0], np.cumsum(told.sum(axis=1))]).astype(np.int32)
    width = table["survival"].shape[1]

    def ragged(values: pa.Array) -> pa.Array:
        return pa.ListArray.from_arrays(pa.array(offsets), values)

    groups = table["reason_group"][told].astype(np.int32)
    columns = {
        "user": table.users,
        "probability": pa.array(table["probability"]),
        "confidence": pa.array(table["confidence"]),
        "band": _words(table["level"].astype(np.int32), bands),
        "previous_band": _words(table["previous"].astype(np.int32), bands),
        "value": pa.array(table["value"], from_pandas=True),
        "expected_loss": pa.array(table["expected_loss"], from_pandas=True),
        **_advice(table),
        "survival": pa.ListArray.from_arrays(
            pa.array(np.arange(n + 1, dtype=np.int32) * width),
            pa.array(table["survival"].reshape(-1), from_pandas=True),
        ),
        "groups": ragged(_words(groups, labels)),
        "shares": ragged(pa.array(table["reason_share"][told])),
        "contributions": ragged(pa.array(table["reason_total"][told])),
        "as_of": pa.array(np.full(n, plan.as_of)),
        "horizon_days": pa.array(np.full(n, about.horizon_days)),
        "survival_days": pa.array([list(about.survival_days)] * n, pa.list_(pa.float64())),
        "model": _words(np.zeros(n, np.int32), [plan.model]),
        "sweep": _words(np.zeros(n, np.int32), [plan.id]),
    }
    return pa.table(columns)


def _advice(table: SweepTable) -> dict[str, pa.Array]:
    """Answer what contact would change, and what is advised; nothing without an uplift model."""
    if "uplift.action" not in table.columns:
        return {}
    return {
        "uplift": pa.array(table["uplift.effect"]),
        "uplift_low": pa.array(table["uplift.low"]),
        "uplift_high": pa.array(table["uplift.high"]),
        "recommended_action": _words(table["uplift.action"].astype(np.int32), list(Action)),
    }


def _words(places: npt.NDArray[np.int32], words: list[str]) -> pa.Array:
    """Answer texts by their places in `words`; a place below 0 is null."""
    return pa.DictionaryArray.from_arrays(pa.array(places, mask=places < 0), pa.array(words)).cast(
        pa.string()
    )
