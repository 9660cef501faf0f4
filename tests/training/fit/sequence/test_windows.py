"""Windows: every event is asked for once, nothing of its own future is given."""

import numpy as np
import pytest

from domain.clock import DAY_MS
from domain.events import Kind
from models.recommend.attention import time_class
from tests.training.fit.sequence.grammar import HOUR_MS, log_of
from training.fit.sequence.windows import (
    Cutter,
    batches,
    held_back,
    met_in,
    times_speak,
    windows_of,
)


def random_log(users=40, n=50, seed=0):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 30, users)
    histories = [rng.integers(0, n, length).tolist() for length in lengths]
    steps = [rng.choice([0, HOUR_MS, DAY_MS], length - 1).tolist() for length in lengths]
    return log_of(histories, n, steps)


def nothing_held(log):
    return np.zeros(len(log.items), bool)


@pytest.mark.parametrize("length", [1, 4, 100])
def test_every_event_but_the_first_is_asked_for_once(length):
    log = random_log()
    windows = windows_of(log, length)
    assert windows.lengths.min() >= 1
    assert windows.lengths.max() <= length
    asked = np.concatenate(
        [np.arange(s + 1, s + c + 1) for s, c in zip(windows.starts, windows.lengths, strict=True)]
    )
    wanted = np.setdiff1d(np.arange(len(log.items)), log.offsets[:-1])
    assert sorted(asked) == wanted.tolist()
    same = log.users[windows.starts] == log.users[windows.starts + windows.lengths]
    assert same.all()


def test_the_latest_events_are_in_a_full_window():
    windows = windows_of(log_of([range(8)], 8), 5)
    assert sorted(zip(windows.starts.tolist(), windows.lengths.tolist(), strict=True)) == [
        (0, 2),
        (2, 5),
    ]


def test_a_log_without_a_second_event_has_no_windows():
    assert len(windows_of(log_of([[1], [2]], 3), 5).starts) == 0


def test_batches_hold_each_window_once_and_little_padding():
    windows = windows_of(random_log(), 10)
    found = batches(windows, 60, np.random.default_rng(0))
    assert sorted(np.concatenate(found)) == list(range(len(windows.starts)))
    for chosen in found:
        lengths = windows.lengths[chosen]
        assert lengths.max() * len(lengths) <= 60
    padded = sum(windows.lengths[one].max() * len(one) for one in found)
    assert padded < 1.3 * windows.lengths.sum()


def test_a_window_longer_than_a_batch_is_a_batch():
    windows = windows_of(log_of([range(20), range(3)], 20), 100)
    found = batches(windows, 8, np.random.default_rng(0))
    assert sorted(len(one) for one in found) == [1, 1]


def test_a_batch_gives_what_was_and_asks_for_what_came():
    kinds = [Kind.click, Kind.purchase, Kind.click, Kind.click, Kind.purchase]
    log = log_of([[4, 5, 6], [7, 8]], 9, [[HOUR_MS, 2 * DAY_MS], [DAY_MS]], kinds)
    batch = Cutter(log, 24, nothing_held(log)).cut(windows_of(log, 5), np.array([0, 1]))
    assert batch.real.tolist() == [[True, True], [True, False]]
    assert batch.items[batch.real].tolist() == [4, 5, 7]
    assert batch.kinds[batch.real].tolist() == [Kind.click, Kind.purchase, Kind.click]
    assert batch.targets.tolist() == [5, 6, 8]
    hour, day, days = (time_class(one, 24) for one in (1 / 24, 1.0, 2.0))
    assert batch.gaps[batch.real].tolist() == [hour, days, day]
    assert batch.ages is not None
    assert batch.ages[0, 0, 0] == hour
    assert batch.ages[0, 1].tolist() == [time_class(2 + 1 / 24, 24), days]


def test_times_all_alike_are_not_given():
    log = log_of([range(4), range(3)], 4)
    assert not times_speak(log)
    assert Cutter(log, 24, nothing_held(log)).cut(windows_of(log, 5), np.array([0])).ages is None
    assert times_speak(random_log())


def test_what_is_held_back_is_the_latest_of_some():
    log = random_log(users=300)
    held = held_back(log, 0.05, 10_000, np.random.default_rng(1))
    assert 0.02 * len(held) < held.sum() <= 0.05 * len(held)
    for user in range(300):
        mine = held[log.offsets[user] : log.offsets[user + 1]]
        if mine.any():
            count = int(mine.sum())
            assert mine[-count:].all()
            assert count == max(1, len(mine) // 10)
            assert len(mine) - count >= 2
    assert held_back(log, 0.05, 7, np.random.default_rng(1)).sum() <= 7


def test_what_is_held_back_is_asked_for_apart():
    log = log_of([range(6)], 6)
    held = np.array([0, 0, 0, 0, 1, 1], bool)
    cutter, windows = Cutter(log, 24, held), windows_of(log, 10)
    assert cutter.cut(windows, np.array([0])).targets.tolist() == [1, 2, 3]
    assert cutter.cut(windows, np.array([0]), held=True).targets.tolist() == [4, 5]


def test_only_what_happened_at_once_changes_places():
    log = log_of([range(6)], 6, [[HOUR_MS, 0, 0, HOUR_MS, 0]])
    held = np.array([0, 0, 0, 0, 0, 1], bool)
    cutter, windows = Cutter(log, 24, held), windows_of(log, 10)
    rng, orders = np.random.default_rng(0), set()
    for _ in range(60):
        cutter.shuffle(rng)
        batch = cutter.cut(windows, np.array([0]))
        order = [*batch.items[0].tolist(), 5]
        assert order[0] == 0
        assert set(order[1:4]) == {1, 2, 3}
        assert order[4] == 4
        assert batch.targets.tolist() == order[1:5]
        orders.add(tuple(order))
    assert len(orders) == 6


def test_what_was_met_is_told_by_class():
    log = log_of([[0, 1, 2], [1, 2]], 3, [[HOUR_MS, DAY_MS], [DAY_MS]])
    met = met_in(log, 24)
    hour, day = time_class(1 / 24, 24), time_class(1.0, 24)
    assert np.flatnonzero(met.gaps).tolist() == [hour, day]
    assert np.flatnonzero(met.ages).tolist() == list(range(hour, day + 1))
    assert met.kinds[Kind.purchase] == 5
    assert not met_in(log_of([range(3)], 3), 24).ages.any()


def test_users_without_events_have_no_windows():
    log = random_log()
    more = log._replace(offsets=log.offsets[[0, 0, *range(1, len(log.offsets)), -1, -1]])
    np.testing.assert_array_equal(windows_of(log, 7).starts, windows_of(more, 7).starts)
    np.testing.assert_array_equal(met_in(log, 24).ages, met_in(more, 24).ages)
    assert held_back(more, 0.05, 99, np.random.default_rng(0)).any()
