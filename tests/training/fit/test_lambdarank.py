import numpy as np
import pytest

from domain.clock import DAY_MS
from models.recommend.candidates import ITEM, columns_of
from tests.models.recommend.small import small_model
from tests.training.worlds import START, full_of_rows
from training.fit.budget import Budget
from training.fit.choice import gain_of
from training.fit.lambdarank import (
    Grower,
    Queries,
    item_facts,
    judge_ranker,
    learn_ranker,
    lengths_of,
    merged,
    ndcg_of,
    queries_of,
)
from training.fit.settings import RankerSettings
from training.metrics import per_case
from training.splits import leave_one_out

VOICES = ("one", "other")
COLUMNS = columns_of(VOICES)
SIZE = 20
QUICK = RankerSettings(trees=40, least_rows=20)


def queries(count=400, seed=0, shuffled=False):
    """With fewer than ten events the item that `one` likes best is wanted, else `other`'s."""
    rng = np.random.default_rng(seed)
    rows = np.zeros((count, SIZE, len(COLUMNS)), np.float32)
    scores = rng.normal(size=(count, SIZE, 2))
    events = rng.integers(1, 20, count)
    rows[:, :, COLUMNS.index("events")] = events[:, None]
    wanted = np.where(events < 10, scores[:, :, 0].argmax(1), scores[:, :, 1].argmax(1))
    if shuffled:
        wanted = rng.integers(0, SIZE, count)
    said = {"one": scores[:, :, 0], "other": scores[:, :, 1], "blend": scores.sum(axis=2)}
    for name, score in said.items():
        rows[:, :, COLUMNS.index(f"{name}.score")] = score
        place = (-score).argsort(axis=1).argsort(axis=1)
        rows[:, :, COLUMNS.index(f"{name}.place")] = place
    order = (-said["blend"]).argsort(axis=1)
    rows = np.take_along_axis(rows, order[:, :, None], axis=1)
    gains = np.take_along_axis(np.arange(SIZE)[None] == wanted[:, None], order, axis=1)
    ones = np.ones(count, np.int64)
    return Queries(
        rows.reshape(-1, len(COLUMNS)),
        SIZE * ones,
        gains.reshape(-1).astype(np.uint8),
        np.arange(count),
        np.arange(count),
        ones,
    )


def in_the_order_given(found):
    return ndcg_of(found, -np.tile(np.arange(SIZE), len(found.sizes)).astype(float))


def test_a_member_that_is_right_at_times_is_heard_at_those_times():
    found = queries()
    folds = np.arange(len(found.sizes)) % 5
    ranked = learn_ranker(found, folds, QUICK)
    assert ranked.out_of_fold.mean() > 0.95
    for share in np.linspace(0, 1, 11):
        one, other = (found.rows[:, COLUMNS.index(f"{name}.score")] for name in VOICES)
        assert ndcg_of(found, share * one + (1 - share) * other).mean() < 0.85
    fresh = queries(seed=9)
    assert ndcg_of(fresh, ranked.forest.raw(fresh.rows.astype(float))).mean() > 0.95


def test_shuffled_targets_give_no_gain():
    found = queries(shuffled=True)
    ranked = learn_ranker(found, np.arange(len(found.sizes)) % 5, QUICK)
    before = in_the_order_given(found)
    assert not gain_of("a", "b", before, ranked.out_of_fold, found.users, 0).taken


