"""The paces of all campaigns as one shared value: written, read back with suspicion, moved on.

One step takes everybody's counters to the next state; what cannot be true is left out, campaign by
campaign, and counted. Knows nothing of stores or of who steps.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

import msgspec
import numpy as np

from domain.calendars import day_number
from domain.campaigns import Campaign, Pacing
from domain.clock import DAY_MS, HOUR_MS
from feature_store.budgets import Ledger
from models.bidding.dayplan import plan_day
from models.bidding.forecast import HOURS, Floats, HourForecast, Hours, own_weights
from models.bidding.paces import FORGET_MS, Counted, Paced, is_sane, settings_of, stepped, turned

FORMAT = 1
UNTOUCHED_MS = 7 * DAY_MS
"""A campaign nobody has stepped for so long is forgotten."""
WATCHED_S = 3_600.0
"""An hour watched for less, over all campaigns, does not say what the next will bring."""
FAINT = 0.1
"""Spending at a multiplier below this says little of what it would be at 1."""
MILLIONTHS = 1e6


Own = tuple[list[float], list[float]]
"""Seconds and spend by hour of UTC, 24 numbers each."""


class Book(msgspec.Struct, array_like=True):
    """The shared value.

    sequence: how often it was stepped. day: of UTC, up to which hours have faded. hours: see
    models.bidding.forecast.Hours, of all campaigns in standard bids. own: of campaigns that are
    paced as demand, seconds and spend by hour. paces: by campaign.
    """

    format: int = FORMAT
    sequence: int = 0
    day: int = 0
    hours: list[list[float]] = []
    own: dict[str, Own] = {}
    paces: dict[str, Paced] = {}


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Book).decode


class Read(NamedTuple):
    """A book as it was found, and how many of its entries could not be true."""

    book: Book
    broken: int


def read_book(held: bytes | None) -> Read:
    """Read the shared value; what cannot be read, or be true, starts anew."""
    if not held:
        return Read(Book(), 0)
    try:
        book = _decode(held)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Read(Book(), 1)
    if book.format != FORMAT or book.sequence < 0:
        return Read(Book(), 1)
    paces = {name: pace for name, pace in book.paces.items() if is_sane(pace)}
    own = {name: (s, c) for name, (s, c) in book.own.items() if _are_hours(s, c)}
    hours = book.hours
    broken = len(book.paces) - len(paces) + len(book.own) - len(own)
    if hours and not (len(hours) == len(Hours._fields) and _are_hours(*hours)):
        hours, broken = [], broken + 1
    return Read(Book(FORMAT, book.sequence, max(book.day, 0), hours, own, paces), broken)


def write_book(book: Book) -> bytes:
    """Write the shared value."""
    return _encode(book)


def multipliers(book: Book) -> dict[str, float]:
    """Answer what each campaign's values are multiplied with."""
    return {name: pace.multiplier for name, pace in book.paces.items()}


