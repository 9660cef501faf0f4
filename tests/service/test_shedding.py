"""So many at a time, the rest is turned away and counted; and how long anybody has waited."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.shedding import IDLE_S, Gate, Waits


def test_room_for_two() -> None:
    gate = Gate(2)
    assert [gate.enter(), gate.enter(), gate.enter()] == [True, True, False]
    gate.leave()
    assert gate.enter()
    assert not gate.enter()
    assert (gate.inside, gate.turned_away) == (2, 2)


@given(room=st.integers(1, 5), steps=st.lists(st.booleans(), max_size=40))
def test_never_more_inside_than_there_is_room(room: int, steps: list[bool]) -> None:
    gate, inside = Gate(room), 0
    for comes in steps:
        if comes:
            entered = gate.enter()
            assert entered == (inside < room)
            inside += entered
        elif inside:
            gate.leave()
            inside -= 1
        assert gate.inside == inside


class Loop:
    """A loop that looks when it is told to, and a clock that goes on as work is done."""

    def __init__(self) -> None:
        self.now = 100.0
        self.waits = Waits(lambda: self.now)
        self.later: list[Callable[[], None]] = []

    def look(self, found: int, idle: float = 0.0) -> None:
        self.now += idle
        for _ in range(found):
            self.waits.heard(self.later.append)
        for call in self.later:
            call()
        self.later.clear()

    def serve(self, seconds: float) -> float:
        waited = self.waits.begun()
        self.now += seconds
        self.waits.ended()
        return waited


def test_in_one_turn_each_waits_for_those_before() -> None:
    loop = Loop()
    loop.look(4)
    found = [loop.serve(0.002) for _ in range(4)]
    assert found == [pytest.approx(0.002 * place) for place in range(4)]


def test_what_comes_during_a_turn_waits_for_the_rest_of_it() -> None:
    loop = Loop()
    loop.look(5)
    for _ in range(5):
        loop.serve(0.002)
    loop.look(2)
    # They may have come just after the look before: all five were served since.
    assert loop.serve(0.002) == pytest.approx(0.010)
    assert loop.serve(0.002) == pytest.approx(0.012)


def test_what_comes_to_an_idle_loop_has_not_waited() -> None:
    loop = Loop()
    loop.look(1)
    loop.serve(0.020)
    loop.look(1, idle=2 * IDLE_S)
    assert loop.serve(0.001) == 0.0


def test_a_loop_that_waited_for_the_store_was_looking_all_the_time() -> None:
    loop = Loop()
    for _ in range(5):
        # Asked, six milliseconds at the store, answered, and asked again at once.
        loop.look(1)
        assert loop.waits.begun() == 0.0
        loop.waits.ended()
        loop.now += 0.006
        loop.waits.resumed()
        loop.now += 0.0001
        loop.waits.ended()
        loop.now += 0.0002
        loop.look(1)
        assert loop.waits.begun() < 0.001
        loop.now += 0.02


def test_what_was_done_meanwhile_is_waited_for() -> None:
    loop = Loop()
    loop.look(1)
    loop.waits.ended()
    for _ in range(6):
        loop.now += 0.002
        loop.waits.ended()
    loop.waits.resumed()
    loop.look(1)
    assert loop.waits.begun() == pytest.approx(0.012)


def test_where_nobody_says_what_was_heard_nobody_has_waited() -> None:
    loop = Loop()
    assert [loop.serve(1.0), loop.serve(1.0)] == [0.0, 0.0]
