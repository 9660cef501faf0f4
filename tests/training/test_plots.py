"""Charts become PNG files of their own, without a display; empty ones are left out."""

from models.bundle import Metric
from training.plots import coverage_chart, draw

BARS = {"title": "T", "labels": ["a", "b"], "values": [0.5, 0.4]}


def test_charts_with_and_without_intervals_are_drawn(tmp_path):
    ends = {"low": [0.4, 0.45], "high": [0.6, 0.5]}
    paths = draw(tmp_path, {"plain": BARS, "ends": {**BARS, **ends}})
    assert paths == {"plain": tmp_path / "plain.png", "ends": tmp_path / "ends.png"}
    plain, with_ends = (path.read_bytes() for path in paths.values())
    assert plain.startswith(b"\x89PNG")
    assert plain != with_ends


def test_lines_are_drawn_over_numbers_with_the_band_of_the_first(tmp_path):
    lines = {"ours": [0.0, 0.3, 0.4], "lot": [0.0, 0.2, 0.4], "risk": [0.0, 0.1, 0.4]}
    chart = {"title": "T", "labels": [0.0, 0.5, 1.0], "lines": lines}
    band = {**chart, "low": [0.0, 0.2, 0.3], "high": [0.0, 0.4, 0.5]}
    bare, banded = (path.read_bytes() for path in draw(tmp_path, {"a": chart, "b": band}).values())
    assert bare.startswith(b"\x89PNG")
    assert bare != banded


def test_a_chart_of_nothing_is_left_out(tmp_path):
    assert draw(tmp_path, {"empty": {"title": "T", "labels": [], "values": []}}) == {}


def test_coverage_is_charted_when_it_was_measured():
    metrics = {"coverage_at_10": Metric(0.2, 0.2, 0.2), "hr_at_10": Metric(1, 1, 1)}
    chart = coverage_chart(metrics)["coverage"]
    assert (chart["labels"], chart["values"]) == (["10"], [0.2])
    assert coverage_chart({"hr_at_10": Metric(1, 1, 1)}) == {}
