from dataclasses import replace

import numpy as np
import pytest

from domain.errors import ScientistError
from training.fit.budget import Budget, in_turns, peak_mb, planned, seconds_of
from training.fit.settings import RecommendSettings


class Ticking:
    """A clock that stands still until it is told."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("10m", 600), ("1.5h", 5400), ("45", 45), (" 3m ", 180)]
)
def test_budgets_are_read(text, seconds):
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "0", "-3m", "3 m", "1d", "ten", "0s"])
def test_what_is_no_budget_is_refused(text):
    with pytest.raises(ScientistError, match="like 90s"):
        seconds_of(text)


def test_what_is_left_runs_down_to_nothing():
    clock = Ticking()
    budget = Budget(60.0, clock)
    assert (budget.elapsed(), budget.left()) == (0, 60)
    clock.now += 45
    assert (budget.elapsed(), budget.left()) == (45, 15)
    clock.now += 45
    assert budget.left() == 0


def test_without_a_budget_all_is_afforded():
    budget = Budget()
    assert budget.left() == float("inf")
    assert budget.share(0.1).left() == float("inf")
    assert budget.affords(1e9, "everything")
    assert budget.given_up == []


def test_a_share_is_of_what_is_left_above_what_is_kept():
    clock = Ticking()
    budget = Budget(100.0, clock)
    clock.now += 20
    share = budget.share(0.5, keep=30)
    assert share.left() == 25
    clock.now += 10
    assert share.left() == 15
    assert budget.share(0.5, keep=500).left() == 0


def test_what_is_not_afforded_is_put_down_once():
    clock = Ticking()
    budget = Budget(100.0, clock)
    share = budget.share(0.5)
    assert share.affords(50, "a")
    assert not share.affords(51, "b")
    assert not budget.affords(80, "c", keep=30)
    assert not share.affords(70, "b")
    assert budget.given_up == ["b", "c"]


def test_less_time_plans_fewer_cases_and_says_so():
    settings = RecommendSettings()
    assert planned(settings, Budget()) is settings
    assert planned(settings, Budget(3600.0)) is settings
    found = []
    for seconds in (400.0, 180.0, 30.0, 1.0):
        budget = Budget(seconds)
        smaller = planned(settings, budget)
        found.append(smaller.tuning_scores)
        assert smaller == replace(settings, tuning_scores=found[-1])
        assert len(budget.given_up) == 1
        assert f"of {settings.tuning_scores:,}" in budget.given_up[0]
    assert found == sorted(found, reverse=True)
    assert found[-1] > 10_000


def test_a_budget_may_have_begun_already():
    clock = Ticking()
    budget = Budget(60.0, clock, since=70.0)
    assert (budget.elapsed(), budget.left()) == (30, 30)
    # A share begins when it is made.
    assert budget.share(0.5).elapsed() == 0


def test_what_steps_took_is_known_to_every_share():
    clock = Ticking()
    budget = Budget(60.0, clock)
    share = budget.share(0.5)
    with share.timed("a", size=10):
        clock.now += 5
    assert budget.expected("a", size=20) == pytest.approx(10)
    assert budget.expected("b", unknown=7) == 7


def parts(count, each, budget, clock, seconds):
    found = []
    for part in in_turns(count, each, budget, "cases"):
        clock.now += seconds
        found.append(list(part))
    return found


def test_turns_are_taken_while_there_is_time_for_another():
    clock = Ticking()
    whole = [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert parts(10, 4, Budget(None, clock), clock, 1e9) == whole
    assert parts(10, 4, Budget(30.0, clock), clock, 10) == whole
    assert parts(0, 4, Budget(30.0, clock), clock, 10) == []
    budget = Budget(29.0, clock)
    assert parts(10, 4, budget, clock, 10) == whole[:2]
    assert budget.given_up == ["cases: 8 of 10"]
    # However little there is, the first is taken.
    assert parts(10, 4, Budget(0.0, clock), clock, 10) == whole[:1]


def test_what_was_chosen_smaller_already_stays():
    settings = RecommendSettings(tuning_scores=1_000)
    budget = Budget(30.0)
    assert planned(settings, budget) == settings
    assert budget.given_up == []


def test_peak_memory_grows_with_what_is_held():
    before = peak_mb()
    held = np.ones(int(before * 1e6 / 8) + 10_000_000)
    assert peak_mb() > before + 50
    assert held[0] == 1
