from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import MAX_UNITS, currency_code, from_micros, to_micros


def exact(amount: object) -> int:
    """The rule in one line: the shortest decimal of the amount, rounded half to even."""
    return int((Decimal(str(amount)) * 1_000_000).to_integral_value(ROUND_HALF_EVEN))


@given(st.floats(-MAX_UNITS, MAX_UNITS))
def test_floats_convert_as_their_decimals(amount: float) -> None:
    assert to_micros(amount) == exact(amount)


@given(st.decimals(-MAX_UNITS, MAX_UNITS, allow_nan=False))
def test_decimals_and_texts_convert_exactly(amount: Decimal) -> None:
    assert to_micros(amount) == exact(amount)
    assert to_micros(str(amount)) == exact(amount)


@given(st.integers(-MAX_UNITS, MAX_UNITS))
def test_whole_units(amount: int) -> None:
    assert to_micros(amount) == amount * 1_000_000


@given(st.integers(-(10**12), 10**12))
def test_micros_survive_a_float(micros: int) -> None:
    assert to_micros(from_micros(micros)) == micros


@pytest.mark.parametrize(
    ("amount", "micros"),
    [
        (0.1 + 0.2, 300_000),
        (12.5, 12_500_000),
        ("19.99", 19_990_000),
        (-3.1, -3_100_000),
        (0.0000005, 0),
        (0.0000015, 2),
        (0.0000025, 2),
        (-0.0000015, -2),
        ("0.0000005000001", 1),
    ],
)
def test_known_amounts(amount: float | str, micros: int) -> None:
    assert to_micros(amount) == micros


def test_cents_add_up() -> None:
    assert sum(to_micros(0.01) for _ in range(100)) == to_micros(1)


@pytest.mark.parametrize(
    "amount",
    [
        float("nan"),
        float("inf"),
        -float("inf"),
        1e9 + 1,
        10**400,
        -(10**10),
        "1e10",
        "nan",
        "Infinity",
        "twelve",
        "",
        "1e999999",
    ],
)
def test_what_is_no_amount(amount: float | str) -> None:
    with pytest.raises(ValueError, match="amount"):
        to_micros(amount)


def test_currencies_have_codes_of_their_own() -> None:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    codes = [currency_code(a + b + c) for a in letters for b in letters for c in letters]
    assert codes == list(range(1, 17_577))


@pytest.mark.parametrize("text", ["", "EU", "EURO", "eur", "E1R", "ÉUR", "\uff25\uff35\uff32"])
def test_what_is_no_currency(text: str) -> None:
    with pytest.raises(ValueError, match="currency"):
        currency_code(text)
