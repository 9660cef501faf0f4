from functools import partial

import numpy as np

from domain.clock import DAY_MS
from domain.events import KINDS
from domain.ids import hash64
from tests.training.worlds import START, chain, full_of_rows
from training.fit.members import Learner, Lesson
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
    params, best, trials = tune_member("graph", learner, judge, {"row_power": 0.0}, nothing)
    assert best > 0.95
    assert best == max(trial["ndcg_at_10"] for trial in trials)
    flat = {**params, "decay": 1.0, "window": 10, "reverse": 1.0}
    one = np.ones((1, 1), np.float32)
    assert judge({"graph": learner.member("graph", flat)}, one)[0] < best


def test_fixed_numbers_are_not_tried():
    learner, judge = judged(chain())
    fixed = {"decay": 0.9, "window": 2}
    params, _, trials = tune_member("graph", learner, judge, fixed, nothing)
    assert fixed.items() <= params.items()
    assert {trial["decay"] for trial in trials} == {0.9}
    assert {trial["window"] for trial in trials} == {2}
