from dataclasses import replace

import numpy as np
import pytest

from tests.training.fit.test_tuning import judged, nothing
from tests.training.worlds import chain
from training.fit import numbers
from training.fit.budget import Budget
from training.fit.members import MEMBER_FITS
from training.fit.numbers import GUESSES, WORTH, by_worth, still_holds, tune_numbers
from training.fit.settings import RecommendSettings

SETTINGS = RecommendSettings(
    fixed={
        "factors": {"factors": 8, "iterations": 3, "confidence": 10.0, "decay": 0.9},
        "graph": {"reverse": 0.0, "column_power": 0.0, "window": 10, "half_life_days": None},
    }
)
NAMES = ["popularity", "graph", "factors"]


class Stepping:
    """A clock that a second passes on, whenever it is looked at."""

    def __init__(self, seconds: float = 1.0):
        self.now, self.seconds = 0.0, seconds

    def __call__(self):
        self.now += self.seconds
        return self.now


def tuned(settings=SETTINGS, budget=None, names=NAMES):
    learner, judge = judged(chain())
    return tune_numbers(names, learner, judge, settings, budget or Budget(), nothing)


def test_every_member_is_worth_something():
    assert set(MEMBER_FITS) <= set(WORTH)
    assert set(GUESSES) <= set(WORTH)
    assert by_worth(["ease", "unheard", "graph", "popularity"]) == [
        "popularity", "graph", "ease", "unheard",
    ]  # fmt: skip


def test_without_a_budget_every_number_is_tried():
    found = tuned()
    assert list(found.params) == ["popularity", "graph", "factors"]
    tried = {name: [t for t in found.trials if t["member"] == name] for name in NAMES}
    decays = MEMBER_FITS["graph"].tried["decay"]
    assert {t["decay"] for t in tried["graph"]} == set(decays)
    for name in NAMES:
        assert found.alone[name] == max(t["ndcg_at_10"] for t in tried[name])
    assert found.carried == []


def test_the_members_that_were_judged_are_handed_on():
    found = tuned()
    _, judge = judged(chain())
    for name, member in found.members.items():
        assert judge.values(name, member).mean() == found.alone[name]


def test_with_little_time_fewer_numbers_are_tried_and_it_is_said():
    whole = tuned(budget=Budget(1e6, Stepping()))
    assert whole.trials == tuned().trials
    budget = Budget(60.0, Stepping())
    found = tuned(budget=budget)
    assert 0 < len(found.trials) < len(whole.trials)
    assert budget.given_up
    for name in found.params:
        # What is kept is the best of what was tried.
        mine = [t["ndcg_at_10"] for t in found.trials if t["member"] == name]
        assert found.alone[name] == max(mine)


@pytest.fixture
def dispensable(monkeypatch):
    """Nobody is always learned."""
    monkeypatch.setattr(numbers, "ESSENTIAL", frozenset())


def test_what_is_too_dear_is_left_out_before_it_is_learned(monkeypatch, dispensable):
    asked = []
    monkeypatch.setitem(numbers.GUESSES, "factors", lambda items, events: 70.0)
    how = MEMBER_FITS["factors"]

    def learn(lesson, params):
        asked.append(params)
        return how.learn(lesson, params)

    monkeypatch.setitem(MEMBER_FITS, "factors", replace(how, learn=learn))
    budget = Budget(100.0)
    found = tuned(budget=budget)
    assert list(found.params) == ["popularity", "graph"]
    assert asked == []
    assert budget.given_up == ["factors: no time to learn it, about 70 s"]
    assert "factors" in tuned(budget=Budget(1000.0)).params


def test_guesses_are_as_far_out_as_those_before(monkeypatch, dispensable):
    """What was guessed at 1 s took 5 times that: 10 s guessed are 50, and too many."""
    clock = Stepping(0.0)
    monkeypatch.setattr(numbers, "GUESSES", {"graph": lambda *_: 1.0, "factors": lambda *_: 10.0})
    how = MEMBER_FITS["graph"]

    def slow(lesson, params):
        clock.now += 5
        return how.learn(lesson, params)

    assert "factors" in tuned(budget=Budget(60.0, clock)).params
    monkeypatch.setitem(MEMBER_FITS, "graph", replace(how, learn=slow))
    budget = Budget(60.0, clock)
    assert "factors" not in tuned(budget=budget).params
    assert budget.given_up[0] == "factors: no time to learn it, about 50 s"


