"""The bars of budgets: they fail when money is overspent, not delivered, or paid twice."""

from benchmarks.bid_budget import _outcome
from benchmarks.exchange import Books
from benchmarks.harness import Bar

BUDGETS = {"a": 1_000, "b": 2_000}
MORE = {"killed": 1.0, "seconds": 2.0}


def missed(spent: dict[str, int], owed: dict[str, int], replayed: int = 0) -> set[str]:
    books = Books(auctions=5)
    books.owed.update(owed)
    outcome = _outcome(BUDGETS, spent, books, replayed, MORE)
    return {bar.name for bar in outcome.bars if not bar.holds}


def test_every_bar_holds_when_budgets_are_spent_and_not_exceeded() -> None:
    spent = {"a": 1_000, "b": 1_990}
    assert missed(spent, spent) == set()


def test_overspending_is_seen_by_our_books_or_by_the_exchange_s() -> None:
    over = {"a": 1_001, "b": 2_000}
    both = {"overspent_campaigns", "max_overspend_micros"}
    assert missed(over, over) == both
    assert missed({"a": 1_000, "b": 2_000}, over) == {*both, "books_differ_micros"}


def test_what_is_not_delivered_and_what_is_paid_twice_are_seen() -> None:
    short = {"a": 1_000, "b": 1_800}
    assert missed(short, short) == {"under_delivery"}
    full = {"a": 1_000, "b": 2_000}
    assert missed(full, full, replayed=1) == {"replay_spend_micros"}


def test_bills_that_were_refused_are_told() -> None:
    books = Books()
    books.owed["a"] = 900
    books.unpaid["/bill?token=x"] = ("a", 150)
    books.told["burl late"] = 1
    outcome = _outcome(BUDGETS, {"a": 900, "b": 0}, books, 0, MORE)
    assert outcome.figures["unpaid_bills"] == 1
    assert outcome.figures["charged_beyond_micros"] == 50
    assert outcome.notes == ["burl late: 1"]
    assert all(isinstance(bar, Bar) for bar in outcome.bars)
