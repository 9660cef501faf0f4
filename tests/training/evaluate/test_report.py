import numpy as np
import pytest

from domain.clock import DAY_MS
from tests.training.worlds import START, full_of_rows
from training.evaluate.report import had_before, of_some, over, report
from training.metrics import per_case
from training.splits import time_split

# Before day 10: a has x y, b has y twice, c has six events; then each gets two things.
ROWS = [
    ("a", "x", 0), ("a", "y", 1),
    ("b", "y", 0), ("b", "y", 2),
    *[("c", item, day) for day, item in enumerate("xyzxyz")],
    ("a", "y", 10), ("a", "z", 11),
    ("b", "x", 10), ("b", "w", 11),
    ("c", "z", 12),
]  # fmt: skip


@pytest.fixture
def world():
    full, items = full_of_rows(ROWS)
    split = time_split(full, START + 10 * DAY_MS, START + 99 * DAY_MS, 512, repeats=True)
    return full, items, split


def lists_of(items, full, cases, words):
    """One list a user, by the user's own history; "" where nobody knows what to say."""
    out = np.full((len(cases), 20), -1, np.int32)
    for case in range(len(cases)):
        history = "".join(items[i] for i in full.items[cases.starts[case] : cases.ends[case]])
        chosen = [items.index(item) for item in words.get(history, "")]
        out[case, : len(chosen)] = chosen
    return out


def test_which_targets_a_user_had_before(world):
    full, items, split = world
    flags = had_before(full, split.cases)
    told = sorted(zip([items[i] for i in split.cases.targets], flags.tolist(), strict=True))
    assert told == [("w", False), ("x", False), ("y", True), ("z", False), ("z", True)]


def test_parts_apart_are_those_of_the_targets_alone(world):
    full, items, split = world
    lists = lists_of(items, full, split.cases, {"xy": "yw", "yy": "yx", "xyzxyz": "xz"})
    found = report({"blend": lists}, full, split.cases, split.known, rounds=20).metrics
    # a: wanted y z; b: x w; c: z.
    assert found["recall_at_10"].value == pytest.approx((0.5 + 0.5 + 1) / 3)
    # Repeats are wanted by a (y) and c (z) alone, new things by a (z) and b (x w).
    assert found["repeat_recall_at_10"].value == pytest.approx(1.0)
    assert found["repeat_ndcg_at_10"].value == pytest.approx((1 + 1 / np.log2(3)) / 2)
    assert found["explore_recall_at_10"].value == pytest.approx((0 + 0.5) / 2)
    # a and b have fewer than five events before; w and z were bought too rarely to be known.
    assert found["short_recall_at_10"].value == pytest.approx((0.5 + 0.5) / 2)
    assert found["rare_recall_at_10"].value == pytest.approx((0 + 0.5 + 1) / 3)
    for name in ("hr_at_5", "mrr_at_20", "coverage_at_10", "gini_at_10", "novelty_at_10"):
        assert found[name].low <= found[name].value <= found[name].high
    assert found["coverage_at_10"].value == 1


def test_a_part_that_is_everything_or_nothing_is_not_told_apart(world):
    full, items, _ = world
    split = time_split(full, START + 10 * DAY_MS, START + 99 * DAY_MS, 512, repeats=False)
    lists = lists_of(items, full, split.cases, {"xy": "z"})
    found = report({"blend": lists}, full, split.cases, split.known, rounds=20).metrics
    assert not [name for name in found if name.startswith(("repeat_", "explore_"))]


def test_the_lead_is_set_beside_its_best_rival_and_popularity(world):
    full, items, split = world
    lead = lists_of(items, full, split.cases, {"xy": "yz", "yy": "xw", "xyzxyz": "z"})
    good = lists_of(items, full, split.cases, {"xy": "yz", "xyzxyz": "z"})
    bad = lists_of(items, full, split.cases, {"xyzxyz": "z"})
    told = report(
        {"blend": lead, "popularity": bad, "graph": good}, full, split.cases, split.known, rounds=50
    )
    found = told.metrics
    assert found["ndcg_at_10"].value == 1
    assert found["graph_ndcg_at_10"].value == found["best_member_ndcg_at_10"].value
    assert found["best_member_ndcg_at_10"].value == pytest.approx(2 / 3)
    assert found["over_best_member"].value == pytest.approx(0.5)
    assert found["over_popularity"].value == pytest.approx(2.0)
    assert 0 <= found["over_best_member"].low <= 0.5 <= found["over_best_member"].high
    assert told.cases["ndcg_at_10"].tolist() == [1, 1, 1]
    assert sorted(told.members["graph"]["ndcg_at_10"].tolist()) == [0, 1, 1]


def test_a_rival_as_good_as_the_lead_is_not_beaten_by_chance(world):
    full, items, split = world
    same = lists_of(items, full, split.cases, {"xy": "y", "yy": "w"})
    found = report({"blend": same, "graph": same}, full, split.cases, split.known, rounds=50)
    assert found.metrics["over_best_member"] == (0, 0, 0)


def test_nobody_asked_gives_zeros(world):
    full, _, split = world
    none = split.cases.take(np.empty(0, np.int64))
    found = report({"blend": np.empty((0, 20), np.int32)}, full, none, split.known).metrics
    assert found["ndcg_at_10"] == (0, 0, 0)
    assert "over_best_member" not in found


def test_of_some_equals_asking_for_those_targets_alone(world):
    full, items, split = world
    lists = lists_of(items, full, split.cases, {"xy": "yz", "yy": "wx", "xyzxyz": "xz"})
    cases = split.cases
    chosen = np.array([items[i] != "z" for i in cases.targets])
    found = of_some(lists, cases, chosen)
    for case in range(len(cases)):
        mine = slice(*cases.target_offsets[case : case + 2])
        wanted = cases.targets[mine][chosen[mine]]
        if not len(wanted):
            assert np.isnan(found["ndcg_at_10"][case])
            continue
        alone = per_case(lists[case : case + 1], wanted, np.array([0, len(wanted)]), (10, 20))
        assert found["ndcg_at_10"][case] == alone["ndcg_at_10"][0]
        assert found["recall_at_20"][case] == alone["recall_at_20"][0]


def test_over_says_nothing_of_a_rival_worth_nothing():
    assert over(np.ones(3), np.zeros(3), np.ones((5, 2))) == (0, 0, 0)
