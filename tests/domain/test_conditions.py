"""Judging conditions: three-valued, one user as many, against a naive oracle."""

from math import nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.condition_text import parse_condition
from domain.conditions import (
    SIGNS,
    AllOf,
    AnyOf,
    Column,
    Compare,
    Condition,
    Free,
    Known,
    Not,
    OneOf,
    Verdict,
    all_of,
    any_of,
    judge,
    judge_one,
    names_in,
    text_of,
)
from domain.ids import hash64

BAND = Column("churn.band", words=("low", "medium", "high"))
RECENCY, VALUE = Column("rfm.recency", "days"), Column("rfm.value_90d", "money")
COLUMNS = (BAND, RECENCY, VALUE)
VOCABULARY = {column.name: column for column in COLUMNS}
NUMBERS = st.sampled_from([0.0, 1.0, 2.0, -3.5, 1e300, 0.1])


def comparisons(column: Column) -> st.SearchStrategy[Condition]:
    values = st.sampled_from([0.0, 1.0, 2.0]) if column.words else NUMBERS
    return st.one_of(
        st.builds(Compare, st.just(column), st.sampled_from(tuple(SIGNS)), values),
        st.builds(
            OneOf, st.just(column), st.lists(values, min_size=1, max_size=3, unique=True).map(tuple)
        ),
        st.just(Known(column)),
    )


CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    st.one_of(*map(comparisons, COLUMNS)),
    lambda part: st.one_of(
        part.map(Not),
        st.lists(part, min_size=1, max_size=3).map(all_of),
        st.lists(part, min_size=1, max_size=3).map(any_of),
    ),
    max_leaves=12,
)


def naive(condition: Condition, values: dict[str, float]) -> bool | None:
    """True, False, or None for unknown, by the tables of the logic themselves."""
    if isinstance(condition, Known):
        return condition.column.name in values
    if isinstance(condition, Compare | OneOf):
        if condition.column.name not in values:
            return None
        held = values[condition.column.name]
        if isinstance(condition, OneOf):
            return held in condition.values
        value = condition.value
        return {
            "=": held == value, "!=": held != value, "<": held < value,
            "<=": held <= value, ">": held > value, ">=": held >= value,
        }[condition.sign]  # fmt: skip
    if isinstance(condition, Not):
        inner = naive(condition.part, values)
        return None if inner is None else not inner
    told = [naive(part, values) for part in condition.parts]
    ends = isinstance(condition, AnyOf)
    return ends if ends in told else None if None in told else not ends


PEOPLE = st.lists(
    st.dictionaries(st.sampled_from(sorted(VOCABULARY)), NUMBERS), min_size=1, max_size=6
)


@given(CONDITIONS, PEOPLE)
def test_one_and_many_are_judged_as_the_tables_say(
    condition: Condition, people: list[dict[str, float]]
) -> None:
    columns = {name: np.array([person.get(name, nan) for person in people]) for name in VOCABULARY}
    many = judge(condition, columns.__getitem__)
    for place, person in enumerate(people):
        wanted = naive(condition, person)
        one = judge_one(condition, person)
        assert one == Verdict(wanted is True, wanted is False)
        assert (bool(many.yes[place]), bool(many.no[place])) == tuple(one)


@given(CONDITIONS)
def test_its_text_reads_back_as_the_same_condition(condition: Condition) -> None:
    assert parse_condition(text_of(condition), VOCABULARY) == condition


@given(CONDITIONS)
def test_names_are_those_that_are_looked_up(condition: Condition) -> None:
    asked: set[str] = set()

    def lookup(name: str) -> float:
        asked.add(name)
        return 1.0

    judge(condition, lookup)
    assert asked == names_in(condition)


