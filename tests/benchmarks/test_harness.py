"""The harness: bars, medians, the line of JSON, where the data is looked for."""

import json
import math
from pathlib import Path

import pytest

from benchmarks import harness
from benchmarks.harness import Arguments, Bar, Outcome, at_least, at_most, exactly
from domain.errors import TooLittleData


@pytest.mark.parametrize(
    ("bar", "holds"),
    [
        (at_least("x", {"x": 0.5}, 0.5), True),
        (at_least("x", {"x": 0.4999}, 0.5), False),
        (at_most("x", {"x": 3.0}, 3.0), True),
        (at_most("x", {"x": 3.0001}, 3.0), False),
        (exactly("x", {"x": 0.0}, 0), True),
        (exactly("x", {"x": 1.0}, 0), False),
        (at_least("x", {"x": math.nan}, 0.0), False),
        (at_most("x", {"x": math.nan}, 0.0), False),
    ],
)
def test_a_bar_holds_from_its_bound_on_and_never_for_no_number(bar: Bar, holds: bool) -> None:
    assert bar.holds is holds


def test_a_bar_of_an_unknown_figure_is_a_fault() -> None:
    with pytest.raises(KeyError):
        at_least("y", {"x": 1.0}, 0.0)


def test_an_outcome_holds_when_every_bar_does() -> None:
    good, bad = at_least("x", {"x": 1.0}, 0.0), at_least("x", {"x": 1.0}, 2.0)
    assert Outcome({"x": 1.0}, [good, good]).holds
    assert not Outcome({"x": 1.0}, [good, bad]).holds


def test_medians_are_taken_figure_by_figure() -> None:
    rows = [{"a": 1.0, "b": 9.0}, {"a": 100.0, "b": 7.0}, {"a": 3.0, "b": 8.0}]
    assert harness.medians(rows) == {"a": 3.0, "b": 8.0}


def test_the_line_is_one_object_with_the_promised_keys() -> None:
    figures = {"ratio": 0.7, "p99_ms": 2.0}
    outcome = Outcome(figures, [at_least("ratio", figures, 0.5)], ["a note"])
    line = harness.as_line(harness.report("latency", outcome))
    assert "\n" not in line
    found = json.loads(line)
    assert list(found) == ["benchmark", "figures", "bars", "machine", "commit"]
    assert found["figures"] == figures
    assert found["bars"] == [{"name": "ratio", "bar": ">= 0.5", "value": 0.7, "holds": True}]


def test_a_figure_that_is_no_number_is_null_and_the_line_stays_json() -> None:
    outcome = Outcome({"p99_ms": math.nan, "rate": math.inf}, [])
    found = json.loads(harness.as_line(harness.report("freshness", outcome)))
    assert found["figures"] == {"p99_ms": None, "rate": None}


def test_people_see_notes_figures_and_bars() -> None:
    figures = {"lost": 1.0}
    shown = "\n".join(
        harness.for_people(Outcome(figures, [exactly("lost", figures, 0)], ["how it was done"]))
    )
    assert "how it was done" in shown
    assert "MISSED  lost = 0" in shown


def test_the_machine_is_told_by_cores_memory_and_python() -> None:
    told = harness.machine()
    assert "GiB" in told
    assert "Python 3." in told


def test_the_commit_is_a_revision_or_unknown() -> None:
    told = harness.commit()
    assert told == "unknown" or set(told.rstrip("+")) <= set("0123456789abcdef")


def test_outside_a_checkout_the_commit_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(harness, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert harness.commit() == "unknown"


def test_data_is_where_it_is_said_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANDERLING_DATA", str(tmp_path / "absent"))
    assert harness.data_folder(None) is None
    assert harness.data_folder(str(tmp_path)) == tmp_path
    monkeypatch.setenv("SANDERLING_DATA", str(tmp_path))
    assert harness.data_folder(None) == tmp_path


def test_what_is_needed_and_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(TooLittleData, match="--data"):
        Arguments().need("lastfm")
    with pytest.raises(TooLittleData, match=r"lastfm/LastFM\.txt"):
        Arguments(tmp_path).need("lastfm", "LastFM.txt")
    (tmp_path / "lastfm").mkdir()
    assert Arguments(tmp_path).need("lastfm") == tmp_path / "lastfm"
