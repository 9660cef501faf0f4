"""What waits is looked up when its time has come, in order, and never without bound."""

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from domain.clock import FixedClock
from service.waiting import MOST_AT_ONCE, Lines

NOW = 1_760_000_000_000


class One(NamedTuple):
    name: int
    came: int = NOW
    tries: int = 0

    def once_more(self) -> "One":
        return self._replace(tries=self.tries + 1)


def lines(clock: FixedClock, most: int = 20_000) -> tuple[Lines[One], list[int]]:
    lost = list[int]()
    return Lines(clock, (0, 3_000, 20_000), lambda: lost.append(1), most), lost


def test_each_look_comes_in_its_time_and_there_is_a_last_one() -> None:
    clock = FixedClock(NOW)
    held, _ = lines(clock)
    held.put(One(1))
    for wait in (3_000, 20_000):
        (one,) = held.due()
        assert held.again(one)
        clock.now_ms = NOW + wait - 1
        assert (held.due(), len(held)) == ([], 1)
        clock.now_ms += 1
    (one,) = held.due()
    assert one == One(1, NOW, 2)
    assert not held.again(one)
    assert (held.due(), len(held)) == ([], 0)


def test_the_oldest_of_too_many_are_let_go_and_told() -> None:
    held, lost = lines(FixedClock(NOW), most=3)
    for name in range(5):
        held.put(One(name))
    assert len(lost) == 2
    assert [one.name for one in held.due()] == [2, 3, 4]


def test_so_many_at_once_and_then_the_others() -> None:
    held, _ = lines(FixedClock(NOW))
    for name in range(MOST_AT_ONCE + 5):
        held.put(One(name))
    assert [len(held.due()) for _ in range(3)] == [MOST_AT_ONCE, 5, 0]


@given(st.lists(st.integers(0, 2), max_size=30), st.integers(0, 30))
def test_what_is_put_back_is_taken_again_in_the_same_order(tries: list[int], settled: int) -> None:
    held, lost = lines(FixedClock(NOW + 30_000))
    for name, tried in enumerate(tries):
        held.put(One(name, NOW, tried))
    due = held.due()
    assert sorted(due) == [One(name, NOW, tried) for name, tried in enumerate(tries)]
    held.back(due[settled:])
    assert held.due() == due[settled:]
    assert not lost


def test_all_may_be_let_go() -> None:
    held, lost = lines(FixedClock(NOW))
    held.put(One(1))
    held.put(One(2, tries=1))
    held.clear()
    assert (len(held), lost) == (0, [])
