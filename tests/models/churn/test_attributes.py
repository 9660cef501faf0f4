"""Attributes: numbers, words, and everything that is neither."""

import json
import math

import numpy as np
import pytest

from models.churn.attributes import Attributes, number, word
from training.fit.churn.table import attributes_of

PLANS = Attributes(("age",), {"plan": ("gold", "silver")})


def test_columns_are_named_after_attribute_and_category() -> None:
    assert PLANS.names() == ("attribute.age", "attribute.plan=gold", "attribute.plan=silver")
    assert PLANS.groups() == ("attribute.age", "attribute.plan", "attribute.plan")


def test_words_are_flags_and_numbers_themselves() -> None:
    found = PLANS.encode([{"age": 30, "plan": "gold"}, {"age": "41.5", "plan": "silver"}])
    assert found.tolist() == [[30, 1, 0], [41.5, 0, 1]]


def test_a_category_unseen_at_training_is_none_of_those_known() -> None:
    assert PLANS.encode([{"age": 1, "plan": "platinum"}]).tolist() == [[1, 0, 0]]


@pytest.mark.parametrize("odd", [None, "", math.nan, math.inf, -math.inf, "inf", [1], {}])
def test_what_is_no_number_is_missing(odd) -> None:
    assert math.isnan(number(odd))
    assert np.isnan(PLANS.encode([{"age": odd}])).all()


def test_flags_are_words_and_numbers() -> None:
    assert (word(True), word(False), word(2.0), word("x")) == ("yes", "no", "2", "x")
    assert number(True) == 1.0


def test_they_come_back_from_json() -> None:
    again = Attributes.from_params(json.loads(json.dumps(PLANS.params())))
    assert again.names() == PLANS.names()
    assert Attributes().names() == ()


def test_what_is_read_is_decided_by_what_is_there() -> None:
    people = [
        {"age": n, "plan": "gold" if n % 3 else "free", "id": f"u{n}", "same": 1, "two": "x"}
        for n in range(60)
    ]
    found = attributes_of(people)
    # One value, or as many values as people, says nothing; of two categories one is enough.
    assert found.numbers == ("age",)
    assert found.words == {"plan": ("gold",)}


def test_nan_and_infinite_attributes_do_not_become_categories() -> None:
    people = [{"score": n} for n in range(50)] + [{"score": math.nan}, {"score": math.inf}]
    found = attributes_of(people)
    assert found.numbers == ("score",)
    assert np.isnan(found.encode(people[-2:])).all()
