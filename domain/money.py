"""Money and other amounts as integer micros (millionths of the unit); never binary floats.

Rounding is half to even on the decimal digits given, so 0.1 + 0.2 is 0.3.
"""

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

MICROS = 1_000_000
MAX_UNITS = 1_000_000_000
"""Largest magnitude of one amount, in units: its micros stay exact in a double."""


def to_micros(amount: float | int | str | Decimal) -> int:
    """Convert an amount in units to micros, rounding half to even on its decimal digits.

    Raises ValueError when it is not a finite number or exceeds MAX_UNITS in magnitude.
    """
    if isinstance(amount, int):
        if -MAX_UNITS <= amount <= MAX_UNITS:
            return amount * MICROS
        raise ValueError("amount out of range")
    if isinstance(amount, float):
        if not -MAX_UNITS <= amount <= MAX_UNITS:
            raise ValueError("amount out of range or not a number")
        scaled = amount * MICROS
        nearest = round(scaled)
        # The shortest decimal of a float decides ties; far from a tie the product is exact enough.
        if abs(scaled - nearest) < 0.4 and abs(scaled) < 1e12:
            return nearest
    try:
        exact = Decimal(str(amount))
    except InvalidOperation as error:
        raise ValueError("amount is not a number") from error
    if not exact.is_finite() or abs(exact) > MAX_UNITS:
        raise ValueError("amount out of range or not a number")
    return int((exact * MICROS).to_integral_value(rounding=ROUND_HALF_EVEN))


def from_micros(micros: int) -> float:
    """Convert micros to a float amount in units, for display and for JSON."""
    return micros / MICROS


def currency_code(currency: str) -> int:
    """Pack an ISO 4217 alphabetic code into 1 … 17,576; 0 means the house currency.

    Raises ValueError when it is not three letters A-Z.
    """
    if len(currency) != 3 or not (currency.isascii() and currency.isalpha() and currency.isupper()):
        raise ValueError("currency is three capital letters")
    a, b, c = (ord(letter) - 65 for letter in currency)
    return 1 + a * 676 + b * 26 + c
