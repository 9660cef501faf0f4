"""The shared value of paces: what was written comes back, what cannot be true does not."""

from dataclasses import replace
from math import log, nan

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.campaigns import Budget, Campaign, Flight, LineItem, Pacing
from domain.clock import DAY_MS, HOUR_MS
from feature_store.budgets import Ledger
from models.bidding.paces import Paced
from service.shared_paces import (
    FORMAT,
    UNTOUCHED_MS,
    Book,
    advanced,
    counted_of,
    days_asked,
    multipliers,
    read_book,
    write_book,
)

START = 20_000 * DAY_MS
CAMPAIGN = Campaign(
    "c", budget=Budget(daily=86_400_000), max_bid=5_000_000, lines=(LineItem("l", 1_000_000),)
)


def spent(amount: int, bills: int, **more: int) -> Ledger:
    return Ledger(spent=amount, spent_today=amount, bills=bills, **more)


def run(book: Book, campaign: Campaign, seconds: int, rate: int, start: int = START) -> Book:
    """Step every five seconds while `rate` micros a second are spent on bills of 1,000 each."""
    for second in range(0, seconds, 5):
        ledger = spent(rate * second, rate * second // 1_000)
        book = advanced(book, {"c": campaign}, {"c": ledger}, start + second * 1_000)
    return book


def test_what_was_written_comes_back() -> None:
    book = run(Book(), replace(CAMPAIGN, pacing=Pacing.demand), 300, 5_000)
    found, broken = read_book(write_book(book))
    assert broken == 0
    assert found == book
    assert found.sequence == 60
    assert set(found.own) == {"c"}
    assert multipliers(found)["c"] < 0.5


def test_nothing_there_is_a_beginning() -> None:
    assert read_book(None) == (Book(), 0)
    assert read_book(b"") == (Book(), 0)
    assert multipliers(Book()) == {}


@pytest.mark.parametrize(
    "held",
    [
        b"{",
        b"\xc1",
        b"\x93\x01\x02",
        msgspec.msgpack.encode([FORMAT + 1, 5, 0, [], {}, {}]),
        msgspec.msgpack.encode([FORMAT, -5, 0, [], {}, {}]),
        msgspec.msgpack.encode({"format": 1}),
        msgspec.msgpack.encode([FORMAT, 1, 0, [], {}, {"c": ["x"]}]),
        b"\x91" * 5_000,
    ],
)
def test_what_cannot_be_read_starts_anew_and_is_counted(held: bytes) -> None:
    assert read_book(held) == (Book(), 1)


@given(st.binary(max_size=200))
def test_no_bytes_whatever_are_more_than_broken(held: bytes) -> None:
    book, broken = read_book(held)
    assert broken in (0, 1)
    assert all(0.009 < one < 5.1 for one in multipliers(book).values())


def test_one_campaign_that_cannot_be_leaves_the_others() -> None:
    book = run(Book(), CAMPAIGN, 60, 5_000)
    book.paces |= {"nan": Paced(log_budget=nan), "far": Paced(log_budget=log(1e12))}
    book.own = {"short": ([1.0], [1.0]), "minus": ([-1.0] * 24, [0.0] * 24)}
    book.hours = [[nan] * 24] * 4
    found, broken = read_book(write_book(book))
    assert broken == 5
    assert set(found.paces) == {"c"}
    assert (found.own, found.hours) == ({}, [])


def test_two_who_step_the_same_come_to_the_same() -> None:
    one, two = (run(Book(), CAMPAIGN, 600, 3_000) for _ in range(2))
    assert write_book(one) == write_book(two)


def test_a_campaign_that_overspends_falls_and_one_that_does_not_stays() -> None:
    campaigns = {"c": CAMPAIGN, "d": replace(CAMPAIGN, campaign="d")}
    book = Book()
    for second in range(0, 300, 5):
        ledgers = {
            "c": spent(8_000 * second, 8 * second), "d": spent(200 * second, second // 5)
        }  # fmt: skip
        book = advanced(book, campaigns, ledgers, START + second * 1_000)
    found = multipliers(book)
    assert found["c"] < 0.4
    assert found["d"] == 1.0


def test_a_tripped_breaker_is_no_reason_to_bid_more() -> None:
    book = run(Book(), CAMPAIGN, 300, 8_000)
    low = multipliers(book)["c"]
    at = START + 300_000
    stopped = spent(8_000 * 295, 8 * 295, tripped_until=at + 10**7)
    for step in range(60):
        book = advanced(book, {"c": CAMPAIGN}, {"c": stopped}, at + step * 5_000)
    assert multipliers(book)["c"] == low
    running = stopped._replace(tripped_until=0)
    for step in range(60, 120):
        book = advanced(book, {"c": CAMPAIGN}, {"c": running}, at + step * 5_000)
    assert multipliers(book)["c"] > low


def test_campaigns_nobody_steps_keep_their_pace_for_a_week() -> None:
    book = run(Book(), CAMPAIGN, 300, 8_000)
    other = {"d": replace(CAMPAIGN, campaign="d")}
    later = advanced(book, other, {"d": Ledger()}, START + DAY_MS)
    assert multipliers(later)["c"] == multipliers(book)["c"]
    assert set(later.paces) == {"c", "d"}
    gone = advanced(later, other, {"d": Ledger()}, START + UNTOUCHED_MS + HOUR_MS)
    assert set(gone.paces) == {"d"}


def test_hours_are_learned_and_fade() -> None:
    book = run(Book(), CAMPAIGN, 600, 1_000)
    seconds, opportunities, wins, spend = book.hours
    hour = START // HOUR_MS % 24
    assert seconds[hour] == pytest.approx(595, abs=6)
    assert wins[hour] == pytest.approx(595, abs=10)
    assert spend[hour] == pytest.approx(595, rel=0.1), "each costs a standard bid, at about 1"
    assert sum(opportunities) == opportunities[hour] >= wins[hour]
    faded = advanced(book, {}, {}, START + DAY_MS)
    assert faded.hours[0][hour] == pytest.approx(0.8 * seconds[hour])
    far = advanced(book, {}, {}, START + 10_000 * DAY_MS)
    assert far.hours[0][hour] < 1.0


def test_the_turn_of_an_hour_is_known_beforehand() -> None:
    """An hour that brings 2.25 times as much begins with two thirds of the multiplier."""
    book = run(Book(), CAMPAIGN, 3_595, 1_000)
    book.paces["c"] = book.paces["c"]._replace(log_budget=log(0.5))
    book.hours = [
        [1e6] * 24,
        [1e6 * (2.25 if hour == 1 else 1) for hour in range(24)],
        [1e6] * 24,
        [1e6] * 24,
    ]
    before = book.paces["c"].log_budget
    ledger = spent(1_000 * 3_600, 3_600)
    quiet = advanced(book, {"c": CAMPAIGN}, {"c": ledger}, START + 3_599_000)
    turned = advanced(book, {"c": CAMPAIGN}, {"c": ledger}, START + 3_601_000)
    assert quiet.paces["c"].log_budget == pytest.approx(before, abs=0.04)
    assert turned.paces["c"].log_budget == pytest.approx(before - log(1.5), abs=0.04)


def test_only_running_campaigns_are_asked_about_on_their_own_day() -> None:
    east = replace(CAMPAIGN, zone="Pacific/Auckland")
    over = replace(CAMPAIGN, flight=Flight(0, START))
    late = START + 20 * HOUR_MS
    found = days_asked({"c": CAMPAIGN, "east": east, "over": over}, late)
    days = dict(found)
    assert set(days) == {"c", "east"}
    assert days["east"] == days["c"] + 1


def test_a_ledger_is_taken_as_it_stands() -> None:
    ledger = Ledger(
        spent=500, spent_today=200, bills=3, clicks=2, conversions=1, value=7,
        foretold_clicks=2_500_000, foretold_conversions=250_000,
    )  # fmt: skip
    found = counted_of(ledger)
    assert (found.spent, found.before, found.bills) == (500, 300, 3)
    assert (found.clicks, found.conversions, found.value) == (2, 1, 7)
    assert (found.foretold_clicks, found.foretold_conversions) == (2.5, 0.25)