def test_no_query_is_judged_by_a_forest_that_has_seen_its_user():
    """Each user's wanted item is told by a number of the user's own: of use to those who saw it."""
    found = queries(count=100, shuffled=True)
    twice = merged([found, found])
    own = COLUMNS.index("wanted")
    rng = np.random.default_rng(0)
    # The same arbitrary number stands at the wanted item of both of a user's queries.
    twice.rows[:, own] = np.tile(rng.random(100 * SIZE), 2)
    folds = twice.users % 5
    settings = RankerSettings(trees=100, least_rows=1, leaves=31, ridge=0.0, columns=1.0)
    ranked = learn_ranker(twice, folds, settings)
    assert ranked.out_of_fold.mean() < 0.5
    seen = ndcg_of(twice, ranked.forest.raw(twice.rows.astype(float))).mean()
    leaky = learn_ranker(twice, np.arange(200) // 100, settings)
    assert leaky.out_of_fold.mean() > 0.6
    assert seen > ranked.out_of_fold.mean()


def test_the_number_of_trees_is_a_multiple_within_the_most():
    ranked = learn_ranker(queries(120), np.arange(120) % 3, RankerSettings(trees=30, every=15))
    assert ranked.trees in (15, 30)
    assert len(ranked.forest) == ranked.trees


@pytest.mark.parametrize("parts", [3, 4, 5])
def test_no_fold_has_a_say_in_how_long_the_forest_is_that_judges_it(parts):
    """A fold whose targets are made noise moves the others' lengths at most, never its own."""
    found, weights = queries(200), np.ones(200)
    folds = np.arange(200) % parts
    settings = RankerSettings(trees=24, every=2, least_rows=5, rate=0.3)

    def lengths(some):
        grower = Grower(some, weights, settings, 0, 1)
        return lengths_of(grower, folds, weights, lambda _: None).by_fold

    before = lengths(found)
    assert sorted(before) == list(range(parts))
    for fold in range(parts):
        gains = found.gains.reshape(-1, SIZE).copy()
        gains[folds == fold] = np.roll(gains[folds == fold], 7, axis=1)
        assert lengths(found._replace(gains=gains.reshape(-1)))[fold] == before[fold]


def test_a_query_that_counts_nothing_is_judged_and_teaches_nothing():
    found = queries(150)
    noise = queries(50, seed=5, shuffled=True)
    both, weights = merged([found, noise]), np.repeat([1.0, 0.0], [150, 50])
    folds = np.arange(200) % 3
    alone = Grower(found, np.ones(150), QUICK, 0, 1)
    beside = Grower(both, weights, QUICK, 0, 1)
    trees, judged = judge_ranker(alone, folds[:150], np.ones(150))
    again, all_judged = judge_ranker(beside, folds, weights)
    assert (trees, judged.tolist()) == (again, all_judged[:150].tolist())
    assert all_judged[150:].any()


def test_a_heavier_query_has_more_of_a_say():
    """Half of the queries want what `one` likes best, the others what `other` does."""
    found = queries(300)
    events = found.rows[::SIZE, COLUMNS.index("events")]
    rows = found.rows.copy()
    # Nothing tells the two kinds apart any more.
    rows[:, COLUMNS.index("events")] = 5
    blind = found._replace(rows=rows)
    for heavy in (events < 10, events >= 10):
        weights = np.where(heavy, 6.0, 1.0)
        forest = Grower(blind, weights, QUICK, 0, 1).forest(30)
        scored = ndcg_of(blind, forest.raw(blind.rows.astype(float)))
        assert scored[heavy].mean() > scored[~heavy].mean() + 0.2


def test_ndcg_equals_that_of_lists():
    rng = np.random.default_rng(3)
    found = queries(30)
    gains = found.gains.copy()
    gains[rng.random(len(gains)) < 0.1] = 1
    here = gains.reshape(30, SIZE).sum(axis=1).astype(np.int64)
    targets = here + rng.integers(1, 4, 30)
    found = found._replace(gains=gains, targets=targets)
    worth = rng.normal(size=len(gains))
    lists = (-worth.reshape(30, SIZE)).argsort(axis=1).astype(np.int32)
    wanted = []
    for q in range(30):
        own = np.flatnonzero(gains[q * SIZE : (q + 1) * SIZE])
        wanted += [*own, *range(100, 100 + targets[q] - len(own))]
    offsets = np.concatenate([[0], np.cumsum(targets)]).astype(np.int64)
    expected = per_case(lists, np.array(wanted, np.int32), offsets, (10,))["ndcg_at_10"]
    assert ndcg_of(found, worth) == pytest.approx(expected)


def test_facts_of_items_by_hand():
    rows = [
        ("a", "x", 0),
        ("a", "y", 1),
        ("b", "x", 2),
        ("b", "y", 8),
        ("c", "y", 9),
        ("c", "x", 3),
    ]
    full, items = full_of_rows(rows)
    as_of = START + 10 * DAY_MS
    facts = item_facts(full._replace(n_items=3), as_of)
    assert items == ["x", "y"]
    assert facts[:2, ITEM.index("wanted")] == pytest.approx(np.log1p([3, 3]))
    assert facts[:2, ITEM.index("age_days")] == pytest.approx(np.log1p([10, 9]))
    assert facts[:2, ITEM.index("rested_days")] == pytest.approx(np.log1p([7, 1]))
    assert facts[0, ITEM.index("recent")] < 0 < facts[1, ITEM.index("recent")]
    assert facts[2, 0] == 0
    assert np.isnan(facts[2, 2:]).all()


@pytest.mark.parametrize("again", [False, True])
def test_queries_are_the_cases_with_a_target_among_the_candidates(again):
    rng = np.random.default_rng(8)
    rows = [("first", f"i{i}", 0) for i in range(40)]
    rows += [
        (f"{user}", f"i{item}", day)
        for user in range(40)
        for day, item in enumerate(rng.integers(0, 40, rng.integers(3, 9)))
    ]
    full, items = full_of_rows(rows)
    model = small_model(40, again=again)
    assert list(model.items) == items
    cases = leave_one_out(full, 1, 512, repeats=again).cases
    facts = item_facts(full, START)
    found = queries_of(model, facts, full, cases, 12, 2)
    assert found.rows.shape[1] == len(columns_of(model.voices))
    assert 0 < len(found.sizes) < len(cases)
    position = 0
    hits = []
    for case in range(len(cases)):
        mine = slice(cases.starts[case], cases.ends[case])
        past = model.past(
            full.items[mine], full.kinds[mine], full.ats[mine], int(cases.as_of[case])
        )
        total = model.blended(past).total.copy()
        if not again:
            total[full.items[mine]] = -np.inf
        best = sorted(np.flatnonzero(total > -np.inf), key=lambda i: (-total[i], i))[:12]
        target = cases.targets[cases.target_offsets[case]]
        if target in best:
            hits.append(case)
            rows_of = slice(position, position + len(best))
            position += len(best)
            assert found.gains[rows_of].tolist() == [item == target for item in best]
            blend = found.rows[rows_of, columns_of(model.voices).index("blend.score")]
            assert blend == pytest.approx(total[best])
    assert found.cases.tolist() == hits
    assert found.users.tolist() == cases.users[hits].tolist()


class Running:
    """A clock that runs on by a second whenever it is looked at."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        self.now += 1.0
        return self.now


def test_a_forest_has_the_trees_that_there_is_time_for():
    found, settings = queries(100), RankerSettings(trees=40, least_rows=5)
    grower = Grower(found, np.ones(100), settings, 0, 1)
    whole = grower.forest(40)
    cut = grower.forest(40, Budget(12.0, Running()))
    assert len(whole) == 40
    assert 5 < len(cut) < 13
    assert len(grower.forest(40, Budget(1e9, Running()))) == 40
    assert len(grower.forest(40, Budget(0.0, Running()))) == 1


def test_a_ranker_is_judged_as_long_as_it_is_grown():
    found, folds = queries(150), np.arange(150) % 3
    settings = RankerSettings(trees=40, every=5, least_rows=5)
    ranked = learn_ranker(found, folds, settings, budget=Budget(1e6, Running()))
    free = learn_ranker(found, folds, settings)
    assert ranked.trees == len(ranked.forest) == free.trees
    assert ranked.out_of_fold.tolist() == free.out_of_fold.tolist()
    ranked = learn_ranker(found, folds, settings, budget=Budget(100.0, Running()))
    assert 5 <= ranked.trees < 40
    assert len(ranked.forest) == ranked.trees
    assert ranked.out_of_fold.mean() > 0.7
    assert learn_ranker(found, folds, settings, budget=Budget(3.0, Running())) is None
