"""The US Privacy String: three answers, and nothing is guessed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.usprivacy import opted_out


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("1YNN", False), ("1YYN", True), ("1YYY", True), ("1NYN", True), ("1---", False),
        ("1-N-", False), ("1YN-", False), ("1yyn", True), ("1ynn", False),
    ],
)  # fmt: skip
def test_known_strings(text: str, told: bool) -> None:
    assert opted_out(text) is told


@pytest.mark.parametrize(
    "text", ["", "1", "1YN", "1YNNN", "2YNN", "{invalid}", "uspConsentString", "YNN1", "1Y?N"]
)
def test_what_is_none_says_nothing(text: str) -> None:
    assert opted_out(text) is None


@given(st.text(max_size=6))
def test_any_text_is_answered(text: str) -> None:
    assert opted_out(text) in (True, False, None)
