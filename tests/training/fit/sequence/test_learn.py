"""Learning: a grammar in seconds, what was held back, the clock, the seed."""

import numpy as np
import pytest

from tests.training.fit.sequence.grammar import SMALL, log_of, successors
from training.fit.sequence.learn import Course, fallen, learn


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


def told(monkeypatch: pytest.MonkeyPatch, gains):
    """Let what was held back say `gains`, pass by pass; answer the vectors it was asked about."""
    coming, seen = iter(gains), []

    def score(self, learner):
        seen.append(learner.vectors())
        return np.array(next(coming), float)

    monkeypatch.setattr(Course, "score", score)
    return seen


GOOD, SAME, BAD = [1, 0, 1, 0.5, 1], [0.5, 0.5, 1, 0, 1], [0, 0, 0.5, 0, 0]


def test_it_stops_when_it_gets_worse_and_keeps_the_best(monkeypatch: pytest.MonkeyPatch):
    seen = told(monkeypatch, [BAD, GOOD, BAD, BAD])
    learned = learn(successors()[0], {**SMALL, "epochs": 9, "patience": 2})
    assert learned.scores == (0.1, 0.7, 0.1, 0.1)
    np.testing.assert_array_equal(learned.learner.vectors(), seen[1])
    assert np.abs(seen[3] - seen[1]).max() > 1e-3


def test_it_goes_on_where_the_difference_may_be_luck(monkeypatch: pytest.MonkeyPatch):
    seen = told(monkeypatch, [GOOD, SAME, BAD, SAME, SAME])
    learned = learn(successors()[0], {**SMALL, "epochs": 5, "patience": 2})
    assert learned.epochs == 5
    np.testing.assert_array_equal(learned.learner.vectors(), seen[4])


def test_a_last_pass_that_is_worse_is_not_kept(monkeypatch: pytest.MonkeyPatch):
    seen = told(monkeypatch, [GOOD, BAD])
    learned = learn(successors()[0], {**SMALL, "epochs": 2, "patience": 2})
    np.testing.assert_array_equal(learned.learner.vectors(), seen[0])


def test_worse_is_worse_by_more_than_the_error():
    rng = np.random.default_rng(0)
    best = rng.random(400)
    assert fallen(best, best - 0.1)
    assert not fallen(best, best)
    assert not fallen(best, best + 0.1)
    assert not fallen(best, best + rng.normal(0, 1, 400) + 0.03)
    assert not fallen(np.zeros(0), best)


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
