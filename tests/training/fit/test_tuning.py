from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from domain.clock import DAY_MS
from domain.events import KINDS
from domain.ids import hash64
from tests.training.worlds import START, chain, full_of_rows
from training.fit.members import MEMBER_FITS, Learner, Lesson
from training.fit.recommend import Catalogue, assemble
from training.fit.tuning import Judge, tune_member
from training.splits import leave_one_out

QUIET = {"factors": 8, "iterations": 5}


def judged(rows):
    """A learner and a judge by leave-one-out of rows."""
    full, items = full_of_rows(rows)
    split = leave_one_out(full, 1, 512, repeats=False)
    hashes = np.array([hash64(item) for item in items], np.uint64)
    catalogue = Catalogue(tuple(items), hashes, np.ones(KINDS, np.float32))
    judge = Judge(full, split.cases, partial(assemble, catalogue, False), 1)
    return Learner(Lesson(split.known, START + 99 * DAY_MS, False, 0, 1)), judge


def nothing(_):
    """Take no notice of a step."""


def test_the_decay_of_a_chain_is_tuned_to_its_last_step():
    """Only the last item tells what comes next, so the steepest decay tried must win."""
    learner, judge = judged(chain())
    best, trials = tune_member("graph", learner, judge, {"row_power": 0.0}, nothing)
    assert best.alone > 0.95
    assert best.alone == max(trial["ndcg_at_10"] for trial in trials)
    flat = {**best.params, "decay": 1.0, "window": 10, "reverse": 1.0}
    one = np.ones((1, 1), np.float32)
    assert judge({"graph": learner.member("graph", flat)}, one)[0] < best.alone


def test_the_best_member_is_the_one_that_was_judged():
    learner, judge = judged(chain())
    best, _ = tune_member("graph", learner, judge, {}, nothing)
    assert judge.values("graph", best.member).mean() == best.alone
    again = learner.member("graph", best.params)
    for name, array in again.arrays().items():
        np.testing.assert_array_equal(best.member.arrays()[name], array)
    assert again.params() == best.member.params()


def test_numbers_that_only_serving_uses_learn_nothing(monkeypatch):
    """Even where what was learned last is not the best."""
    learned = []
    how = MEMBER_FITS["graph"]

    def learn(lesson, params):
        learned.append(params["reverse"])
        return how.learn(lesson, params)

    tried = {"reverse": (0.0, 1.0), "decay": how.tried["decay"]}
    monkeypatch.setitem(MEMBER_FITS, "graph", replace(how, learn=learn, tried=tried))
    learner, judge = judged(chain())
    best, trials = tune_member("graph", learner, judge, {}, nothing)
    assert best.params["reverse"] == 0
    assert learned == [0.0, 1.0]
    assert len(trials) == 1 + 1 + len(how.tried["decay"]) - 1


def test_values_alone_have_the_mean_that_the_judge_finds():
    learner, judge = judged(chain())
    member = learner.member("graph", MEMBER_FITS["graph"].start)
    values = judge.values("graph", member)
    one = np.ones((1, 1), np.float32)
    assert values.mean() == pytest.approx(judge({"graph": member}, one)[0])
    assert len(values) == len(judge.cases)


def test_fixed_numbers_are_not_tried():
    learner, judge = judged(chain())
    fixed = {"decay": 0.9, "window": 2}
    best, trials = tune_member("graph", learner, judge, fixed, nothing)
    assert fixed.items() <= best.params.items()
    assert {trial["decay"] for trial in trials} == {0.9}
    assert {trial["window"] for trial in trials} == {2}
