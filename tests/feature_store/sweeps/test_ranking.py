"""Ranking: bands are held against the sweep before, crossings found, orders kept."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from feature_store.sweeps.ranking import NEW, previous_levels, rank
from feature_store.sweeps.table import SweepTable
from tests.feature_store.sweeps.making import by_loss, scored


def _ranked(users: list[str], p: list[float], v: list[float], before: SweepTable | None = None):
    table = scored(users, p, v)
    return rank(table, before, by_loss, table["expected_loss"])


def test_rows_lie_by_loss_and_unknown_ones_last() -> None:
    found = _ranked(["a", "b", "c", "d"], [0.5, 0.9, 0.1, 0.3], [10.0, 100.0, np.nan, 50.0]).table
    assert found.users.to_pylist() == ["b", "d", "a", "c"]
    assert found["level"].tolist() == [2, 1, 0, 0]
    assert found["by_probability"].tolist() == [0, 2, 1, 3]
    assert found["by_value"].tolist() == [0, 1, 2, 3]
    assert found.names(found["by_user"]) == ["a", "b", "c", "d"]


def test_equal_losses_lie_by_name() -> None:
    found = _ranked(["z", "m", "a"], [0.5] * 3, [1.0] * 3).table
    assert found.users.to_pylist() == ["a", "m", "z"]


def test_the_first_sweep_crosses_nothing() -> None:
    first = _ranked(["a", "b"], [0.9, 0.1], [100.0, 1.0])
    assert first.table["previous"].tolist() == [NEW, NEW]
    assert len(first.crossed) == 0


def test_who_changes_band_or_enters_above_the_lowest_crosses() -> None:
    first = _ranked(["up", "down", "same", "gone"], [0.1, 0.9, 0.9, 0.9], [100.0, 100.0, 99, 99])
    assert first.table["level"].tolist() == [2, 2, 2, 1]
    second = _ranked(
        ["same", "up", "newly", "down", "calm"],
        [0.9, 0.9, 0.9, 0.01, 0.01],
        [99.0, 98.0, 97.0, 96.0, 95.0],
        first.table,
    )
    crossed = second.table.taken(second.crossed)
    assert dict(zip(crossed.users.to_pylist(), crossed["previous"].tolist(), strict=True)) == {
        "up": 1,
        "newly": NEW,
        "down": 2,
    }
    assert crossed["level"].tolist() == [2, 2, 0]


def test_nobody_before_is_everybody_new() -> None:
    table = scored(["a"], [0.5], [1.0])
    assert previous_levels(table, None).tolist() == [NEW]
    assert previous_levels(table, scored([], [], [])).tolist() == [NEW]


@given(st.dictionaries(st.text(min_size=1, max_size=3), st.floats(0, 100), max_size=12))
def test_orders_are_permutations_and_sorted(losses: dict[str, float]) -> None:
    users = list(losses)
    found = _ranked(users, [1.0] * len(users), list(losses.values())).table
    for order in ("by_probability", "by_value", "by_user"):
        assert sorted(found[order].tolist()) == list(range(len(users)))
    assert (np.diff(found["expected_loss"]) <= 0).all()
    assert (np.diff(found["value"][found["by_value"]]) <= 0).all()
    assert found.names(found["by_user"]) == sorted(users, key=str.encode)
