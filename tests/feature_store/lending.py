"""What the tests of money share: a clock, asks and claims with the boring parts filled in."""

from typing import Any

from domain.clock import DAY_MS
from feature_store.budgets import Ask, Claim, Day, Grant, Limits, Word

NOON = 1_760_000_000_000 // DAY_MS * DAY_MS + DAY_MS // 2
TODAY = NOON // DAY_MS
USABLE, HOLD = 10_000, 60_000


def days(now_ms: int) -> list[Day]:
    today = now_ms // DAY_MS
    return [Day(number * DAY_MS, number) for number in range(today - 1, today + 3)]


def ask(want: int, now_ms: int = NOON, **fields: Any) -> Ask:
    limits = fields.pop("limits", Limits(1, daily=1_000, total=5_000))
    made = Ask("c1", limits, days(now_ms), want, 1, USABLE, HOLD)
    return made._replace(**fields)


def claim(grant: Grant, bid: str, word: Word, reserved: int, cost: int = 0, **fields: Any) -> Claim:
    made = Claim(word, "c1", bid, grant.lease, grant.day, reserved, cost, grant.close_ms)
    return made._replace(**fields)
