"""Making a sweep whole: limits, bands, what is written for whom."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.scores import Band
from feature_store.sweeps.pages import LEVELS
from feature_store.sweeps.reading import Sweep, open_sweep
from feature_store.sweeps.shelf import Summary
from feature_store.sweeps.table import SweepTable, write_table
from models.churn.bands import Limits, band_of
from tests.feature_store.sweeps.making import FEATURES, scored
from training.sweep import finishing
from training.sweep.finishing import About, basis_of, finish, limits_for
from training.sweep.job import no_step
from training.sweep.plan import Plan, note_refused, part_path, write_plan

LABELS = {**FEATURES, "labels": ["recency", "rhythm", "breadth"]}
ABOUT = About(30.0, {"definition": "inactivity"}, (15.0, 30.0), LABELS, "B")


def _plan(number: int, **changes) -> Plan:
    made = {"limits": (10.0, 50.0)} | changes
    return Plan(f"20240601T000000-0000000{number}", 1_717_200_000_000, 5, "v", 2, **made)


def _finish(root: Path, plan: Plan, parts: list[SweepTable], before: Sweep | None = None):
    folder = write_plan(root, plan)
    for place, part in enumerate(parts):
        note_refused(folder, place, 0)
        write_table(part_path(folder, place), part)
    summary = finish(folder, plan, before, ABOUT, {"inactive": 2}, 9, step=no_step)
    return summary, open_sweep(folder)


PARTS = [
    scored(["a", "b"], [0.9, 0.5], [100.0, 40.0]),
    scored(["c", "d"], [0.1, 0.5], [10.0, np.nan]),
]


def test_parts_become_one_ranked_sweep(tmp_path: Path) -> None:
    summary, sweep = _finish(tmp_path, _plan(1), PARTS)
    assert sweep.summary == summary
    assert sweep.table.users.to_pylist() == ["a", "b", "c", "d"]
    assert summary.bands == {"low": 2, "medium": 1, "high": 1}
    assert (summary.users, summary.basis, summary.grade) == (4, "loss", "B")
    assert summary.expected_loss == pytest.approx(111.0)
    assert summary.value == pytest.approx(150.0)
    assert summary.previous is None
    assert not (tmp_path / summary.id / "work").exists()


def test_parquet_says_the_same_in_words(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(finishing, "PARQUET_ROWS", 3)
    summary, _ = _finish(tmp_path, _plan(1), PARTS)
    files = sorted((tmp_path / summary.id / "rows").glob("*.parquet"))
    assert len(files) == 2
    frame = pl.read_parquet(files)
    assert frame["user"].to_list() == ["a", "b", "c", "d"]
    assert frame["band"].to_list() == ["high", "medium", "low", "low"]
    assert frame["previous_band"].to_list() == [None] * 4
    assert frame["value"].to_list() == [100.0, 40.0, 10.0, None]
    assert frame["groups"].to_list()[0] == ["recency", "breadth"]
    assert frame["shares"].to_list()[0] == [0.6, 0.3]
    assert frame["survival"].to_list()[0] == pytest.approx([0.55, 0.1])
    assert frame["survival_days"].to_list()[0] == [15.0, 30.0]
    assert frame["horizon_days"].unique().to_list() == [30.0]
    assert frame["sweep"].unique().to_list() == [summary.id]


def test_a_band_is_held_on_to_and_limits_stay(tmp_path: Path) -> None:
    _, first = _finish(tmp_path, _plan(1), PARTS)
    wobbled = [
        scored(["a", "b"], [0.43, 0.2], [100.0, 40.0]),
        scored(["c", "d"], [0.46, 0.5], [100.0, np.nan]),
    ]
    summary, second = _finish(tmp_path, _plan(2, limits=None), wobbled, first)
    assert summary.limits == first.summary.limits
    bands = dict(zip(second.table.users.to_pylist(), second.table["level"].tolist(), strict=True))
    # High is entered at 50 and left below 42.5; medium is left below 8.5.
    assert bands == {"a": 2, "b": 0, "c": 1, "d": 0}
    assert summary.previous == first.summary.id
    assert summary.crossings == 2


def test_without_values_bands_go_by_probability(tmp_path: Path) -> None:
    nothing = [scored([f"{k}{n}" for n in range(50)], [n / 50 for n in range(50)], [np.nan] * 50)
               for k in "ab"]  # fmt: skip
    summary, sweep = _finish(tmp_path, _plan(1, limits=None), nothing)
    assert summary.basis == "probability"
    assert summary.expected_loss is None
    assert summary.bands == {"low": 70, "medium": 20, "high": 10}
    assert sweep.table["probability"][0] == 0.98
    # The other basis is no past to hold on to.
    again, _ = _finish(tmp_path, _plan(2), PARTS, sweep)
    assert again.previous is None


def test_limits_come_from_the_operator_or_the_last_sweep_or_the_rows() -> None:
    key = np.arange(1.0, 101.0)
    fields = dict.fromkeys(Summary.__dataclass_fields__, None)
    kept = {"medium_enter": 5.0, "medium_leave": 4.0, "high_enter": 9.0, "high_leave": 8.0}
    before = Summary(**{**fields, "limits": kept})
    assert limits_for(_plan(1), before, key) == (10.0, 8.5, 50.0, 42.5)
    assert limits_for(_plan(1, limits=None), before, key).params() == kept
    fresh = limits_for(_plan(1, limits=None, fresh_limits=True), before, key)
    assert fresh == limits_for(_plan(1, limits=None), None, key)
    assert (fresh.medium_enter, fresh.high_enter) == pytest.approx((70.3, 90.1))


def test_the_basis_is_loss_when_there_is_any() -> None:
    assert basis_of(PARTS[0]) == "loss"
    assert basis_of(scored(["a"], [0.5], [0.0])) == "probability"
    assert basis_of(scored(["a"], [0.5], [np.nan])) == "probability"


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.floats(0, 120), min_size=4, max_size=4), min_size=2, max_size=5))
def test_bands_over_many_sweeps_are_those_of_each_user_alone(tmp_path_factory, losses) -> None:
    root = tmp_path_factory.mktemp("shelf") / "churn"
    users, before = ["a", "b", "c", "d"], None
    bands: dict[str, Band | None] = dict.fromkeys(users)
    limits = Limits(10.0, 8.5, 50.0, 42.5)
    for number, row in enumerate(losses, 1):
        parts = [scored(users[:2], [1.0] * 2, row[:2]), scored(users[2:], [1.0] * 2, row[2:])]
        if not any(row):
            return
        crossed = {user: bands[user] or Band.low for user in users}
        bands = {
            user: band_of(loss, bands[user], limits) for user, loss in zip(users, row, strict=True)
        }
        summary, before = _finish(root, _plan(number), parts, before)
        levels = zip(before.table.users.to_pylist(), before.table["level"].tolist(), strict=True)
        assert {user: LEVELS[level] for user, level in levels} == bands
        changed = sum(crossed[user] != bands[user] for user in users)
        assert summary.crossings == (changed if number > 1 else 0)
