"""The gate: so many at a time, the rest is turned away and counted."""

from hypothesis import given
from hypothesis import strategies as st

from service.shedding import Gate


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