def test_nobody_is_in_on_account_of_something_unknown() -> None:
    old = Compare(RECENCY, ">", 30.0)
    assert judge_one(old, {}) == Verdict(False, False)
    assert judge_one(Not(old), {}) == Verdict(False, False)
    assert judge_one(Compare(RECENCY, "!=", 30.0), {}) == Verdict(False, False)
    assert judge_one(Not(OneOf(RECENCY, (1.0,))), {}) == Verdict(False, False)
    # What settles the matter whatever the unknown were, settles it.
    assert judge_one(any_of([old, Known(VALUE)]), {"rfm.value_90d": 1.0}).yes
    assert judge_one(all_of([old, Known(VALUE)]), {}).no
    assert judge_one(Not(Known(RECENCY)), {}).yes


def test_joining_makes_no_towers() -> None:
    one, two, three = Known(BAND), Known(RECENCY), Known(VALUE)
    assert all_of([one]) == one
    assert all_of([one, all_of([two, three])]) == AllOf((one, two, three))
    assert any_of([any_of([one, two]), three]) == AnyOf((one, two, three))


@pytest.mark.parametrize("words", [0, 1, 2])
def test_words_are_in_order(words: int) -> None:
    at_least_medium = parse_condition("churn.band >= medium", VOCABULARY)
    assert judge_one(at_least_medium, {"churn.band": float(words)}).yes == (words >= 1)


def test_integers_are_columns_too() -> None:
    held = np.array([0, 1, 2], np.int8)
    found = judge(Not(OneOf(BAND, (2.0,))), lambda name: held)
    assert found.yes.tolist() == [True, True, False]
    assert found.no.tolist() == [False, False, True]


PLAN, AGE = (Column(f"attributes.{name}", free=True) for name in ("plan", "age"))
SAYINGS = st.one_of(st.none(), st.sampled_from(["gold", "iron"]), st.sampled_from([1.0, 2.0]))
ASKED: st.SearchStrategy[Condition] = st.one_of(
    st.builds(Compare, st.just(PLAN), st.sampled_from(["=", "!="]), SAYINGS.filter(bool)),
    st.builds(Compare, st.just(PLAN), st.sampled_from(tuple(SIGNS)), st.sampled_from([1.0, 2.0])),
    st.builds(OneOf, st.just(PLAN), st.just(("gold", 1.0))),
    st.just(Known(PLAN)),
)


def free(said: str | float | None) -> Free:
    return Free(
        said if isinstance(said, float) else nan, hash64(said) if isinstance(said, str) else 0
    )


@given(ASKED, st.lists(SAYINGS, min_size=1, max_size=5))
def test_words_and_numbers_are_judged_each_beside_their_like(
    condition: Condition, said: list[str | float | None]
) -> None:
    each = [free(one) for one in said]
    many = Free(
        np.array([one.numbers for one in each]), np.array([one.words for one in each], np.uint64)
    )
    told = judge(condition, lambda name: many)
    for place, one in enumerate(said):
        alone = judge_one(condition, {PLAN.name: each[place]})
        assert (bool(told.yes[place]), bool(told.no[place])) == tuple(alone)
        if isinstance(condition, Known):
            assert alone == Verdict(one is not None, one is None)
        elif isinstance(condition, OneOf):
            assert alone.yes == (one in ("gold", 1.0))
            # 2 is not gold, yet whether "iron" is a number, nobody says: neither in nor out.
            assert not alone.no
        elif type(one) is type(condition.value):
            assert alone == Verdict(*SIGNS_OF[condition.sign](one, condition.value))
        else:
            assert alone == Verdict(False, False)


SIGNS_OF = {
    sign: lambda one, other, sign=sign: (SIGNS[sign][0](one, other), SIGNS[sign][1](one, other))
    for sign in SIGNS
}


def test_what_nobody_said_is_unknown_in_words_as_in_numbers() -> None:
    for text in ("attributes.plan = gold", "attributes.plan != gold", "attributes.age > 3"):
        condition = parse_condition(text, {"attributes.*": Column("attributes.*", free=True)})
        assert judge_one(condition, {}) == Verdict(False, False)
    assert judge_one(Known(AGE), {}) == Verdict(False, True)
    assert names_in(Compare(PLAN, "=", "gold")) == {"attributes.plan"}
