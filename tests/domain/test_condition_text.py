"""Reading conditions: what is understood, what is refused and where, and what hostile texts do."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.condition_text import (
    MAX_CHARS,
    MAX_DEPTH,
    MAX_TESTS,
    MAX_VALUES,
    parse_condition,
)
from domain.conditions import Column, text_of
from domain.errors import BadField

VOCABULARY = {
    column.name: column
    for column in (
        Column("churn.band", words=("low", "medium", "high")),
        Column("churn.value"),
        Column("rfm.recency", "days"),
        Column("rfm.orders_28d"),
        Column("rfm.value_90d"),
        Column("rhythm.orders"),
        Column("rhythm.gap"),
        Column("breadth.gap"),
    )
}


def read(text: str) -> str:
    return text_of(parse_condition(text, VOCABULARY))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("recency > 30 and churn.band = high", "rfm.recency > 30 and churn.band = high"),
        ("RECENCY>30 AND Band == 'High'", "rfm.recency > 30 and churn.band = high"),
        ("orders <> -1.5e2", "rhythm.orders != -150"),
        ("value between .5 and 2.", "churn.value >= 0.5 and churn.value <= 2"),
        ('band in (high, "medium", high)', "churn.band in (high, medium)"),
        ("band not in (low)", "not churn.band in (low)"),
        ("recency is unknown", "rfm.recency is unknown"),
        ("recency is not known", "rfm.recency is unknown"),
        ("recency is not unknown", "rfm.recency is known"),
        ("not recency is known", "rfm.recency is unknown"),
        ("a or b and c", ""),
        ("value < 1 or value > 2 and orders = 3",
         "churn.value < 1 or churn.value > 2 and rhythm.orders = 3"),
        ("(value < 1 or value > 2) and not (orders = 3 and band=low)",
         "(churn.value < 1 or churn.value > 2) and not (rhythm.orders = 3 and churn.band = low)"),
        ("((recency>-1))", "rfm.recency > -1"),
        ("value = -0", "churn.value = 0"),
        ("value = 1e22\n\tand value<12345678901234567890",
         "churn.value = 1e+22 and churn.value < 1.2345678901234567e+19"),
    ],
)  # fmt: skip
def test_what_is_understood(text: str, wanted: str) -> None:
    if wanted:
        assert read(text) == wanted
        assert read(wanted) == wanted
    else:
        with pytest.raises(BadField):
            read(text)


@pytest.mark.parametrize(
    ("text", "at", "says"),
    [
        ("", 1, "the name of a column"),
        ("   ", 4, "the name of a column"),
        ("recency", 8, "a sign such as"),
        ("recency >", 10, "a number belongs"),
        ("recency > high", 11, "a number belongs"),
        ("recency > 'x'", 11, "a number belongs"),
        ("recency > 30 30", 14, "`and`, `or` or the end"),
        ("recency > 30 and", 17, "the name of a column"),
        ("30 < recency", 1, "the name of a column"),
        ("and recency > 1", 1, "the name of a column"),
        ("(recency > 1", 13, "`)` belongs"),
        ("recency > 1)", 12, "`and`, `or` or the end"),
        ("band = huge", 8, "churn.band is one of low, medium, high"),
        ("band = 2", 8, "churn.band is one of"),
        ("recency in 3", 12, "`(` belongs"),
        ("recency in ()", 13, "a number belongs"),
        ("recency in (1,)", 15, "a number belongs"),
        ("recency not > 3", 13, "`in` belongs"),
        ("recency is 3", 12, "`known` or `unknown`"),
        ("recency between 1 or 2", 19, "`and` belongs"),
        ("recency > 1e999", 11, "too large"),
        ("recency > nan", 11, "a number belongs"),
        ("recency > 1_000", 11, "neither a name"),
        ("recency > 1; drop", 12, "neither a name"),
        ("__import__('os')", 1, "no such column"),
        ("recency > ٣", 11, "neither a name"),
        ("recency = 'open", 11, "neither a name"),
        ("recency\x00 > 1", 8, "neither a name"),
        ("gap > 1", 1, "say which: breadth.gap, rhythm.gap"),
        ("recencey > 1", 1, "did you mean rfm.recency?"),
        ("churn.bnad = high", 1, "did you mean churn.band?"),
        ("xyzzy > 1", 1, "no such column"),
    ],
)  # fmt: skip
def test_what_is_refused_and_where(text: str, at: int, says: str) -> None:
    with pytest.raises(BadField) as caught:
        read(text)
    message = caught.value.message
    assert message.startswith(f"character {at}: ")
    assert says in message
    assert caught.value.field == "where"
    assert caught.value.code in ("bad_condition", "unknown_name")


def test_nothing_nearby_is_no_suggestion() -> None:
    with pytest.raises(BadField, match=r"no such column$"):
        read("xyzzy > 1")


SAID = VOCABULARY | {"attributes.*": Column("attributes.*", free=True)}


def read_said(text: str) -> str:
    return text_of(parse_condition(text, SAID))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("attributes.plan = gold", "attributes.plan = gold"),
        ("Attributes.Plan == 'GOLD'", "attributes.plan = gold"),
        ("attributes.age between 18 and 30", "attributes.age >= 18 and attributes.age <= 30"),
        ('attributes."postal code" != "3011 AB"', 'attributes."postal code" != "3011 ab"'),
        ("attributes.'plan' in (gold, 3, '3')", 'attributes.plan in (gold, 3, "3")'),
        ("attributes.crm.tier not in (a)", "not attributes.crm.tier in (a)"),
        ("attributes.say = '\"hi\"'", "attributes.say = '\"hi\"'"),
        ("attributes.is = 'and'", 'attributes.is = "and"'),
        ("attributes.known is known", "attributes.known is known"),
        ("attributes.é = 1", ""),
        ("attributes.'é' = \"É\"", 'attributes."é" = "é"'),
    ],
)
def test_attributes_may_be_called_and_hold_anything(text: str, wanted: str) -> None:
    if wanted:
        assert read_said(text) == wanted
        assert read_said(wanted) == wanted
    else:
        with pytest.raises(BadField, match="character 1"):
            read_said(text)


@pytest.mark.parametrize(
    ("text", "at", "says"),
    [
        ("attributes.plan > gold", 19, "no order"),
        ("attributes.plan between a and b", 25, "no order"),
        ("attributes.plan = and", 19, "in quotes"),
        ("attributes.plan = (", 19, "in quotes"),
        ("attributes.plan = 1e999", 19, "too large"),
        ("attributes. = gold", 11, "neither a name"),
        ("attributes.'' = gold", 11, "neither a name"),
        ("attributes = gold", 1, "no such column"),
        ("plan = gold", 1, "said as attributes.plan"),
        ("band.plan = gold", 1, "no such column"),
    ],
)
def test_what_is_refused_of_attributes(text: str, at: int, says: str) -> None:
    with pytest.raises(BadField) as caught:
        read_said(text)
    assert caught.value.message.startswith(f"character {at}: ")
    assert says in caught.value.message


@given(st.text(max_size=20), st.text(max_size=20))
def test_any_name_and_word_reads_back_or_is_refused(name: str, word: str) -> None:
    text = ""
    with suppress(BadField):
        text = read_said(f'attributes."{name}" = "{word}"')
    assert not text or read_said(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "x" * (MAX_CHARS + 1),
        "(" * (MAX_DEPTH + 1) + "recency > 1" + ")" * (MAX_DEPTH + 1),
        "not " * (MAX_DEPTH + 1) + "recency > 1",
        " or ".join(["gap"] * 0 + ["value>1"] * (MAX_TESTS + 1)),
        "value in (" + ",".join(str(n) for n in range(MAX_VALUES + 1)) + ")",
    ],
    ids=["chars", "brackets", "nots", "comparisons", "values"],
)
def test_too_much_is_refused(text: str) -> None:
    with pytest.raises(BadField) as caught:
        read(text)
    assert caught.value.code == "too_long"


def test_as_much_as_is_allowed_is_read() -> None:
    deep = MAX_DEPTH - 1
    assert read("(" * deep + "recency > 1" + ")" * deep) == "rfm.recency > 1"
    many = " or ".join(["value>1"] * MAX_TESTS)
    assert read(many).count("churn.value") == MAX_TESTS


PIECES = st.sampled_from(
    ["recency", "band", "churn.value", ">", "=", "30", "(", ")", "and", "or", "not", "in", ",",
     "high", "is", "known", "between", "'", "\u2028", "1e999", "-", "x.", "..", "🐦"]
)  # fmt: skip


@given(st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=60).map(" ".join)))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = parse_condition(text, VOCABULARY)
    except BadField as error:
        said = error.field
    else:
        assert parse_condition(text_of(found), VOCABULARY) == found
        return
    assert said == "where"
