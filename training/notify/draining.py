"""Delivering what is due: signed, retried with growing pauses, given up in the end, never lost.

A target that fails three times on end is taken to be down and left alone for a growing while, so
one that hangs costs three deadlines a round, however much waits; one body that the target cannot
digest holds no other up. Knows nothing of sweeps.
"""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from domain.clock import Clock
from training.notify.outbox import Delivery, Outbox
from training.notify.posting import Result, post
from training.notify.signature import signed_headers
from training.notify.target import Target

Post = Callable[[Target, dict[str, str], bytes], Result]
DOWN_AFTER = 3
"""Failures on end after which a target is taken to be down."""
MOST_ATTEMPTS = 100
"""With the pauses below that is about three days of failures."""
FIRST_PAUSE_MS = 10_000
LONGEST_PAUSE_MS = 3_600_000


def pause_ms(attempts: int, rng: random.Random) -> int:
    """Answer the pause after so many failed attempts (1 or more): doubling, at most an hour, and
    half of it by chance, so that many do not come back at once."""
    whole = min(FIRST_PAUSE_MS * 2 ** min(attempts - 1, 30), LONGEST_PAUSE_MS)
    return round(whole * rng.uniform(0.5, 1.0))


@dataclass
class Drained:
    """What became of the deliveries that were tried, and how often what went wrong."""

    delivered: int = 0
    buried: int = 0
    failures: Counter[str] = field(default_factory=Counter)

    def words(self) -> str:
        """Say it in a line."""
        wrong = ", ".join(f"{word} {count}" for word, count in self.failures.most_common())
        return f"{self.delivered:,} delivered, {self.buried:,} given up" + (
            f"; failed: {wrong}" if wrong else ""
        )


@dataclass
class Drain:
    """Delivers from an outbox to a target. clock: UTC ms. sleep: seconds. rng: for jitter."""

    outbox: Outbox
    target: Target
    clock: Clock
    sleep: Callable[[float], None]
    rng: random.Random
    post: Post = post

    def once(self) -> Drained:
        """Try what is due now, until nothing is or the target is down."""
        done, on_end = Drained(), 0
        while on_end < DOWN_AFTER:
            delivery = self.outbox.due(self.clock())
            if delivery is None:
                break
            result = self._try(delivery)
            if result.delivered:
                self.outbox.done(delivery.id)
                done.delivered += 1
                on_end = 0
                continue
            on_end += 1
            done.failures[result.word] += 1
            attempts = delivery.attempts + 1
            if result.hopeless or attempts >= MOST_ATTEMPTS:
                failed = delivery._replace(attempts=attempts, last=result.word)
                self.outbox.bury(failed, self.clock())
                done.buried += 1
            else:
                next_at = self.clock() + pause_ms(attempts, self.rng)
                self.outbox.again(delivery.id, next_at, result.word)
        return done

    def keep_on(self, seconds: float, told: Callable[[Drained], None]) -> bool:
        """Deliver for at most so long, waiting for what is not due yet; answer whether all is
        delivered. told: called after every round that tried something."""
        until = self.clock() + round(seconds * 1000)
        rest, down = 0, 0
        while True:
            if self.clock() >= rest:
                done = self.once()
                if done.delivered or done.failures:
                    told(done)
                failed = sum(done.failures.values()) >= DOWN_AFTER and not done.delivered
                down = down + 1 if failed else 0
                rest = self.clock() + pause_ms(down, self.rng) if down else 0
            standing = self.outbox.standing(self.clock())
            if standing.due is None:
                return True
            now = self.clock()
            wake = max(standing.due, rest, now + 10)
            if wake >= until:
                return False
            self.sleep((wake - now) / 1000)

    def _try(self, delivery: Delivery) -> Result:
        headers = {
            "content-type": "application/json",
            "user-agent": "sanderling",
            "sanderling-attempt": str(delivery.attempts + 1),
            **signed_headers(self.target.secret, delivery.id, self.clock() // 1000, delivery.body),
        }
        return self.post(self.target, headers, delivery.body)
