"""Books: sums over campaigns, waits, and rounding as ours."""

import pytest

from demo.exchange.books import Books, micros_of
from domain.notices import Token, spend_for


@pytest.mark.parametrize(
    ("price", "micros"),
    [(0, 0), (499, 0), (500, 0), (501, 1), (1_500, 2), (2_500, 2), (2_501, 3), (600_000, 600)],
)
def test_half_to_even(price: int, micros: int) -> None:
    assert micros_of(price) == micros


def test_the_service_rounds_alike() -> None:
    for price in range(0, 20_000, 37):
        cost = -(-price // 1_000)
        token = Token(
            "b", "c", "l", "cr", "x", lease=1, day=1, reserved=cost, price=price,
            cost=price, currency="USD", until_ms=1,
        )  # fmt: skip
        assert spend_for(token, price) == micros_of(price)


def test_sums() -> None:
    books = Books()
    assert (books.bids, books.wins, books.waited(0.5)) == (0, 0, 0.0)
    books.accounts["a"].bids = 3
    books.accounts["b"].bids = 2
    books.accounts["b"].wins = 1
    assert (books.bids, books.wins) == (5, 1)


def test_waits() -> None:
    books = Books(waits=[float(number) for number in range(100, 0, -1)])
    assert books.waited(0.5) == 51.0
    assert books.waited(0.99) == 100.0
    assert books.waited(1.0) == 100.0
    assert books.waits[0] == 100.0
