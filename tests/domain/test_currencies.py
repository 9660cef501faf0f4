"""Currencies: exact, rounded to the side that is asked for, and refused when unreadable."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.currencies import REFERENCE, parse_rates

codes = st.sampled_from(sorted(REFERENCE.per_euro))
amounts = st.integers(0, 10**15)


def test_the_reference_table_is_dated_and_names_its_source() -> None:
    assert REFERENCE.as_of == "2026-10-30"
    assert "European Central Bank" in REFERENCE.source
    assert REFERENCE.per_euro["EUR"] == 1_000_000
    assert REFERENCE.per_euro["USD"] == 1_117_200
    assert REFERENCE.per_euro["JPY"] == 175_680_000
    assert len(REFERENCE.per_euro) == 30


def test_known_answers() -> None:
    assert REFERENCE.up(1_000_000, "EUR", "USD") == 1_117_200
    assert REFERENCE.down(1_117_200, "USD", "EUR") == 1_000_000
    # 1 USD is 0.8338 / 1.1172 GBP = 0.746330...
    assert REFERENCE.down(1_000_000, "USD", "GBP") == 746_330
    assert REFERENCE.up(1_000_000, "USD", "GBP") == 746_331


@given(amount=amounts, source=codes, target=codes)
def test_up_and_down_enclose_the_exact_amount(amount: int, source: str, target: str) -> None:
    exact = Fraction(amount) * REFERENCE.per_euro[target] / REFERENCE.per_euro[source]
    up, down = REFERENCE.up(amount, source, target), REFERENCE.down(amount, source, target)
    assert down <= exact <= up
    assert up - down <= (exact.denominator != 1)


@given(amount=amounts, source=codes, target=codes)
def test_a_floor_taken_there_and_back_is_never_lower(amount: int, source: str, target: str) -> None:
    assert REFERENCE.up(REFERENCE.up(amount, source, target), target, source) >= amount
    assert REFERENCE.down(REFERENCE.down(amount, source, target), target, source) <= amount


def test_the_same_currency_is_the_same_amount_if_it_is_known() -> None:
    assert REFERENCE.up(7, "USD", "USD") == REFERENCE.down(7, "USD", "USD") == 7
    assert not REFERENCE.knows("XYZ")
    for source, target in (("XYZ", "USD"), ("USD", "XYZ"), ("XYZ", "XYZ")):
        with pytest.raises(KeyError):
            REFERENCE.up(1, source, target)
        with pytest.raises(KeyError):
            REFERENCE.down(1, source, target)


def test_a_table_of_the_banks_layout_is_read() -> None:
    rates = parse_rates("Date, USD, XTS, HRK, \n30 October 2026, 1.5, 2, N/A, \n", "us")
    assert (rates.as_of, rates.source) == ("30 October 2026", "us")
    assert rates.per_euro == {"EUR": 1_000_000, "USD": 1_500_000, "XTS": 2_000_000}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "two lines"),
        ("Date,USD\n", "two lines"),
        ("Day,USD\n1,2\n", "Date"),
        ("Date,USD\n1,2,3\n", "every column"),
        ("Date,USD\nx,nothing\n", "USD is not a number"),
        ("Date,USD\nx,NaN\n", "USD is not a number"),
        ("Date,USD\nx,Infinity\n", "USD is not a number"),
        ("Date,USD\nx,0\n", "not positive"),
        ("Date,USD\nx,-1\n", "not positive"),
    ],
)
def test_what_cannot_be_read_is_said(text: str, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        parse_rates(text, "us")


def test_a_ratio_is_what_amounts_are_converted_by() -> None:
    ratio = REFERENCE.ratio("EUR", "JPY")
    assert REFERENCE.down(10**9, "EUR", "JPY") == int(10**9 * ratio)
    assert REFERENCE.ratio("USD", "USD") == 1.0
    with pytest.raises(KeyError):
        REFERENCE.ratio("EUR", "XYZ")
