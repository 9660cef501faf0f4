"""Deadlines: the least of what the server and the caller allow, on a clock that is told."""

import pytest

from service.deadlines import LEAST_MS, Deadline


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def deadline(clock: Clock, limit: float | None) -> Deadline:
    return Deadline(clock.now, limit, cap_ms=20, margin_ms=10, clock=clock)


@pytest.mark.parametrize(
    ("limit", "left"), [(None, 20), (1_000, 20), (25, 15), (15, 5), (10, 0), (0, -10), (-2, -12)]
)
def test_the_least_counts(limit: float | None, left: float) -> None:
    clock = Clock()
    assert deadline(clock, limit).left_ms() == pytest.approx(left, abs=1e-6)


def test_it_is_late_with_less_than_the_least_left() -> None:
    clock = Clock()
    one = deadline(clock, None)
    assert one.in_time()
    clock.now += (20 - LEAST_MS) / 1_000 - 1e-6
    assert one.in_time()
    clock.now += 2e-6
    assert not one.in_time()
    assert one.left_ms() == pytest.approx(LEAST_MS, abs=0.01)


def test_too_little_time_is_late_from_the_start() -> None:
    assert not deadline(Clock(), 14.9).in_time()
    assert deadline(Clock(), 15.1).in_time()


def test_what_was_begun_earlier_has_less() -> None:
    clock = Clock()
    one = Deadline(clock.now - 0.018, None, cap_ms=20, margin_ms=10, clock=clock)
    assert one.left_ms() == pytest.approx(2, abs=1e-6)
    assert not one.in_time()
