import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.metrics import (
    coverage,
    coverage_interval,
    hits,
    per_case,
    resampled,
    with_intervals,
)


def table(*cases):
    """Lists and targets of cases given as (list, targets)."""
    lists = np.array([one for one, _ in cases], np.int32)
    targets = np.array([t for _, wanted in cases for t in wanted], np.int32)
    offsets = np.cumsum([0, *(len(wanted) for _, wanted in cases)])
    return lists, targets, offsets


def naive(ranked, wanted, k):
    gains = [1 if item in wanted else 0 for item in ranked[:k]]
    dcg = sum(gain / math.log2(place + 2) for place, gain in enumerate(gains))
    ideal = sum(1 / math.log2(place + 2) for place in range(min(k, len(wanted))))
    first = next((place for place, gain in enumerate(gains) if gain), None)
    return {
        f"hr_at_{k}": float(any(gains)),
        f"recall_at_{k}": sum(gains) / len(wanted),
        f"ndcg_at_{k}": dcg / ideal,
        f"mrr_at_{k}": 0.0 if first is None else 1 / (first + 1),
    }


def test_known_answers():
    found = per_case(*table(([4, 7, 1], [7]), ([4, 7, 1], [9]), ([4, 7, 1], [1, 4])), (1, 3))
    assert found["hr_at_1"].tolist() == [0, 0, 1]
    assert found["hr_at_3"].tolist() == [1, 0, 1]
    assert found["recall_at_1"].tolist() == [0, 0, 0.5]
    assert found["mrr_at_3"].tolist() == [0.5, 0, 1]
    wanted = [1 / math.log2(3), 0, 1.5 / (1 + 1 / math.log2(3))]
    np.testing.assert_allclose(found["ndcg_at_3"], wanted)


@given(
    st.lists(
        st.tuples(
            st.permutations(range(12)).map(lambda items: items[:8]),
            st.sets(st.integers(0, 14), min_size=1, max_size=10).map(sorted),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_equals_the_naive_definition(cases):
    found = per_case(*table(*cases), (1, 3, 8))
    for row, (ranked, wanted) in enumerate(cases):
        for k in (1, 3, 8):
            for name, value in naive(ranked, wanted, k).items():
                assert found[name][row] == pytest.approx(value)


def test_the_best_list_scores_1_whatever_the_number_of_targets():
    found = per_case(*table(([1, 2, 3], [1, 2, 3, 4, 5])), (2, 3))
    assert found["ndcg_at_2"][0] == found["ndcg_at_3"][0] == 1
    assert found["recall_at_3"][0] == pytest.approx(0.6)


def test_a_short_list_is_filled_with_minus_one_and_never_hits():
    lists, targets, offsets = table(([3, -1, -1], [2]))
    assert not hits(lists, targets, offsets).any()
    assert coverage(lists, 3, 10) == pytest.approx(0.1)


def test_coverage_counts_items_within_k():
    lists = np.array([[1, 2, 3], [1, 4, 5]], np.int32)
    assert coverage(lists, 1, 10) == pytest.approx(0.1)
    assert coverage(lists, 3, 10) == pytest.approx(0.5)


def test_intervals_hold_the_mean_and_shrink_with_more_cases():
    rng = np.random.default_rng(0)
    few, many = rng.random(50), rng.random(5_000)
    a = with_intervals({"x": few}, rng)["x"]
    b = with_intervals({"x": many}, rng)["x"]
    assert a.low < a.value < a.high
    assert a.value == pytest.approx(few.mean())
    assert b.high - b.low < (a.high - a.low) / 5
    # The normal approximation is good for this many cases.
    assert (b.high - b.low) / 2 == pytest.approx(1.96 * many.std() / math.sqrt(5_000), rel=0.1)


def test_intervals_cover_the_truth_about_19_times_in_20():
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(200):
        found = with_intervals({"x": (rng.random(200) < 0.3).astype(float)}, rng, rounds=200)["x"]
        held += found.low <= 0.3 <= found.high
    assert 0.88 <= held / 200 <= 0.99


def test_intervals_repeat_with_the_same_seed():
    values = {"x": np.random.default_rng(2).random(100)}
    one = with_intervals(values, np.random.default_rng(5))
    assert one == with_intervals(values, np.random.default_rng(5))


def test_constant_values_have_no_width_and_no_cases_are_zero():
    rng = np.random.default_rng(0)
    assert with_intervals({"x": np.ones(9)}, rng)["x"] == (1, 1, 1)
    assert with_intervals({"x": np.empty(0)}, rng)["x"] == (0, 0, 0)
    assert with_intervals({}, rng) == {}


def test_a_case_without_a_value_has_no_say():
    rng = np.random.default_rng(0)
    some = np.array([1.0, np.nan, 3.0, np.nan])
    found = with_intervals({"some": some, "all": np.ones(4), "none": np.full(4, np.nan)}, rng, 400)
    assert found["some"].value == 2
    assert 1 <= found["some"].low < found["some"].high <= 3
    assert found["all"] == (1, 1, 1)
    assert found["none"] == (0, 0, 0)


def test_cases_of_one_owner_are_drawn_together():
    # Ten owners with a hundred equal cases each: as uncertain as ten cases, not as a thousand.
    values = np.repeat(np.arange(10) % 2, 100).astype(float)
    owners = np.repeat(np.arange(10), 100)
    apart = with_intervals({"x": values}, np.random.default_rng(0))["x"]
    together = with_intervals({"x": values}, np.random.default_rng(0), owners=owners)["x"]
    assert together.value == apart.value == 0.5
    ten = with_intervals({"x": np.arange(10) % 2 * 1.0}, np.random.default_rng(0))["x"]
    assert (together.low, together.high) == (ten.low, ten.high)
    assert apart.high - apart.low < (together.high - together.low) / 5


def test_resampled_means_are_those_of_the_drawn_cases():
    table = np.array([[1.0, np.nan], [5.0, 2.0]])
    means = resampled(table, None, np.random.default_rng(0), 200)
    assert set(means[:, 0].tolist()) == {1.0, 3.0, 5.0}
    both = means[:, 0]
    # The second column was heard in the second case alone, and says nothing without it.
    assert np.isnan(means[both == 1.0, 1]).all()
    assert (means[both != 1.0, 1] == 2.0).all()


def test_the_interval_of_coverage_comes_from_what_only_one_list_shows():
    shared = np.zeros((50, 1), np.int32)
    assert coverage_interval(shared, 1, 10) == (0.1, 0.1, 0.1)
    rng = np.random.default_rng(3)
    lists = np.array([rng.choice(400, 3, replace=False) for _ in range(150)], np.int32)
    value, low, high = coverage_interval(lists, 3, 400)
    assert value == coverage(lists, 3, 400)
    c = len(lists)
    without = [coverage(np.delete(lists, case, axis=0), 3, 400) for case in range(c)]
    spread = 1.96 * np.sqrt((c - 1) / c * ((without - np.mean(without)) ** 2).sum())
    assert (high - low) / 2 == pytest.approx(spread)
    assert coverage_interval(lists[:1], 3, 400).low == coverage(lists[:1], 3, 400)
