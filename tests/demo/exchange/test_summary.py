"""The summary: figures from both sides, and no claim that does not hold."""

import io
import re

import pytest

from demo.exchange.books import Books, Sale
from demo.exchange.campaigns import BRIGHT, PLAIN, Running
from demo.exchange.summary import Ran, accounts, learned, promises, reasons, thirds
from demo.exchange.watching import Belief
from demo.telling import DemoFailed, Teller

CAMPAIGNS = (
    Running("reach-1", "reach", 1_000), Running("clicks-1", "clicks", 1_000),
    Running("regulars-1", "regulars", 500),
)  # fmt: skip


def sale(campaign: str, paid: int = 500_000, to_beat: int = 400_000, creative: str = PLAIN) -> Sale:
    return Sale("b", campaign, creative, "dawn", paid, paid, to_beat, "")


def ran() -> Ran:
    books = Books(auctions=10, waits=[1.0, 2.0, 9.0])
    books.statuses.update({200: 6, 204: 4})
    books.reasons.update({"no_line": 3, "budget": 1})
    for one, wins in zip(CAMPAIGNS, (2, 1, 0), strict=True):
        account = books.accounts[one.campaign]
        account.bids, account.wins, account.charged = 2 * wins, wins, 500 * wins
    books.sales += [sale("reach-1"), sale("reach-1", to_beat=500_000), sale("clicks-1")]
    return Ran(books, CAMPAIGNS, (1_000, 500, 0), ())


def test_what_holds_is_claimed(teller: Teller, out: io.StringIO) -> None:
    promises(teller, ran())
    text = out.getvalue()
    assert text.count("✓") == 4
    assert "to the micro: 1,500" in text
    assert "every one of the 0 bids for the audience" in text


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda one: one.books.statuses.update({500: 1}), "every answer 200 or 204"),
        (lambda one: one.books.broken.update({"floor": 1}), "broke a floor"),
        (lambda one: setattr(one.books.accounts["clicks-1"], "charged", 501), "to the micro"),
        (lambda one: setattr(one.books.accounts["regulars-1"], "strangers", 1), "1 were not"),
    ],
)
def test_what_does_not_hold_ends_the_demo(spoil, told: str, teller: Teller) -> None:
    one = ran()
    spoil(one)
    with pytest.raises(DemoFailed, match=told):
        promises(teller, one)


def test_what_was_late_or_never_answered_is_told(teller: Teller, out: io.StringIO) -> None:
    one = ran()
    one.books.late, one.books.unanswered = 12, 3
    promises(teller, one)
    told = " ".join(out.getvalue().split())
    assert "12 answers came later than an exchange waits, 3 never" in told


def test_overspending_ends_the_demo_even_where_both_books_agree(teller: Teller) -> None:
    one = ran()
    one.books.accounts["reach-1"].charged = 1_001
    with pytest.raises(DemoFailed, match="more than its budget"):
        promises(teller, one._replace(spent=(1_001, 500, 0)))


def test_an_exchange_that_heard_nothing_is_a_failure(teller: Teller) -> None:
    with pytest.raises(DemoFailed, match="no bid that won"):
        promises(teller, Ran(Books(), CAMPAIGNS, (0, 0, 0), ()))


def test_accounts_and_reasons(teller: Teller, out: io.StringIO) -> None:
    accounts(teller, ran())
    reasons(teller, ran().books)
    text = out.getvalue()
    reach = next(line for line in text.splitlines() if line.strip().startswith("reach"))
    assert reach.split() == ["reach", "4", "2", "0.0010", "100.0%", "0.500", "0", "0"]
    told = " ".join(text.split())
    assert "no bid 4 times, as the answers say: no_line 3, budget 1." in told
    assert "within 2.0 ms in half of all cases, within 9.0 ms in 99 of 100" in told


def test_many_reasons_are_summed(teller: Teller, out: io.StringIO) -> None:
    books = Books()
    books.reasons.update({f"cause{number}": 10 - number for number in range(9)})
    reasons(teller, books)
    assert "others 9" in " ".join(out.getvalue().split())


def test_what_was_learned(teller: Teller, out: io.StringIO) -> None:
    one = ran()
    one.books.sales[:] = [
        *[sale("reach-1", to_beat=250_000)] * 3, *[sale("reach-1", to_beat=400_000)] * 3,
        *[sale("reach-1", to_beat=450_000)] * 3,
        *[sale("clicks-1")] * 3, *[sale("clicks-1", creative=BRIGHT)] * 3,
    ]  # fmt: skip
    beliefs = Belief(0.6, None, 0.0), Belief(0.45, 0.61, 0.8)
    learned(teller, one, beliefs, [0.7, 0.55])
    cells = [re.split(r"\s{2,}", line.strip()) for line in out.getvalue().splitlines()]
    rows = {name: values for name, *values in cells}
    assert rows["bid"] == ["0.600", "0.450"]
    assert rows["chance to win, as told"] == ["–", "61%"]
    assert rows["chance to win, in simulated truth"] == ["70%", "55%"]
    assert rows["confidence"] == ["0.00", "0.80"]
    assert rows["reach: paid above the price to beat"] == ["50%", "10%"]
    assert rows["clicks: shown bright, of both"] == ["0%", "100%"]


def test_thirds() -> None:
    sales = [sale("c", paid=number) for number in range(10)]
    first, last = thirds(sales)
    assert [one.paid for one in first] == [0, 1, 2]
    assert [one.paid for one in last] == [7, 8, 9]
    assert thirds([]) == ([], [])
    assert thirds(sales[:1]) == (sales[:1], sales[:1])
