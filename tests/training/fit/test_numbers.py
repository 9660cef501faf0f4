from dataclasses import replace

import numpy as np
import pytest

from tests.training.fit.test_tuning import judged, nothing
from tests.training.worlds import chain
from training.fit import numbers
from training.fit.budget import Budget
from training.fit.members import MEMBER_FITS
from training.fit.numbers import GUESSES, WORTH, by_worth, still_holds, tune_numbers, values_of
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


def test_values_alone_have_the_mean_that_the_judge_finds():
    learner, judge = judged(chain())
    member = learner.member("graph", MEMBER_FITS["graph"].start)
    values = values_of(member, "graph", judge)
    one = np.ones((1, 1), np.float32)
    assert values.mean() == pytest.approx(judge({"graph": member}, one)[0])
    assert len(values) == len(judge.cases)


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
    monkeypatch.setitem(numbers.GUESSES, "factors", lambda items, events: 50.0)
    how = MEMBER_FITS["factors"]

    def learn(lesson, params):
        asked.append(params)
        return how.learn(lesson, params)

    monkeypatch.setitem(MEMBER_FITS, "factors", replace(how, learn=learn))
    budget = Budget(100.0)
    found = tuned(budget=budget)
    assert list(found.params) == ["popularity", "graph"]
    assert asked == []
    assert budget.given_up == ["factors: learning takes about 50 s"]
    assert "factors" in tuned(budget=Budget(1000.0)).params


def test_what_took_too_long_is_not_learned_again(monkeypatch, dispensable):
    clock = Stepping(0.0)
    how = MEMBER_FITS["graph"]

    def slow(lesson, params):
        clock.now += 30
        return how.learn(lesson, params)

    monkeypatch.setitem(MEMBER_FITS, "graph", replace(how, learn=slow))
    budget = Budget(100.0, clock)
    found = tuned(budget=budget)
    assert "graph" not in found.params
    assert {"popularity", "factors"} <= found.params.keys()
    assert budget.given_up[0].startswith("graph: learning took 3")


def test_the_essential_are_learned_however_little_time_there_is(monkeypatch):
    assert numbers.ESSENTIAL.issubset(WORTH)
    budget = Budget(3.0, Stepping())
    found = tuned(budget=budget)
    assert list(found.params) == ["popularity", "graph", "factors"]
    assert budget.left() == 0
    # Each was judged once, and nothing was tried.
    assert len(found.trials) == 3


def test_a_member_that_keeps_to_a_time_gets_a_share_of_the_budget(monkeypatch, dispensable):
    asked = []
    how = MEMBER_FITS["factors"]

    def learn(lesson, params):
        asked.append(params["seconds"])
        return how.learn(lesson, params)

    timed = replace(how, learn=learn, start={**how.start, "seconds": 150.0})
    monkeypatch.setitem(MEMBER_FITS, "factors", timed)
    for seconds, wanted in ((None, 150.0), (3000.0, 150.0), (600.0, 60.0), (100.0, 10.0)):
        asked.clear()
        assert tuned(budget=Budget(seconds)).params["factors"]["seconds"] == wanted
        assert set(asked) == {wanted}
    budget = Budget(50.0)
    assert "factors" not in tuned(budget=budget).params
    assert budget.given_up == ["factors: 5 s are too few to learn it"]


def test_what_dearer_members_need_is_kept_from_those_before_them(monkeypatch, dispensable):
    def trials(guess):
        monkeypatch.setitem(numbers.GUESSES, "factors", lambda items, events: guess)
        found = tuned(budget=Budget(200.0, Stepping()))
        return len([t for t in found.trials if t["member"] == "graph"])

    assert trials(25.0) < trials(0.0)


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
