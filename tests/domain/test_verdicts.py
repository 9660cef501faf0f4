"""Conditions ready to be asked agree with how conditions are judged, whatever is known."""

from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.condition_text import parse_condition
from domain.conditions import (
    SIGNS,
    Column,
    Compare,
    Condition,
    Free,
    Known,
    Not,
    OneOf,
    all_of,
    any_of,
    judge_one,
)
from domain.ids import hash64
from domain.verdicts import NO, UNKNOWN, YES, ready

RECENCY = Column("rfm.recency", "days")
BAND = Column("churn.band", words=("low", "medium", "high"))
PLAN = Column("attributes.plan", free=True)
VOCABULARY = {one.name: one for one in (RECENCY, BAND, Column("attributes.*", free=True))}
NUMBERS = st.sampled_from([0.0, 1.0, 2.0, -3.5])
WORDS = st.sampled_from(["gold", "tin"])


def said(number: float, word: str) -> Free:
    return Free(number, hash64(word) if word else 0)


def comparisons(column: Column) -> st.SearchStrategy[Condition]:
    values = st.one_of(NUMBERS, WORDS) if column.free else NUMBERS
    words = st.builds(Compare, st.just(column), st.sampled_from(("=", "!=")), WORDS)
    numbers = st.builds(Compare, st.just(column), st.sampled_from(tuple(SIGNS)), NUMBERS)
    some = st.lists(values, min_size=1, max_size=3, unique=True).map(tuple)
    return st.one_of(
        *([words] if column.free else []),
        numbers,
        st.builds(OneOf, st.just(column), some),
        st.just(Known(column)),
    )


CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    st.one_of(*map(comparisons, (RECENCY, BAND, PLAN))),
    lambda part: st.one_of(
        part.map(Not),
        st.lists(part, min_size=1, max_size=3).map(all_of),
        st.lists(part, min_size=1, max_size=3).map(any_of),
    ),
    max_leaves=10,
)
USERS = st.fixed_dictionaries(
    {},
    optional={
        RECENCY.name: NUMBERS,
        BAND.name: st.one_of(st.sampled_from([0.0, 1.0, 2.0]), st.just(nan)),
        PLAN.name: st.builds(
            said, st.one_of(NUMBERS, st.just(nan)), st.sampled_from(["", "gold", "tin", "iron"])
        ),
    },
)


@given(CONDITIONS, USERS)
def test_it_agrees_with_the_definition(condition: Condition, values: dict) -> None:
    told = ready(condition)(lambda name: values.get(name, nan))
    verdict = judge_one(condition, values)
    assert (told == YES, told == NO) == (bool(verdict.yes), bool(verdict.no))


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ("rfm.recency < 30", YES),
        ("rfm.recency > 30", NO),
        ("churn.band = high", UNKNOWN),
        ("not churn.band = high", UNKNOWN),
        ("churn.band is unknown", YES),
        ("churn.band = high or rfm.recency < 30", YES),
        ("churn.band = high and rfm.recency < 30", UNKNOWN),
        ("churn.band = high and rfm.recency > 30", NO),
        ("attributes.plan = gold", YES),
        ("attributes.plan in (tin, iron)", NO),
        ("attributes.plan > 3", UNKNOWN),
        ("attributes.plan is known", YES),
    ],
)
def test_what_is_unknown_is_neither_yes_nor_no(where: str, told: int) -> None:
    held = {RECENCY.name: 3.0, PLAN.name: said(nan, "gold")}
    assert ready(parse_condition(where, VOCABULARY))(lambda name: held.get(name, nan)) == told


def test_nothing_is_asked_that_cannot_change_the_answer() -> None:
    asked: list[str] = []

    def lookup(name: str) -> float:
        asked.append(name)
        return 50.0

    question = ready(parse_condition("rfm.recency < 30 and churn.band = high", VOCABULARY))
    assert question(lookup) == NO
    either = ready(parse_condition("rfm.recency > 30 or churn.band = high", VOCABULARY))
    assert either(lookup) == YES
    assert asked == [RECENCY.name, RECENCY.name]
