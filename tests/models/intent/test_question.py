"""Until when a question stands, event by event."""

import numpy as np
import pytest

from domain.events import Kind
from models.intent.question import kinds_of, stands

BUY, ADD, CLICK = int(Kind.purchase), int(Kind.add_to_cart), int(Kind.click)


@pytest.mark.parametrize(
    ("target", "wanted"),
    [
        ("purchase", [1, 1, 1, 0, 0]),
        ("add_to_cart", [1, 0, 0, 0, 0]),
        ("abandon", [0, 1, 1, 0, 0]),
    ],
)
def test_a_question_stands_until_it_is_answered(target: str, wanted: list[int]) -> None:
    kinds = np.array([CLICK, ADD, CLICK, BUY, CLICK] * 2, np.int8)
    found = stands(kinds, np.array([0, 5, 10]), target)
    assert found.tolist() == [bool(one) for one in wanted * 2]


def test_each_session_is_asked_anew():
    kinds = np.array([BUY, CLICK, CLICK, BUY], np.int8)
    found = stands(kinds, np.array([0, 2, 4]), "purchase")
    assert found.tolist() == [False, False, True, False]
    assert not len(stands(kinds[:0], np.array([0]), "purchase"))


def test_a_question_names_what_answers_it_and_what_it_needs():
    assert kinds_of("purchase") == (BUY, -1)
    assert kinds_of("add_to_cart") == (ADD, -1)
    assert kinds_of("abandon") == (BUY, ADD)
