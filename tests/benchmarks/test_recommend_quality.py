from dataclasses import replace

import numpy as np
import pytest

from benchmarks import recommend_quality
from benchmarks.harness import Arguments
from benchmarks.recommend_quality import BARS, run
from domain.errors import TooLittleData


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Few factors and few tries: these logs are small."""
    fixed = {
        "factors": {"factors": 8, "iterations": 3, "confidence": 10.0, "decay": 0.9},
        "graph": {"reverse": 0.0, "column_power": 0.0, "window": 10, "half_life_days": None},
    }
    monkeypatch.setattr(
        recommend_quality,
        "SETTINGS",
        replace(recommend_quality.SETTINGS, fixed=fixed, rounds=50, threads=1),
    )


def write_lastfm(folder, sequences):
    (folder / "lastfm").mkdir()
    lines = [f"{user} {' '.join(map(str, items))}" for user, items in enumerate(sequences, 1)]
    (folder / "lastfm" / "LastFM.txt").write_text("\n".join(lines))


@pytest.fixture
def walks(tmp_path):
    """Everyone walks round one circle of 40 artists, from a place of their own."""
    write_lastfm(tmp_path, [[(start + step) % 40 + 1 for step in range(8)] for start in range(60)])
    return Arguments(data=tmp_path, dataset="lastfm")


def test_a_log_without_surprises_is_ranked_right(walks):
    outcome = run(walks)
    assert outcome.holds
    figures = outcome.figures
    assert figures["ndcg_at_10"] > 0.95
    assert figures["hr_at_10"] == figures["recall_at_10"]
    for name in ("hr_at_10", "ndcg_at_10", "recall_at_10"):
        assert figures[f"{name}_low"] <= figures[name] <= figures[f"{name}_high"]
    for member in ("popularity", "trend", "graph", "factors"):
        assert f"{member}_ndcg_at_10" in figures
    assert figures["cases"] == 60
    assert figures["items"] == 40


def test_a_log_without_any_order_misses_the_bar(tmp_path):
    rng = np.random.default_rng(0)
    write_lastfm(tmp_path, [rng.choice(2_000, 6, replace=False) + 1 for _ in range(150)])
    outcome = run(Arguments(data=tmp_path, dataset="lastfm"))
    assert not outcome.holds


def test_several_logs_are_told_apart(walks, monkeypatch):
    monkeypatch.setattr(recommend_quality, "BARS", {"lastfm": BARS["lastfm"]})
    outcome = run(Arguments(data=walks.data))
    assert "lastfm_ndcg_at_10" in outcome.figures
    assert [bar.name for bar in outcome.bars] == ["lastfm_ndcg_at_10"]


def test_unknown_and_absent_logs_are_said(tmp_path):
    with pytest.raises(TooLittleData, match="no such log"):
        run(Arguments(data=tmp_path, dataset="netflix"))
    with pytest.raises(TooLittleData, match="not in the data folder"):
        run(Arguments(data=tmp_path, dataset="ml-100k"))
