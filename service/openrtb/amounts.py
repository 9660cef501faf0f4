"""Numbers of the wire as integers: prices and quantities in millionths, rounded to our side.

A floor is rounded up, so that no bid is a hair below it; what no bid can reach stays out of
reach. Knows nothing of currencies.
"""

from decimal import ROUND_CEILING, Decimal

from domain.money import MAX_UNITS, MICROS

OUT_OF_REACH = 1 << 62
"""A floor so high, or so absurd, that nothing meets it."""


def floor_micros(amount: float | None) -> int | None:
    """Answer a floor in micros, rounded up on its decimal digits; None stays None.

    Below zero is zero: a floor below nothing is none. Beyond MAX_UNITS is out of reach.
    """
    if amount is None:
        return None
    if amount <= 0:
        return 0
    if not amount <= MAX_UNITS:
        return OUT_OF_REACH
    micros = round(amount * MICROS)
    if micros / MICROS == amount:
        return micros
    return int((Decimal(repr(amount)) * MICROS).to_integral_value(ROUND_CEILING))


def millionths(quantity: float) -> int:
    """Answer a quantity in millionths, rounded up; 0 for what is no quantity at all."""
    if not 0 < quantity <= MAX_UNITS:
        return 0
    return floor_micros(quantity) or 0


def price_of(micros: int) -> float:
    """Answer the price in units whose shortest decimal is exactly `micros` millionths."""
    return micros / MICROS