def test_all_are_learned_before_any_is_tuned(monkeypatch):
    steps = []
    learner, judge = judged(chain())
    tune_numbers(NAMES, learner, judge, SETTINGS, Budget(), steps.append)
    firsts = [place for place, step in enumerate(steps) if step.endswith("first")]
    assert firsts == [0, 1, 2]


def test_a_machine_that_slows_down_cuts_trials(monkeypatch):
    clock, how = Stepping(0.0), MEMBER_FITS["graph"]
    settings = replace(SETTINGS, fixed={"factors": SETTINGS.fixed["factors"]})

    def trials(slower):
        clock.now = 0.0

        def learn(lesson, params):
            clock.now += 3.0 if clock.now < 9 else slower
            return how.learn(lesson, params)

        monkeypatch.setitem(MEMBER_FITS, "graph", replace(how, learn=learn))
        found = tuned(settings, Budget(60.0, clock))
        assert clock.now <= (1 - numbers.REST) * 60 + slower
        return len([t for t in found.trials if t["member"] == "graph"])

    assert 3 < trials(9.0) < trials(3.0) < len(tuned(settings).trials)


def test_the_essential_are_learned_however_little_time_there_is(monkeypatch):
    assert numbers.ESSENTIAL.issubset(WORTH)
    budget = Budget(3.0, Stepping())
    found = tuned(budget=budget)
    assert list(found.params) == ["popularity", "graph"]
    assert budget.left() == 0
    # Each was judged once, and nothing was tried.
    assert len(found.trials) == 2


def test_a_member_that_keeps_to_a_time_gets_a_share_of_the_budget(monkeypatch, dispensable):
    asked = []
    how = MEMBER_FITS["factors"]

    def learn(lesson, params):
        asked.append(params["seconds"])
        return how.learn(lesson, params)

    timed = replace(how, learn=learn, start={**how.start, "seconds": 150.0})
    monkeypatch.setitem(MEMBER_FITS, "factors", timed)
    for seconds, wanted in ((None, 150.0), (3000.0, 150.0), (200.0, 70.0), (40.0, 14.0)):
        asked.clear()
        found = tuned(budget=Budget(seconds, Stepping(0.0))).params["factors"]["seconds"]
        assert found == pytest.approx(wanted)
        assert set(asked) == {found}
    budget = Budget(20.0, Stepping(0.0))
    assert "factors" not in tuned(budget=budget).params
    assert budget.given_up == ["factors: 7 s are too few to learn it"]
    # Where others took most of the time it gets what is left, and not all of that.
    budget = Budget(100.0, Stepping(0.0), since=-50.0)
    found = tuned(budget=budget).params["factors"]["seconds"]
    assert found == pytest.approx(0.8 * (50 - numbers.REST * 100))


def test_numbers_that_still_hold_are_carried_on_without_a_trial():
    first = tuned()
    last = {"params": first.params, "alone": first.alone}
    again = tuned(replace(SETTINGS, last=last))
    assert again.params == first.params
    assert again.trials == []
    assert sorted(again.carried) == sorted(NAMES)
    assert again.alone == pytest.approx(first.alone)


def test_numbers_that_hold_no_more_are_tuned_from_where_they_were():
    first = tuned()
    # Of a time when the graph did much better than it does with these numbers now.
    stale = {**first.params["graph"], "decay": 1.0}
    last = {"params": {"graph": stale}, "alone": {"graph": 1.5}}
    again = tuned(replace(SETTINGS, last=last))
    assert again.carried == []
    trials = [t for t in again.trials if t["member"] == "graph"]
    assert trials[0]["decay"] == 1.0
    assert {t["decay"] for t in trials} == set(MEMBER_FITS["graph"].tried["decay"])


def test_doing_worse_within_noise_still_holds():
    rng = np.random.default_rng(0)
    values = (rng.random(400) < 0.5).astype(float)
    noise = np.sqrt(2 / 400) * 0.5
    assert still_holds(values, values.mean() + 1.8 * noise)
    assert not still_holds(values, values.mean() + 2.2 * noise)
    assert still_holds(values, 0.0)
    assert not still_holds(values[:1], 0.0)
