import time

from domain.clock import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, FixedClock, system_clock


def test_the_system_clock_tells_milliseconds() -> None:
    before = time.time_ns() // 1_000_000
    now = system_clock()
    assert before <= now <= time.time_ns() // 1_000_000
    assert isinstance(now, int)


def test_a_fixed_clock_moves_when_told() -> None:
    clock = FixedClock(1_000)
    assert (clock(), clock()) == (1_000, 1_000)
    clock.advance(DAY_MS)
    assert clock() == 1_000 + 86_400_000


def test_units() -> None:
    assert (SECOND_MS, MINUTE_MS, HOUR_MS) == (1_000, 60_000, 3_600_000)