def advanced(
    book: Book, campaigns: Mapping[str, Campaign], ledgers: Mapping[str, Ledger], now_ms: int
) -> Book:
    """Answer the book after one step of every campaign whose ledger is given."""
    forecast = HourForecast(_hours_of(book.hours))
    own = {name: (list(s), list(c)) for name, (s, c) in book.own.items() if name in book.paces}
    _pass_days(forecast, own, now_ms // DAY_MS - book.day if book.day else 0)
    paces = {
        name: pace for name, pace in book.paces.items() if now_ms - pace.since < UNTOUCHED_MS
    }  # fmt: skip
    everybody = forecast.spend_weights()
    for name, ledger in ledgers.items():
        campaign, before = campaigns[name], paces.get(name, Paced())
        counted = counted_of(ledger)
        hourly = everybody
        if campaign.pacing is Pacing.demand:
            seconds, cost = own.setdefault(name, ([0.0] * HOURS, [0.0] * HOURS))
            hourly = own_weights(np.array(seconds), np.array(cost), everybody)
        else:
            own.pop(name, None)
        plan = plan_day(campaign, now_ms, ledger.spent - ledger.spent_today, hourly)
        if ledger.tripped_until > now_ms:
            # The breaker holds it still: that nothing is spent says nothing.
            paces[name] = before._replace(since=now_ms, spent=counted.spent, bills=counted.bills)
            continue
        after = stepped(before, counted, campaign, plan, now_ms)
        if _judged(before, after, now_ms):
            _watch(forecast, own.get(name), campaign, before, after, now_ms)
            expected = _expected(forecast.seen.seconds, hourly, before.since, now_ms)
            if plan is not None and expected and (meant := plan.weight(before.since)):
                # At the turn of an hour it is known beforehand what it brings.
                meant = plan.weight(now_ms) / meant
                after = turned(after, expected, meant, settings_of(campaign))
        paces[name] = after
    hours = [sums.tolist() for sums in forecast.seen]
    return Book(FORMAT, book.sequence + 1, now_ms // DAY_MS, hours, own, paces)


def counted_of(ledger: Ledger) -> Counted:
    """Answer a ledger's counters as pacing takes them."""
    return Counted(
        spent=float(ledger.spent),
        before=float(max(0, ledger.spent - ledger.spent_today)),
        bills=float(ledger.bills),
        clicks=float(ledger.clicks),
        conversions=float(ledger.conversions),
        value=float(ledger.value),
        foretold_clicks=ledger.foretold_clicks / MILLIONTHS,
        foretold_conversions=ledger.foretold_conversions / MILLIONTHS,
    )


def _judged(before: Paced, after: Paced, now_ms: int) -> bool:
    """Tell whether a stretch was judged, and not just begun."""
    return bool(before.since) and after.since == now_ms and 0 < now_ms - before.since <= FORGET_MS


def _watch(
    forecast: HourForecast, own: Own | None, campaign: Campaign, before: Paced, after: Paced,
    now_ms: int,
) -> None:  # fmt: skip
    """Learn what a stretch brought, as if it had been bid for at a multiplier of 1.

    Spend grows with about the square of the multiplier: as many more wins as each is dearer.
    """
    at, standard = before.multiplier, min((line.bid for line in campaign.lines), default=0)
    bills, spent = after.bills - before.bills, after.spent - before.spent
    if at < FAINT or standard <= 0 or min(bills, spent) < 0:
        return
    seconds = (now_ms - before.since) / 1_000.0
    hour = (before.since + now_ms) // 2 // HOUR_MS % HOURS
    units = spent / (standard / 1_000.0)
    forecast.observe(hour, seconds, bills / at, bills, units / at)
    if own is not None:
        own[0][hour] += seconds
        own[1][hour] += units / at**2


def _expected(seconds: Floats, hourly: Floats, since: int, now_ms: int) -> float:
    """Answer what the hour of now brings, times the hour of `since`; 0 within one, or unknown."""
    then, now = since // HOUR_MS % HOURS, now_ms // HOUR_MS % HOURS
    if then == now or min(seconds[then], seconds[now]) < WATCHED_S:
        return 0.0
    return float(hourly[now] / hourly[then])


def _pass_days(forecast: HourForecast, own: dict[str, Own], days: int) -> None:
    for _ in range(min(max(days, 0), 30)):
        forecast.pass_day()
        for name, (seconds, cost) in own.items():
            keep = forecast.keep
            own[name] = ([one * keep for one in seconds], [one * keep for one in cost])


def _hours_of(held: list[list[float]]) -> Hours:
    if not held:
        return HourForecast().seen
    return Hours(*(np.array(sums, np.float64) for sums in held))


def _are_hours(*sums: list[float]) -> bool:
    return all(
        len(one) == HOURS and all(math.isfinite(value) and value >= 0 for value in one)
        for one in sums
    )


def days_asked(campaigns: Mapping[str, Campaign], now_ms: int) -> list[tuple[str, int]]:
    """Answer which ledgers a step needs: each campaign, on its zone's day."""
    return [
        (name, day_number(one.zone, now_ms))
        for name, one in campaigns.items()
        if one.lives(now_ms)
    ]  # fmt: skip
