"""Tokens that only we can make, prices that only a number can be, spends that never round up."""

from base64 import urlsafe_b64decode
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import BadField
from domain.notices import (
    KEY_BYTES,
    MAX_TOKEN,
    ONE,
    Said,
    Signer,
    Token,
    read_price,
    read_quantity,
    reserve_for,
    spend_for,
)

KEY, OTHER = bytes(range(KEY_BYTES)), bytes(range(1, KEY_BYTES + 1))
SIGNER = Signer([KEY])
TOKEN = Token(
    *("b" * 22, "c1", "l1", "cr1", "north", 7, 739_000, 1_500, 1_500_000, 1_500_000, "EUR"),
    until_ms=1_760_000_000_000, policy="bid/3", arm=4, propensity=0.25, entity="uada", at=1,
    about=b"worth 3.20",
)  # fmt: skip
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=40)
MONEY = st.integers(0, 2**53)


def test_a_token_comes_back_as_it_was_signed() -> None:
    assert SIGNER.read(SIGNER.sign(TOKEN)) == TOKEN


@given(
    st.builds(
        Token,
        *[NAMES] * 5,
        *(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), MONEY, MONEY, MONEY),
        st.sampled_from(["EUR", "USD", ""]),
        MONEY,
        *(NAMES, st.integers(0, 65_535), st.floats(0, 1, width=32)),
        st.text("abcäö€", max_size=150),
        st.integers(0, 255),
        st.booleans(),
        st.binary(max_size=64),
        st.integers(0, 2**63),
    )
)
def test_any_token_comes_back(token: Token) -> None:
    text = SIGNER.sign(token)
    assert SIGNER.read(text) == token
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_what_a_bid_was_worth_is_told_to_nobody() -> None:
    text = SIGNER.sign(TOKEN)
    raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    assert TOKEN.about not in raw
    assert TOKEN.bid.encode() in raw


def test_a_token_of_one_impression_says_nothing_of_how_many() -> None:
    one, many = (len(SIGNER.sign(TOKEN._replace(quantity=n))) for n in (ONE, 14_200_000))
    assert TOKEN.quantity == ONE
    assert 0 < many - one <= 12


def test_no_more_is_told_of_a_bid_than_fits() -> None:
    with pytest.raises(ValueError, match="too much"):
        SIGNER.sign(TOKEN._replace(about=b"x" * 65))


@pytest.mark.parametrize("place", range(0, len(SIGNER.sign(TOKEN)), 7))
def test_a_token_with_one_letter_changed_is_refused(place: int) -> None:
    text = SIGNER.sign(TOKEN)
    other = "A" if text[place] != "A" else "B"
    with pytest.raises(BadField) as caught:
        SIGNER.read(text[:place] + other + text[place + 1 :])
    assert caught.value.code == "bad_token"


@given(st.text(max_size=300))
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(BadField):
        SIGNER.read(text)


@pytest.mark.parametrize("cut", [0, 1, 4, 40])
def test_a_token_that_was_cut_or_lengthened_is_refused(cut: int) -> None:
    text = SIGNER.sign(TOKEN)
    for wrong in (text[: len(text) - 4 - cut], text + "A" * (4 + cut), "A" * (MAX_TOKEN + 1)):
        with pytest.raises(BadField):
            SIGNER.read(wrong)


def test_a_token_of_another_key_is_refused_until_the_key_is_known() -> None:
    text = Signer([OTHER]).sign(TOKEN)
    with pytest.raises(BadField):
        SIGNER.read(text)
    assert Signer([KEY, OTHER]).read(text) == TOKEN
    assert Signer([OTHER]).read(text) == TOKEN


@pytest.mark.parametrize("keys", [[], [b""], [KEY, b"short"]])
def test_keys_that_are_none_are_refused(keys: list[bytes]) -> None:
    with pytest.raises(ValueError, match="keys"):
        Signer(keys)


def test_whose_history_it_is_cannot_be_read_or_linked_by_others() -> None:
    texts = [SIGNER.sign(TOKEN._replace(bid=bid, entity="u" + "ada" * 20)) for bid in "ab"]
    raws = [urlsafe_b64decode(text + "=" * (-len(text) % 4)) for text in texts]
    assert all(b"ada" not in raw for raw in raws)
    covered = [raw[-12 - 61 : -12] for raw in raws]
    assert covered[0] != covered[1], "the same user looks different in every bid"


@pytest.mark.parametrize(
    "wrong",
    [
        {"reserved": -1},
        {"reserved": 2**64},
        {"arm": 70_000},
        {"campaign": "c" * 3_000},
        {"line": "a\x1fb"},
        {"currency": "EURO"},
    ],
)
def test_what_does_not_fit_is_not_signed(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="token"):
        SIGNER.sign(TOKEN._replace(**wrong))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", Said(None)),
        ("${AUCTION_PRICE}", Said(None)),
        ("AUDIT", Said(None, True)),
        ("0", Said(0)),
        ("1.5", Said(1_500_000)),
        (".5", Said(500_000)),
        ("0.0000005", Said(1)),
        ("0.00000049", Said(0)),
        ("999999999.999999", Said(999_999_999_999_999)),
    ],
)
def test_prices_are_read_as_decimals(text: str, said: Said) -> None:
    assert read_price(text) == said


