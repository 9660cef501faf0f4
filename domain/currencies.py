"""Currencies by a dated table: amounts in micros of one currency as micros of another.

Exact integers throughout: a floor is rounded up and a cap down, so that no conversion ever
bids below the one or above the other. Knows nothing of where a newer table comes from.
"""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

_SCALE = 1_000_000


@dataclass(slots=True, frozen=True)
class Rates:
    """Exchange rates of one day.

    as_of: the day, ISO 8601. per_euro: ISO 4217 code -> millionths of that currency for one
    euro. source: who says so.
    """

    as_of: str
    source: str
    per_euro: dict[str, int]

    def knows(self, currency: str) -> bool:
        """Tell whether amounts in `currency` can be compared with others."""
        return currency in self.per_euro

    def up(self, micros: int, source: str, target: str) -> int:
        """Convert, rounding up to the next micro; for floors.

        Raises KeyError for an unknown currency, also when both are the same.
        """
        rates = self.per_euro
        have, want = rates[source], rates[target]
        return micros if have == want else -(-micros * want // have)

    def down(self, micros: int, source: str, target: str) -> int:
        """Convert, rounding down to the last whole micro; for caps and values.

        Raises KeyError for an unknown currency, also when both are the same.
        """
        rates = self.per_euro
        have, want = rates[source], rates[target]
        return micros if have == want else micros * want // have

    def ratio(self, source: str, target: str) -> float:
        """Answer what one unit of `source` is in `target`, for values that are estimates anyway.

        Raises KeyError for an unknown currency.
        """
        return self.per_euro[target] / self.per_euro[source]


def parse_rates(text: str, source: str) -> Rates:
    """Read a table in the layout of the European Central Bank's daily file (two CSV lines).

    The first line names the columns (Date, then codes), the second holds the day and how
    much of each one euro buys; EUR itself is added. Raises ValueError saying what is wrong.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) < 2:
        raise ValueError("two lines: the names of the columns, and one day's rates")
    names, cells = ([cell.strip() for cell in line.split(",")] for line in lines[:2])
    if names[0] != "Date" or len(names) != len(cells):
        raise ValueError("the first column is Date and every column has a value")
    per_euro = {"EUR": _SCALE}
    for name, cell in zip(names[1:], cells[1:], strict=True):
        if not name or cell in ("", "N/A"):
            continue
        try:
            rate = int(Decimal(cell) * _SCALE)
        except (InvalidOperation, ValueError, OverflowError) as error:
            raise ValueError(f"the rate of {name} is not a number") from error
        if rate <= 0:
            raise ValueError(f"the rate of {name} is not positive")
        per_euro[name] = rate
    return Rates(cells[0], source, per_euro)


REFERENCE = parse_rates(
    "Date,USD,JPY,CZK,DKK,GBP,HUF,PLN,RON,SEK,CHF,ISK,NOK,TRY,AUD,BRL,CAD,CNY,HKD,IDR,ILS,INR,"
    "KRW,MXN,MYR,NZD,PHP,SGD,THB,ZAR\n"
    "2026-10-30,1.1172,175.68,24.353,7.4735,0.8338,366.33,4.4038,5.3447,10.978,0.9194,136,10.312,"
    "55.8015,1.5904,6.0692,1.5606,7.4326,8.7652,20275.17,3.495,106.084,1491.76,21.1237,4.5325,"
    "1.9823,71.143,1.4282,37.683,18.6455",
    "European Central Bank, euro foreign exchange reference rates",
)
"""What is used unless a deployment brings a newer table."""
