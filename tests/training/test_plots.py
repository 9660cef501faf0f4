"""Charts become PNG files of their own, without a display; empty ones are left out."""

from models.bundle import Metric
from training.plots import coverage_chart, draw, recommend_charts

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


def test_a_recommender_s_report_is_drawn(tmp_path):
    some = {
        f"{what}_at_{k}": Metric(k / 50, k / 60, k / 40)
        for what in ("hr", "recall", "ndcg", "mrr")
        for k in (5, 10, 20)
    }
    some |= {"graph_ndcg_at_10": Metric(0.1, 0.05, 0.2), "repeat_ndcg_at_10": Metric(0.3, 0.2, 0.4)}
    charts = recommend_charts(some, {"graph": 1.0, "trend": 0.2})
    assert charts["members"]["labels"] == ["all together", "graph"]
    assert charts["members"]["values"] == [0.2, 0.1]
    assert charts["at_k"]["labels"] == [5, 10, 20]
    assert charts["at_k"]["lines"]["hr"] == [0.1, 0.2, 0.4]
    assert charts["at_k"]["low"] == [5 / 60, 10 / 60, 20 / 60]
    assert charts["weights"]["values"] == [1.0, 0.2]
    assert charts["parts"]["labels"] == ["had before"]
    paths = draw(tmp_path, charts)
    assert paths.keys() == charts.keys()
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in paths.values())
    without = {name: metric for name, metric in some.items() if not name.startswith("repeat")}
    assert "parts" not in recommend_charts(without, {"graph": 1.0})