@pytest.mark.parametrize(
    "text", ["-1", "+1", "1e3", "NaN", "inf", "1,5", "1.", ".", "1.2.3", "٣", " 1", "1" * 10,
             "0." + "1" * 40, "0x10", "1_0", "audit"],
)  # fmt: skip
def test_what_is_no_price_is_refused(text: str) -> None:
    with pytest.raises(BadField) as caught:
        read_price(text)
    assert caught.value.code == "bad_price"


def test_a_bill_without_a_price_is_what_was_offered() -> None:
    assert spend_for(TOKEN, None) == 1_500


def test_a_price_above_the_bid_is_refused_but_for_the_rounding_of_an_exchange() -> None:
    assert spend_for(TOKEN, TOKEN.price + 100) == 1_500
    with pytest.raises(BadField) as caught:
        spend_for(TOKEN, TOKEN.price + 101)
    assert caught.value.code == "above_bid"


@given(st.integers(1, 10**11), st.integers(0, 10**11), st.data())
def test_a_spend_is_exact_and_never_above_what_was_reserved(
    price: int, cost: int, data: st.DataObject
) -> None:
    said = data.draw(st.integers(0, price))
    token = TOKEN._replace(price=price, cost=cost)
    spend = spend_for(token, said)
    exact = Decimal(cost) * said / (Decimal(price) * 1_000)
    assert abs(spend - exact) <= Decimal("0.5")
    assert spend <= reserve_for(cost)
    assert reserve_for(cost) - Decimal(cost) / 1_000 < 1
    if price == cost:
        half_even = (Decimal(said) / 1_000).to_integral_value(rounding=ROUND_HALF_EVEN)
        assert spend == half_even


def test_a_bid_of_nothing_costs_nothing() -> None:
    assert spend_for(TOKEN._replace(price=0, cost=0, reserved=0), None) == 0


@pytest.mark.parametrize(
    ("text", "quantity"),
    [("", None), ("${AUCTION_MULTIPLIER}", None), ("1", ONE), ("14.2", 14_200_000), ("0", 0)],
)
def test_quantities_are_read_in_millionths(text: str, quantity: int | None) -> None:
    assert read_quantity(text) == quantity


@pytest.mark.parametrize("text", ["-1", "NaN", "1e3", "inf", "1,5", "1" * 10, "x"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(BadField) as caught:
        read_quantity(text)
    assert (caught.value.field, caught.value.code) == ("multiplier", "bad_multiplier")


def many(price: int, quantity: int, rate: int = 1) -> Token:
    """A bid for many impressions, as the till makes it; its money is worth `rate` of ours."""
    cost = -(-price * quantity * rate // (1_000 * ONE))
    return TOKEN._replace(reserved=cost, price=price, cost=cost * 1_000, quantity=quantity)


@pytest.mark.parametrize(
    ("price", "billed", "spent"),
    [
        (None, None, 142_000),
        (5_000_000, None, 71_000),
        (5_000_000, 14_200_000, 71_000),
        (None, 7_100_000, 71_000),
        (5_000_000, 7_100_000, 35_500),
        (None, 0, 0),
        # As many as were reserved for, however many are counted.
        (None, 20_000_000, 142_000),
        (5_000_000, 2**40, 71_000),
    ],
)
def test_a_bill_is_for_as_many_as_were_seen(
    price: int | None, billed: int | None, spent: int
) -> None:
    assert spend_for(many(10_000_000, 14_200_000), price, billed) == spent


@given(
    price=st.integers(1, 10**9), quantity=st.integers(1, 10**10), rate=st.integers(1, 200),
    said=st.none() | st.integers(0, 10**9), billed=st.none() | st.integers(0, 10**11),
)  # fmt: skip
def test_never_more_than_was_reserved_and_half_a_micro_from_what_is_due(
    price: int, quantity: int, rate: int, said: int | None, billed: int | None
) -> None:
    token = many(price, quantity, rate)
    said = None if said is None else min(said, price)
    spent = spend_for(token, said, billed)
    assert 0 <= spent <= token.reserved
    shown = quantity if billed is None else min(billed, quantity)
    paid = price if said is None else said
    exact = Decimal(token.cost) * paid * shown / (Decimal(1_000) * price * quantity)
    assert abs(spent - exact) <= Decimal("0.5000001")


def test_what_is_billed_in_parts_of_its_quantity_keeps_its_order() -> None:
    token = many(3_333_333, 9_000_000)
    spends = [spend_for(token, None, billed) for billed in range(0, 9_000_001, 250_000)]
    assert spends == sorted(spends)
    assert spends[-1] == spend_for(token, None)
