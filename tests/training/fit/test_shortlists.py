import threading
from functools import partial

import numpy as np
import pytest

from domain.clock import DAY_MS
from domain.events import KINDS
from domain.ids import hash64
from tests.training.worlds import START, chain, checkerboard, full_of_rows
from training.evaluate.ranking import mean_ndcg
from training.fit.members import MEMBER_FITS, Learner, Lesson
from training.fit.recommend import Catalogue, assemble
from training.fit.shortlists import climb, each_case, joined, judged, judged_along, shortlists
from training.splits import leave_one_out

NUMBERS = {"popularity": {}, "graph": {"decay": 0.5}, "factors": {"factors": 8, "iterations": 5}}


def world(rows, names, repeats=False):
    """A model of members learned from all but the last events, the log and the cases."""
    full, items = full_of_rows(rows)
    split = leave_one_out(full, 1, 512, repeats=repeats)
    hashes = np.array([hash64(item) for item in items], np.uint64)
    catalogue = Catalogue(tuple(items), hashes, np.ones(KINDS, np.float32))
    learner = Learner(Lesson(split.known, START + 99 * DAY_MS, repeats, 0, 1))
    members = {n: learner.member(n, {**MEMBER_FITS[n].start, **NUMBERS[n]}) for n in names}
    make = partial(assemble, catalogue, repeats)
    return make(members, np.ones(len(names), np.float32)), full, split.cases


@pytest.mark.parametrize("repeats", [False, True])
def test_equals_full_ranking_where_every_item_is_listed(repeats):
    model, full, cases = world(checkerboard(), ("popularity", "graph", "factors"), repeats)
    lists = shortlists(model, full, cases, len(model), 2)
    grid = np.random.default_rng(0).random((6, 3)).astype(np.float32)
    found = judged(lists, grid).mean(axis=1)
    assert found == pytest.approx(mean_ndcg(model, grid, full, cases), abs=1e-6)


def test_members_alone_are_exact_on_short_lists():
    model, full, cases = world(checkerboard(), ("popularity", "graph", "factors"))
    lists = shortlists(model, full, cases, 10, 1)
    assert len(lists.scores) < 30 * len(cases)
    alone = np.eye(3, dtype=np.float32)
    wanted = mean_ndcg(model, alone, full, cases)
    assert judged(lists, alone).mean(axis=1) == pytest.approx(wanted, abs=1e-6)


def test_several_targets_and_those_not_listed_count():
    model, full, cases = world(chain(users=40), ("graph",))
    cases = cases.take(np.arange(2))
    wanted = cases.targets.tolist()
    had = full.items[cases.starts[0] : cases.ends[0]]
    unlisted = next(i for i in range(len(model)) if i not in had and i != wanted[0])
    two = np.array([wanted[0], unlisted, wanted[1]], np.int32)
    both = cases.__class__(
        cases.users, cases.starts, cases.ends, cases.as_of, two, np.array([0, 2, 3])
    )
    lists = shortlists(model, full, both, 1, 1)
    found = judged(lists, np.ones((1, 1), np.float32))[0]
    # The first of two wanted is found in the first place, the other is on no list.
    assert found.tolist() == pytest.approx([1 / (1 + 1 / np.log2(3)), 1.0])


def test_climbing_is_never_worse_than_the_member_it_starts_from():
    model, full, cases = world(checkerboard(), ("popularity", "graph", "factors"))
    lists = shortlists(model, full, cases, 20, 1)
    alone = judged(lists, np.eye(3, dtype=np.float32)).mean(axis=1)
    weights, best = climb(lists, np.arange(len(lists)), np.argsort(-alone).tolist())
    assert best >= alone.max()
    assert weights.max() == 1
    assert weights.min() >= 0
    assert judged(lists, weights[None]).mean() == pytest.approx(best)


def test_a_member_that_adds_nothing_is_left_out():
    model, full, cases = world(chain(), ("graph", "popularity"))
    lists = shortlists(model, full, cases, 20, 1)
    weights, best = climb(lists, np.arange(len(lists)), [0, 1])
    assert weights.tolist() == [1, 0]
    assert best > 0.95


def test_only_the_chosen_cases_are_climbed():
    model, full, cases = world(checkerboard(), ("popularity", "graph"))
    lists = shortlists(model, full, cases, 20, 1)
    some = np.arange(0, len(lists), 3)
    _, best = climb(lists, some, [0, 1])
    part = shortlists(model, full, cases.take(some), 20, 1)
    assert climb(part, np.arange(len(part)), [0, 1])[1] == pytest.approx(best)


def test_joined_lists_are_judged_as_each():
    model, full, cases = world(checkerboard(), ("popularity", "graph"))
    one = shortlists(model, full, cases.take(np.arange(10)), 15, 1)
    other = shortlists(model, full, cases.take(np.arange(10, 25)), 15, 1)
    grid = np.array([[1, 0.3], [0, 1]], np.float32)
    both = np.concatenate([judged(one, grid), judged(other, grid)], axis=1)
    assert (judged(joined([one, other]), grid) == both).all()


def test_every_case_is_done_once_in_some_threads():
    done, lock = [], threading.Lock()

    def one(case):
        with lock:
            done.append(case)

    each_case(23, 3, one)
    each_case(0, 3, one)
    assert sorted(done) == list(range(23))


def test_values_along_one_member_are_judged_as_whole_weightings():
    """What the others say is added up once: the sums are the same but for rounding."""
    model, full, cases = world(checkerboard(), ("popularity", "graph", "factors"))
    lists = shortlists(model, full, cases, 10, 1)
    chosen, weights = np.arange(5, 40), np.array([0.3, 1.0, 0.5], np.float32)
    values = np.array([0.0, 0.2, 1.0, 2.0], np.float32)
    for place in range(3):
        grid = np.repeat(weights[None], len(values), axis=0)
        grid[:, place] = values
        found = judged_along(lists, chosen, weights, place, values)
        assert found == pytest.approx(judged(lists, grid, chosen).mean(axis=1), abs=2e-3)


def test_a_climb_that_is_stopped_answers_what_it_found_so_far():
    model, full, cases = world(checkerboard(), ("popularity", "graph", "factors"))
    lists, order = shortlists(model, full, cases, 10, 1), [0, 1, 2]
    chosen = np.arange(len(lists))
    weights, first = climb(lists, chosen, order, lambda: False)
    assert weights.tolist() == [1, 0, 0]
    asked = []
    weights, some = climb(lists, chosen, order, lambda: not asked and not asked.append(1))
    assert weights[2] == 0
    assert weights[1] > 0
    assert first < some <= climb(lists, chosen, order)[1]
