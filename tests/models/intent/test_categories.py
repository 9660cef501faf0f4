"""Categories: codes of names, and looking items up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.intent.categories import Categories, category_code


@given(st.text())
def test_a_code_is_a_positive_int32_and_always_the_same(name: str) -> None:
    assert 1 <= category_code(name) < 2**31
    assert category_code(name) == category_code(name)


def test_items_have_their_code_and_others_none() -> None:
    known = Categories.made({2**63 + 5: 7, 3: 9, 4: 0})
    assert known.of(np.array([3, 4, 2**63 + 5, 0, 2**64 - 1], np.uint64)).tolist() == [
        9,
        0,
        7,
        0,
        0,
    ]


def test_an_empty_table_knows_nothing() -> None:
    found = Categories.made({}).of(np.array([1, 2], np.uint64))
    assert found.tolist() == [0, 0]
    assert found.dtype == np.int32


def test_it_comes_back_from_its_arrays() -> None:
    known = Categories.made({5: 1, 2: 3})
    asked = np.array([2, 5, 9], np.uint64)
    assert Categories.from_arrays(known.arrays()).of(asked).tolist() == [3, 1, 0]


@pytest.mark.parametrize("items", [[5, 2], [2, 2], [2]])
def test_items_out_of_order_or_without_a_code_are_refused(items: list[int]) -> None:
    with pytest.raises(ValueError, match="rise"):
        Categories(np.array(items, np.uint64), np.array([1, 3], np.int32))
