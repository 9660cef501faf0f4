"""Runs benchmarks, each in a process of its own, and writes the table RESULTS.md.

The rows are kept beside it as JSON, so that one can be measured again without the others.
Knows nothing of what is measured: it reads the JSON line each one ends with.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.harness import ROOT, Arguments, commit, machine

TABLE = ROOT / "benchmarks" / "RESULTS.md"
Row = Mapping[str, Any]


def run_all(names: Sequence[str], arguments: Arguments, out: Path) -> int:
    """Run the named benchmarks one after another, write `out`, answer the exit status.

    A process of its own keeps one benchmark's memory, threads and compiled code from
    another's figures. One that cannot run is in the table as such and fails the whole. The
    table is written after each; rows of benchmarks not named stay as they were measured.
    """
    kept = out.with_suffix(".json")
    rows: dict[str, Row] = json.loads(kept.read_text()) if kept.exists() else {}
    for name in names:
        print(f"== {name}", flush=True)
        measured = f"{datetime.now(UTC):%Y-%m-%d %H:%M}"
        rows[name] = {"machine": machine(), "commit": commit(), **_run(name, arguments)}
        rows[name] = {**rows[name], "measured": measured}
        kept.write_text(json.dumps(rows, indent=1) + "\n")
        out.write_text(table(list(rows.values())))
    print(f"written: {out}")
    return 0 if all(rows[name].get("holds") for name in names) else 1


def _run(name: str, arguments: Arguments) -> Row:
    command = [sys.executable, "-m", "benchmarks", name, "--json", "--dataset", arguments.dataset]
    command += ["--runs", str(arguments.runs), "--seconds", str(arguments.seconds)]
    if arguments.budget:
        command += ["--budget", str(arguments.budget)]
    if arguments.data is not None:
        command += ["--data", str(arguments.data)]
    last = ""
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            last = line.strip() or last
    status = process.returncode
    if status not in (0, 1) or not last.startswith("{"):
        return {"benchmark": name, "figures": {}, "bars": [], "holds": False}
    return {**json.loads(last), "holds": status == 0}


def table(rows: Sequence[Row]) -> str:
    """Write the rows as Markdown: what was measured, when, where, then a line a figure."""
    lines = [
        "# Results",
        "",
        "Written by `make bench`; every figure is measured, never typed. Where a benchmark repeats",
        "itself, its figures are medians over the repeats. Times are UTC; a + after a commit means",
        "that tracked files had been changed since.",
        "",
        "| benchmark | measured | commit | machine | bars hold |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        name = row["benchmark"]
        where = f"{row['measured']} | {row['commit']} | {row['machine']}"
        lines.append(f"| {name} | {where} | {'yes' if row['holds'] else 'no'} |")
    lines += ["", "| benchmark | figure | value | bar | holds |", "|---|---|---:|---|---|"]
    for row in rows:
        lines += _lines(row)
    return "\n".join(lines) + "\n"


def _lines(row: Row) -> list[str]:
    name, figures = row["benchmark"], row["figures"]
    if not figures:
        return [f"| {name} | could not be run | | | no |"]
    bars = {bar["name"]: bar for bar in row["bars"]}
    lines: list[str] = []
    for figure, value in figures.items():
        bar = bars.get(figure)
        promise = f"{bar['bar']} | {'yes' if bar['holds'] else 'no'}" if bar else " | "
        lines.append(f"| {name} | {figure} | {_shown(value)} | {promise} |")
    return lines


def _shown(value: float | None) -> str:
    if value is None:
        return "not a number"
    return f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:,.4g}"
