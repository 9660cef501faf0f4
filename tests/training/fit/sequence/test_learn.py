"""Learning: a grammar in seconds, what was held back, the clock, the seed."""

import numpy as np
import pytest

from tests.training.fit.sequence.grammar import SMALL, log_of, successors
from training.fit.sequence.learn import Course, learn


class Watch:
    """A clock that goes on by `step` seconds whenever it is read."""

    def __init__(self, step: float) -> None:
        self.step, self.now = step, 0.0

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def test_a_grammar_is_learned():
    log, _ = successors()
    learned = learn(log, SMALL)
    assert max(learned.scores) > 0.95
    assert learned.planned == SMALL["epochs"]


def test_drawn_rivals_teach_the_grammar_too():
    log, _ = successors()
    learned = learn(log, {**SMALL, "all_below": 0, "negatives": 10})
    assert max(learned.scores) > 0.95


def test_it_stops_when_nothing_is_gained():
    log, _ = successors()
    learned = learn(log, {**SMALL, "epochs": 30, "patience": 2})
    assert learned.epochs < 30
    last = len(learned.scores) - 1
    assert last - learned.scores.index(max(learned.scores)) == 2


def test_the_best_pass_is_kept(monkeypatch: pytest.MonkeyPatch):
    told, seen = iter([0.1, 0.5, 0.3, 0.4]), []

    def score(self, learner):
        seen.append(learner.vectors())
        return next(told)

    monkeypatch.setattr(Course, "score", score)
    learned = learn(successors()[0], {**SMALL, "epochs": 9, "patience": 2})
    assert learned.scores == (0.1, 0.5, 0.3, 0.4)
    np.testing.assert_array_equal(learned.learner.vectors(), seen[1])
    assert np.abs(seen[3] - seen[1]).max() > 1e-3


def test_a_budget_is_kept_by_fewer_passes():
    log, _ = successors()
    watch = Watch(1.0)
    learned = learn(log, {**SMALL, "seconds": 4.0, "patience": 50}, clock=watch)
    # The clock is read at the start, when learning begins, and once in twenty steps.
    assert 0 < learned.epochs < SMALL["epochs"]
    assert watch.now <= 6
    assert learn(log, {**SMALL, "seconds": 0.0}, clock=Watch(1.0)).epochs < learned.epochs


def test_a_budget_that_does_not_bind_changes_nothing():
    log, _ = successors()
    few = {**SMALL, "epochs": 2}
    free, bound = learn(log, {**few, "seconds": None}), learn(log, {**few, "seconds": 900.0})
    np.testing.assert_array_equal(free.learner.vectors(), bound.learner.vectors())


def test_the_same_seed_learns_the_same():
    log, _ = successors()
    few = {**SMALL, "epochs": 2}
    first, again = (learn(log, few, seed=3).learner.vectors() for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - learn(log, few, seed=4).learner.vectors()).max() > 1e-3


def test_users_without_events_are_no_trouble():
    log, _ = successors()
    few = {**SMALL, "epochs": 1}
    ends = log.offsets[[0, 0, *range(1, len(log.offsets)), -1, -1]]
    first, again = (learn(one, few).learner.vectors() for one in (log, log._replace(offsets=ends)))
    assert first.shape == again.shape
    assert np.isfinite(again).all()


@pytest.mark.parametrize("histories", [[[1]], [[1], [2]], [[1, 2]], [[1, 1, 1]]])
def test_next_to_nothing_is_no_trouble(histories):
    learned = learn(log_of(histories, 4), SMALL)
    assert np.isfinite(learned.learner.vectors()).all()
