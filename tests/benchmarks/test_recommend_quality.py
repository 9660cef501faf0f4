import pickle
from dataclasses import replace

import numpy as np
import pytest

from benchmarks import recommend_quality
from benchmarks.harness import Arguments
from benchmarks.recommend_quality import BARS, bars, run, settings_of, shown, tracks
from benchmarks.recommend_tracks import TRACKS
from domain.errors import TooLittleData
from models.bundle import Metric

LASTFM = next(track for track in TRACKS if track.dataset == "lastfm")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Few members and few tries, and no count of a published log: these logs are small."""
    fixed = {
        "factors": {"factors": 8, "iterations": 3, "confidence": 10.0, "decay": 0.9},
        "graph": {"reverse": 0.0, "column_power": 0.0, "window": 10, "half_life_days": None},
    }
    members = ("popularity", "graph", "factors")
    monkeypatch.setattr(
        recommend_quality,
        "SETTINGS",
        replace(recommend_quality.SETTINGS, fixed=fixed, rounds=50, threads=1, members=members),
    )
    monkeypatch.setattr(recommend_quality, "TRACKS", (replace(LASTFM, counts={}),))


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
    for name in ("hr_at_10", "ndcg_at_10", "recall_at_10", "mrr_at_10", "coverage"):
        assert figures[f"{name}_low"] <= figures[name] <= figures[f"{name}_high"]
    for member in ("popularity", "item_graph", "factors"):
        assert figures["best_member_ndcg_at_10"] >= figures[f"{member}_ndcg_at_10"]
    assert figures["over_popularity"] > 1
    assert figures["cases"] == 60
    assert figures["items"] == 40
    assert 0 < figures["fit_seconds"] < 100
    assert figures["peak_mb"] > 50


def test_a_log_without_any_order_misses_the_bar(tmp_path):
    rng = np.random.default_rng(0)
    write_lastfm(tmp_path, [rng.choice(2_000, 6, replace=False) + 1 for _ in range(150)])
    outcome = run(Arguments(data=tmp_path, dataset="lastfm"))
    assert not outcome.holds


def test_the_best_member_may_not_be_better_beyond_noise():
    figures = {"x_hr_at_10": 1.0, "x_ndcg_at_10": 1.0, "x_fit_seconds": 1.0}
    fine = bars(LASTFM, figures | {"x_over_best_member_high": 0.01}, "x_")
    assert {bar.name for bar in fine} == {
        "x_hr_at_10", "x_ndcg_at_10", "x_over_best_member_high", "x_fit_seconds",
    }  # fmt: skip
    assert all(bar.holds for bar in fine)
    worse = bars(LASTFM, figures | {"x_over_best_member_high": -0.01}, "x_")
    assert [bar.name for bar in worse if not bar.holds] == ["x_over_best_member_high"]
    slow = bars(LASTFM, figures | {"x_fit_seconds": 901.0}, "x_")
    assert [bar.name for bar in slow if not bar.holds] == ["x_fit_seconds"]


def test_every_track_has_bars_of_its_own(monkeypatch):
    monkeypatch.setattr(recommend_quality, "TRACKS", TRACKS)
    assert {track.name for track in TRACKS} == BARS.keys()
    assert tracks(Arguments()) == list(TRACKS)
    assert [t.split for t in tracks(Arguments(dataset="ml-100k"))] == ["leave-one-out", "time"]
    assert [t.dataset for t in tracks(Arguments(split="discover"))] == ["online-retail"]
    with pytest.raises(TooLittleData, match="online-retail discover"):
        tracks(Arguments(dataset="lastfm", split="time"))
    # All of them, one after the other, with what reading and measuring take beside.
    assert sum(track.seconds for track in TRACKS) <= 45 * 60


def test_repeats_time_and_seed_are_the_track_s():
    chosen = settings_of(replace(LASTFM, repeats=True, seconds=7.0), Arguments(), 3)
    assert (chosen.repeats, chosen.budget_seconds) == (True, 7.0)
    assert chosen.seed == recommend_quality.SETTINGS.seed + 3
    assert settings_of(LASTFM, Arguments(budget=5.0), 0).budget_seconds == 5


def test_the_graph_has_its_long_name_in_figures():
    some = Metric(0.5, 0.4, 0.6)
    names = ("hr_at_10", "ndcg_at_10", "graph_ndcg_at_10", "coverage_at_10")
    figures = shown(dict.fromkeys(names, some), ["graph"])
    assert figures["item_graph_ndcg_at_10"] == 0.5
    assert (figures["coverage_low"], figures["coverage_high"]) == (0.4, 0.6)


def test_several_tracks_are_told_apart(walks, monkeypatch):
    # In this process: what is patched here is not in another.
    class Here:
        def __init__(self, *_, **__): ...
        def __enter__(self):
            return self

        def __exit__(self, *_): ...
        def map(self, do, *rows):
            return map(do, *rows)

    monkeypatch.setattr(recommend_quality, "ProcessPoolExecutor", Here)
    one = recommend_quality.TRACKS[0]
    monkeypatch.setattr(recommend_quality, "TRACKS", (one, replace(one, split="again")))
    outcome = run(replace(walks, dataset=""))
    for name in ("lastfm_leave_one_out", "lastfm_again"):
        assert f"{name}_ndcg_at_10" in outcome.figures
    names = [bar.name for bar in outcome.bars]
    assert "lastfm_leave_one_out_ndcg_at_10" in names
    assert "lastfm_again_over_best_member_high" in names


def test_what_is_told_to_another_process_can_be_told():
    do, name, arguments = pickle.loads(
        pickle.dumps((recommend_quality.by_name, LASTFM.name, Arguments(budget=5.0)))
    )
    assert do is recommend_quality.by_name
    assert (name, arguments.budget) == ("lastfm_leave_one_out", 5.0)


def test_items_nobody_has_had_are_measured_when_asked_for(monkeypatch):
    def measure_cold(dataset, arguments):
        over = {"one": 6.0, "other-log": 4.0}[dataset]
        return {"over_random": over, "new_share_of_slates": 0.05}, [dataset]

    monkeypatch.setattr(recommend_quality, "measure_cold", measure_cold)
    monkeypatch.setattr(recommend_quality, "COLD_BARS", {"one": 5.0, "other-log": 5.0})
    both = run(Arguments(cold=True))
    assert [bar.name for bar in both.bars if not bar.holds] == ["other_log_over_random"]
    assert both.notes == ["one", "other-log"]
    one = run(Arguments(cold=True, dataset="one"))
    assert one.figures == {"over_random": 6.0, "new_share_of_slates": 0.05}
    assert one.holds
    with pytest.raises(TooLittleData, match="one, other-log"):
        run(Arguments(cold=True, dataset="lastfm"))


def test_unknown_and_absent_logs_are_said(tmp_path):
    with pytest.raises(TooLittleData, match="no such log"):
        run(Arguments(data=tmp_path, dataset="netflix"))
    with pytest.raises(TooLittleData, match="not in the data folder"):
        run(Arguments(data=tmp_path, dataset="lastfm"))
