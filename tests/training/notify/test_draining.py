"""Delivering to a real target: verified there, retried, given up in the end, nothing lost."""

import json
import random
from collections import Counter
from pathlib import Path

import pytest

from domain.clock import DAY_MS, FixedClock
from tests.training.notify.receiving import SECRET, Receiver
from training.notify.draining import (
    LONGEST_PAUSE_MS,
    MOST_ATTEMPTS,
    Drain,
    Drained,
    pause_ms,
)
from training.notify.outbox import Delivery, Outbox
from training.notify.posting import Result, post
from training.notify.signature import verify

T0 = 1_760_000_000_000


class World:
    """An outbox of n deliveries, a clock that sleeping moves, and a drain over them."""

    def __init__(self, folder: Path, receiver: Receiver, n: int, seed: int = 0) -> None:
        self.clock = FixedClock(T0)
        self.slept: list[float] = []
        self.outbox = Outbox(folder)
        rows = [Delivery(f"d{k:02d}", T0, json.dumps({"n": k}).encode()) for k in range(n)]
        self.outbox.take("s", rows, [], T0)
        self.drain = Drain(
            self.outbox, receiver.target, self.clock, self.sleep, random.Random(seed), self.post
        )

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.advance(max(round(seconds * 1000), 1))

    def post(self, target, headers, body) -> Result:
        return post(target, headers, body, deadline_s=0.2)

    def waiting(self) -> int:
        return self.outbox.standing(self.clock()).waiting


@pytest.fixture
def world(tmp_path: Path, receiver: Receiver):
    made: list[World] = []

    def make(n: int = 3) -> World:
        made.append(World(tmp_path / f"box{len(made)}", receiver, n))
        return made[-1]

    yield make
    for one in made:
        with one.outbox:
            pass


def test_everything_arrives_signed_and_once(world, receiver: Receiver) -> None:
    one = world()
    assert one.drain.once() == Drained(delivered=3)
    assert one.waiting() == 0
    for k, arrived in enumerate(receiver.arrived):
        assert json.loads(arrived.body) == {"n": k}
        assert arrived.headers["sanderling-delivery"] == f"d{k:02d}"
        assert arrived.headers["content-type"] == "application/json"
        assert verify(SECRET.encode(), arrived.headers, arrived.body, T0 / 1000)
    assert one.drain.once() == Drained()


def test_a_day_of_500_loses_nothing(world, receiver: Receiver) -> None:
    one = world(7)
    receiver.manner = lambda arrived: 500 if one.clock() < T0 + DAY_MS else 200
    rounds: list[Drained] = []
    assert one.drain.keep_on(2 * 86_400, rounds.append)
    assert one.waiting() == 0
    bodies = [json.loads(arrived.body)["n"] for arrived in receiver.arrived]
    assert set(bodies) == set(range(7))
    assert sum(done.delivered for done in rounds) == 7
    assert sum(done.buried for done in rounds) == 0
    assert one.clock() < T0 + DAY_MS + 2 * LONGEST_PAUSE_MS
    # A target that is down is not hammered: three attempts a round, in the end an hour apart.
    assert len(bodies) < 200


@pytest.mark.parametrize("manner", ["hang", "redirect", "close", 503])
def test_a_target_that_is_down_costs_three_attempts_a_round(
    world, receiver: Receiver, manner
) -> None:
    one = world(50)
    receiver.manner = manner
    done = one.drain.once()
    assert sum(done.failures.values()) == 3
    assert one.waiting() == 50
    receiver.manner = 200
    assert one.drain.once().delivered == 47
    one.clock.advance(20_000)
    assert one.drain.once().delivered == 3
    assert one.waiting() == 0


def test_a_body_that_cannot_be_digested_holds_no_other_up(world, receiver: Receiver) -> None:
    one = world(6)
    receiver.manner = lambda arrived: 500 if json.loads(arrived.body)["n"] in (0, 3) else 200
    done = one.drain.once()
    assert (done.delivered, done.failures) == (4, Counter(status_500=2))
    assert one.waiting() == 2


def test_what_the_target_refuses_for_good_is_buried_at_once(world, receiver: Receiver) -> None:
    one = world(2)
    receiver.manner = lambda arrived: 422 if json.loads(arrived.body)["n"] == 0 else 200
    done = one.drain.once()
    assert (done.delivered, done.buried) == (1, 1)
    (letter,) = one.outbox.dead()
    assert (letter.id, letter.attempts, letter.last) == ("d00", 1, "status_422")
    assert json.loads(letter.body) == {"n": 0}


def test_in_the_end_it_is_given_up_but_kept(world, receiver: Receiver) -> None:
    one = world(1)
    one.drain.post = lambda target, headers, body: Result("timeout")
    rounds: list[Drained] = []
    one.drain.keep_on(30 * 86_400, rounds.append)
    assert sum(done.failures["timeout"] for done in rounds) == MOST_ATTEMPTS
    assert one.waiting() == 0
    assert [letter.id for letter in one.outbox.dead()] == ["d00"]
    assert 2 * DAY_MS < one.clock() - T0 < 5 * DAY_MS
    assert one.outbox.revive() == 1
    one.drain.post = one.post
    assert one.drain.once().delivered == 1


def test_it_goes_away_when_its_time_is_up(world, receiver: Receiver) -> None:
    one = world(2)
    receiver.manner = 500
    assert not one.drain.keep_on(60, lambda done: None)
    assert one.clock() - T0 <= 60_000
    assert one.waiting() == 2


def test_a_kill_after_posting_repeats_the_same_id(world, receiver: Receiver) -> None:
    one = world(1)

    def dies(target, headers, body) -> Result:
        post(target, headers, body)
        raise KeyboardInterrupt

    one.drain.post = dies
    with pytest.raises(KeyboardInterrupt):
        one.drain.once()
    one.drain.post = one.post
    assert one.drain.once().delivered == 1
    ids = [arrived.headers["sanderling-delivery"] for arrived in receiver.arrived]
    assert ids == ["d00", "d00"]
    assert len({arrived.body for arrived in receiver.arrived}) == 1


def test_attempts_are_counted_for_the_receiver(world, receiver: Receiver) -> None:
    one = world(1)
    receiver.manner = 500
    one.drain.once()
    one.clock.advance(20_000)
    one.drain.once()
    assert [a.headers["sanderling-attempt"] for a in receiver.arrived] == ["1", "2"]


def test_pauses_double_to_an_hour_with_jitter() -> None:
    rng = random.Random(3)
    for attempts, whole in ((1, 10_000), (2, 20_000), (5, 160_000), (10, 3_600_000)):
        drawn = [pause_ms(attempts, rng) for _ in range(300)]
        assert whole / 2 <= min(drawn) < whole * 0.55
        assert whole * 0.95 < max(drawn) <= whole
    assert pause_ms(5_000, rng) <= LONGEST_PAUSE_MS


def test_what_happened_is_said_in_a_line() -> None:
    done = Drained(3, 1, Counter(timeout=2))
    assert done.words() == "3 delivered, 1 given up; failed: timeout 2"
