"""The table of results: what it says of figures, bars, and what could not be run."""

import json
from pathlib import Path

from benchmarks import results
from benchmarks.harness import Arguments

PLACE = {"measured": "2026-01-02 03:04", "commit": "abc1234", "machine": "2 cores", "holds": True}


def test_a_line_a_figure_with_its_bar() -> None:
    row = {
        **PLACE,
        "benchmark": "intake",
        "figures": {"events_per_second": 23_456.7, "lost": 0, "p99_ms": None},
        "bars": [
            {"name": "events_per_second", "bar": ">= 20000", "value": 23_456.7, "holds": True},
            {"name": "lost", "bar": "= 0", "value": 0, "holds": False},
        ],
    }
    lines = results.table([row]).splitlines()
    assert "| intake | 2026-01-02 03:04 | abc1234 | 2 cores | yes |" in lines
    assert "| intake | events_per_second | 23,457 | >= 20000 | yes |" in lines
    assert "| intake | lost | 0 | = 0 | no |" in lines
    assert "| intake | p99_ms | not a number |  |  |" in lines


def test_what_could_not_be_run_is_in_the_table() -> None:
    text = results.table([{**PLACE, "benchmark": "latency", "figures": {}, "bars": []}])
    assert "| latency | could not be run | | | no |" in text


def test_each_runs_in_a_process_of_its_own_and_a_failure_fails_the_whole(tmp_path: Path) -> None:
    # Without its data a benchmark cannot run: the real command, the real refusal.
    out = tmp_path / "RESULTS.md"
    empty = tmp_path / "no-logs"
    empty.mkdir()
    assert results.run_all(["freshness"], Arguments(empty), out) == 1
    assert "| freshness | could not be run | | | no |" in out.read_text()


def test_rows_of_benchmarks_not_named_stay_as_they_were_measured(tmp_path: Path) -> None:
    out, empty = tmp_path / "RESULTS.md", tmp_path / "no-logs"
    empty.mkdir()
    before = {**PLACE, "benchmark": "intake", "figures": {"lost": 0}, "bars": []}
    stale = {**PLACE, "benchmark": "freshness", "figures": {"changed": 100}, "bars": []}
    out.with_suffix(".json").write_text(json.dumps({"intake": before, "freshness": stale}))
    assert results.run_all(["freshness"], Arguments(empty), out) == 1
    text = out.read_text()
    assert "| intake | 2026-01-02 03:04 | abc1234 | 2 cores | yes |" in text
    assert "| intake | lost | 0 |" in text
    assert "| freshness | changed" not in text
    assert json.loads(out.with_suffix(".json").read_text())["intake"] == before
