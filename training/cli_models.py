"""`python -m training models`: what there is on disk and on record, and who answers now.

Knows nothing of what the models do.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from domain.errors import BundleRefused, OperatorError
from models.bundle import CHALLENGER, CURRENT, Manifest, Metric, read_manifest, read_pointer
from models.bundle_pointers import versions
from training.desk import Desk, add_command, add_family, desk_from_env
from training.fits import FITS
from training.tracking import CHAMPION, Tracked

_ABOUT = """\
List versions, what they measured, and which one answers now.

`current` is what the pointer on disk says and the service follows; aliases are MLflow's record
of it. Where the two disagree the list says so, and `release` sets the record right.
"""
_EXAMPLES = """\
  python -m training models
  python -m training models recommend --metric hr_at_10
  python -m training models --json
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the `models` command."""
    parser = add_command(subparsers, "models", _ABOUT, _EXAMPLES)
    add_family(parser, None)
    parser.add_argument("--metric", help="which to show (default: the family's own)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--no-mlflow", action="store_true", help="leave the record out")


def _manifest(folder: Path) -> Manifest | None:
    try:
        return read_manifest(folder)
    except BundleRefused:
        return None


def rows_of(folder: Path, record: dict[str, Tracked], metric: str) -> list[dict[str, Any]]:
    """Answer one row a version, newest first: on disk, on record, or both."""
    current, challenger = read_pointer(folder, CURRENT), read_pointer(folder, CHALLENGER)
    on_disk = versions(folder)
    rows: list[dict[str, Any]] = []
    for version in sorted({*on_disk, *record}, reverse=True):
        manifest = _manifest(folder / version) if version in on_disk else None
        found: Metric | None = manifest.metrics.get(metric) if manifest else None
        tracked = record.get(version)
        state = [
            word
            for word, holds in (
                ("current", current is not None and version == current.version),
                ("previous", current is not None and version in current.before[:1]),
                ("challenger", challenger is not None and version == challenger.version),
                ("cleared", version not in on_disk),
                ("damaged", version in on_disk and manifest is None),
            )
            if holds
        ]
        if "current" in state and "challenger" in state:
            state.remove("challenger")
        rows.append(
            {
                "version": version,
                "state": state,
                "aliases": list(tracked.aliases) if tracked else [],
                "number": tracked.number if tracked else "",
                "metric": list(found) if found else None,
                "size": manifest.size if manifest else 0,
                "run": tracked.run_id if tracked else "",
            }
        )
    return rows


def disagreement(rows: list[dict[str, Any]], family: str) -> str:
    """Answer what to do when pointer and alias name different versions, "" when they agree."""
    current = [row["version"] for row in rows if "current" in row["state"]]
    champion = [row["version"] for row in rows if CHAMPION in row["aliases"]]
    if current == champion:
        return ""
    if not current:
        return f"MLflow has a champion that is not on this machine; release {family} here"
    return f"MLflow's champion is not what answers: `release {family} --version {current[0]}`"


def _table(rows: list[dict[str, Any]], family: str, metric: str) -> list[str]:
    lines = [f"{family:28}  {'state':20}  {'MLflow':18}  {metric:28}  {'MB':>8}"]
    for row in rows:
        found = row["metric"]
        value = f"{found[0]:.4f} [{found[1]:.4f}, {found[2]:.4f}]" if found else "-"
        record = " ".join(([f"v{row['number']}"] if row["number"] else []) + row["aliases"])
        state = " ".join(row["state"])
        size = f"{row['size'] / 1e6:8.1f}"
        lines.append(f"{row['version']:28}  {state:20}  {record:18}  {value:28}  {size}")
    return lines if rows else [f"{family}: no model yet; `python -m training fit {family}`"]


def _record(desk: Desk, family: str, wanted: bool) -> dict[str, Tracked] | None:
    try:
        return desk.tracking.versions(family) if wanted else None
    except OperatorError as error:
        # What is on disk is worth seeing all the same.
        print(f"note: {error}")
        return None


def run(args: argparse.Namespace) -> int:
    """List one family or all; answer 0."""
    desk = desk_from_env()
    told: dict[str, Any] = {}
    for family in (args.family,) if args.family else tuple(FITS):
        record = _record(desk, family, not args.no_mlflow)
        metric = args.metric or FITS[family].told
        rows = rows_of(desk.family(family), record or {}, metric)
        told[family] = rows
        if not args.json:
            print("\n".join(_table(rows, family, metric)))
            wrong = disagreement(rows, family) if record is not None else ""
            if wrong:
                print(f"note: {wrong}")
    if args.json:
        print(json.dumps(told, indent=1))
    return 0
