"""The shelf of sweeps of one family: a folder a sweep, and a pointer to the last whole one.

A sweep's folder is named by its id; `plan.json` is there from the start and `summary.json` is
written last, so a folder without one is unfinished. The pointer is replaced by rename. Knows
nothing of what a sweep holds.
"""

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from domain.errors import OperatorError
from feature_store.sweeps.durable import write_whole

CURRENT = "current"
PLAN = "plan.json"
SUMMARY = "summary.json"
KEEP = 3
"""Whole sweeps that stay: whoever pages through one may finish while others come."""
_FORMAT = 1
_ID = re.compile(r"\d{8}T\d{6}-[0-9a-f]{8}")


@dataclass(slots=True, frozen=True)
class Summary:
    """What a whole sweep says of itself.

    Times are UTC ms. definition: what churn is taken to mean. basis: "loss" when bands go by
    expected loss in units of the house's currency, "probability" when no value is known.
    limits: where bands are entered and left. bands: users by band. left_out: users by why they
    have no row. features: names, groups and units, and `typical` values by name, that sentences
    need. value, expected_loss: sums over users; null where unknown. previous: the sweep whose
    bands were held on to. grade: of the model's fit, "" when it has none; calibration_error: how
    far its probabilities were off on average when it was tested. uplift: the version of the
    uplift model, "" without one.
    """

    id: str
    family: str
    as_of: int
    started_at: int
    finished_at: int
    users: int
    model: str
    horizon_days: float
    definition: Mapping[str, Any]
    survival_days: tuple[float, ...]
    basis: str
    limits: Mapping[str, float]
    bands: Mapping[str, int]
    left_out: Mapping[str, int] = field(default_factory=dict[str, int])
    features: Mapping[str, Any] = field(default_factory=dict[str, Any])
    value: float | None = None
    expected_loss: float | None = None
    previous: str | None = None
    crossings: int = 0
    grade: str = ""
    calibration_error: float | None = None
    uplift: str = ""


def new_id(as_of: int, token: str) -> str:
    """Answer the id of a sweep as of a time (UTC ms); `token` is eight hexadecimal digits."""
    return f"{datetime.fromtimestamp(as_of / 1000, UTC):%Y%m%dT%H%M%S}-{token}"


def is_id(text: str) -> bool:
    """Tell whether a text has the shape of a sweep's id; it becomes a path."""
    return _ID.fullmatch(text) is not None


def current_id(root: Path) -> str | None:
    """Answer the id of the last whole sweep, None when there is none.

    Raises OperatorError when the pointer is there but cannot be read.
    """
    try:
        raw = json.loads((root / CURRENT).read_bytes())
        found = str(raw["sweep"])
        if raw["format"] != _FORMAT or not is_id(found):
            raise ValueError("another format")
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError, OSError) as error:
        raise OperatorError(
            f"the pointer sweeps/{root.name}/{CURRENT} cannot be read; delete it and sweep again"
        ) from error
    return found


def point(root: Path, sweep: str) -> None:
    """Let `sweep` be the one that is read from now on."""
    pointer = {"format": _FORMAT, "sweep": sweep}
    write_whole(root / CURRENT, json.dumps(pointer).encode())


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a JSON file that appears whole or not at all."""
    write_whole(path, json.dumps({"format": _FORMAT, **value}, indent=1).encode())


def read_json(path: Path) -> dict[str, Any]:
    """Read what `write_json` wrote; raises OperatorError when it is something else."""
    try:
        raw = json.loads(path.read_bytes())
        if raw.pop("format") != _FORMAT:
            raise ValueError("another format")
    except (ValueError, TypeError, KeyError, AttributeError, OSError) as error:
        raise OperatorError(
            f"sweeps/{path.parent.parent.name}/{path.parent.name}/{path.name} cannot be read; "
            "sweep again"
        ) from error
    return raw


def write_summary(folder: Path, summary: Summary) -> None:
    """Say that the sweep in `folder` is whole."""
    write_json(folder / SUMMARY, asdict(summary))


def read_summary(folder: Path) -> Summary:
    """Answer what a whole sweep says of itself; raises OperatorError when it cannot be read."""
    try:
        return msgspec.convert(read_json(folder / SUMMARY), Summary)
    except msgspec.ValidationError as error:
        raise OperatorError(
            f"sweep {folder.name} is of another release of the software; sweep again"
        ) from error


def sweeps_in(root: Path, *, whole: bool) -> list[str]:
    """Answer the ids of whole (or of unfinished) sweeps, oldest started first."""
    found: list[tuple[float, str]] = []
    for plan in root.glob(f"*/{PLAN}"):
        folder = plan.parent
        if is_id(folder.name) and (folder / SUMMARY).exists() == whole:
            found.append((plan.stat().st_mtime_ns, folder.name))
    return [name for _, name in sorted(found)]


def clear_old(root: Path, keep: int = KEEP, *, unfinished: bool = False) -> list[str]:
    """Delete all but the newest `keep` whole sweeps, never the current one; answer their ids.

    unfinished: delete those that were never finished as well.
    """
    current = current_id(root)
    old = [name for name in sweeps_in(root, whole=True)[: -keep or None] if name != current]
    if unfinished:
        old += sweeps_in(root, whole=False)
    for name in old:
        shutil.rmtree(root / name, ignore_errors=True)
    return old
