from dataclasses import replace

import numpy as np
import pytest

from tests.training.fit.test_blending import walkers
from tests.training.worlds import START, full_of_rows
from training.fit.budget import Budget
from training.fit.lessons import earlier_lessons
from training.fit.members import MEMBER_FITS, Learner, Lesson
from training.fit.relearning import LESSONS, Relearning
from training.splits import leave_one_out

NAMES = ["popularity", "graph", "factors"]
PARAMS = {name: dict(MEMBER_FITS[name].start) for name in NAMES}
PARAMS["factors"] |= {"factors": 8, "iterations": 3}


class World:
    """A log whose members take as long to learn as `seconds` says, times how slow all is."""

    def __init__(self, monkeypatch, budget, seconds):
        self.now, self.slow, self.learned = 0.0, 1.0, []
        self.full, _ = full_of_rows(walkers(60))
        self.split = leave_one_out(self.full, 2, 512, repeats=False)
        self.budget = Budget(budget, lambda: self.now)
        for name, took in seconds.items():
            how = MEMBER_FITS[name]

            def learn(lesson, params, name=name, took=took, how=how):
                self.now += took * self.slow
                self.learned.append((name, len(lesson.known.items)))
                return how.learn(lesson, params)

            monkeypatch.setitem(MEMBER_FITS, name, replace(how, learn=learn))
        self.again = Relearning(
            lambda known, as_of: Learner(Lesson(known, as_of, False, 0, 1)),
            self.budget, len(self.full.items), 0.0, lambda _: None,
        )  # fmt: skip

    def learn(self, known, again=0, what="everything"):
        return self.again.members(known, START, PARAMS, NAMES, (what, again))


COSTS = {"popularity": 1.0, "graph": 10.0, "factors": 30.0}


def test_without_a_budget_all_are_learned_each_time(monkeypatch):
    world = World(monkeypatch, None, COSTS)
    for known in (world.split.known, world.full):
        assert list(world.learn(known)) == NAMES
    assert [name for name, _ in world.learned] == NAMES * 2
    assert world.again.ending(2) == 0
    assert world.budget.given_up == []


def test_what_there_is_no_time_for_stays_as_it_was(monkeypatch):
    world = World(monkeypatch, 70.0, COSTS)
    first = world.learn(world.split.known)
    assert world.now == 41
    second = world.learn(world.full)
    assert list(second) == NAMES
    # 29 s are left: 1 and 10 fit in, 30 do not, however dear comes last in the list.
    assert second["factors"] is first["factors"]
    assert second["graph"] is not first["graph"]
    assert world.budget.given_up == ["factors: not learned again from everything"]
    assert world.now <= 70


def test_what_must_be_learned_once_more_is_kept_time_for(monkeypatch):
    world = World(monkeypatch, 90.0, COSTS)
    world.learn(world.split.known)
    before = world.now
    world.learn(world.full, again=1)
    # 49 s are left, and 30 would have to be spent twice.
    assert world.now - before == 11
    assert world.budget.given_up == ["factors: not learned again from everything"]


@pytest.mark.parametrize("slow", [1.0, 3.0, 6.0])
def test_a_slower_machine_learns_less_again(monkeypatch, slow):
    world = World(monkeypatch, 115.0, COSTS)
    world.learn(world.split.known)
    world.slow = slow
    world.learn(world.full)
    again = [name for name, events in world.learned if events == len(world.full.items)]
    assert again == {1.0: NAMES, 3.0: NAMES[:2], 6.0: NAMES[:1]}[slow]
    assert world.now <= 115


def test_the_first_time_nothing_is_left_out(monkeypatch):
    world = World(monkeypatch, 5.0, COSTS)
    assert list(world.learn(world.split.known)) == NAMES
    assert world.budget.left() == 0


def test_the_end_is_kept_time_for_at_the_pace_of_now(monkeypatch):
    world = World(monkeypatch, 4000.0, COSTS)
    world.again._after = 5.0
    world.learn(world.split.known)
    one = world.again.ending(1)
    assert one == pytest.approx(world.again.ending(0) + 41 * len(world.full.items)
                                / len(world.split.known.items))  # fmt: skip
    world.slow = 3.0
    world.learn(world.full)
    assert world.again.ending(1) - world.again.ending(0) == pytest.approx(3 * 41, rel=0.2)


def test_lessons_share_what_is_not_of_the_moment(monkeypatch):
    world = World(monkeypatch, None, COSTS)
    members = world.learn(world.split.known)
    world.learned.clear()
    before = earlier_lessons(world.full, world.split, 3, 512, False)
    taught = world.again.lessons(world.split, before, PARAMS, NAMES)
    assert len(taught) == 3
    assert [name for name, _ in world.learned].count("graph") == 1
    assert [name for name, _ in world.learned].count("popularity") == 3
    assert taught[0].members["graph"] is taught[2].members["graph"]
    assert all(list(one.members) == list(members) for one in taught)
    # From less than any of the lessons may know.
    least = min(len(one.split.known.items) for one in taught)
    assert dict(world.learned)["graph"] <= least
    for one, events in zip(taught, [n for name, n in world.learned if name == "popularity"],
                           strict=True):  # fmt: skip
        assert events == len(one.split.known.items)


def test_lessons_are_given_up_where_there_is_no_time(monkeypatch):
    world = World(monkeypatch, 100.0, COSTS)
    world.learn(world.split.known)
    before = earlier_lessons(world.full, world.split, 3, 512, False)
    assert world.again.lessons(world.split, before, PARAMS, NAMES) == []
    assert world.budget.given_up == [LESSONS]
    assert world.again.lessons(world.split, [], PARAMS, NAMES) == []
    assert np.isfinite(world.now)


def test_a_member_that_got_fewer_passes_than_was_judged_is_not_taken(monkeypatch):
    world = World(monkeypatch, 500.0, COSTS)
    timed = PARAMS | {"factors": PARAMS["factors"] | {"seconds": 30.0}}
    how, passes = MEMBER_FITS["factors"], iter([40.0, 12.0, 0.75, 10.0])

    class Passed:
        def __init__(self):
            self.epochs = next(passes)

    monkeypatch.setitem(MEMBER_FITS, "factors", replace(how, learn=lambda *_: Passed()))
    monkeypatch.setattr("training.fit.members.varied", lambda name, member, params: member)

    def learned(what, anew=False):
        found = world.again.members(world.full, START, timed, NAMES, (what, 0), anew=anew)
        return found["factors"]

    # Of a sample many passes were had; weights are found beside what all events taught.
    assert learned("a sample").epochs == 40.0
    first, second, third = (
        learned("all events", anew=True),
        learned("the rest"),
        learned("everything"),
    )
    assert first.epochs == 12.0
    assert second is first
    assert third.epochs == 10.0
    assert world.budget.given_up == [
        "factors: cut short when learned again from the rest, stays as it was"
    ]
