"""Cursors come back as they went out, or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import BadField
from service.cursors import LIFETIME_MS, make_cursor, read_cursor

NOW = 1_760_000_000_000
PLACES = st.text(st.characters(exclude_categories=["Cs"]), max_size=256)


@given(PLACES, st.integers(-LIFETIME_MS, LIFETIME_MS))
def test_there_and_back(place: str, age: int) -> None:
    assert read_cursor("items", make_cursor("items", place, NOW), NOW + age) == place


@given(PLACES, st.data())
def test_one_changed_letter_is_noticed(place: str, data: st.DataObject) -> None:
    cursor = make_cursor("items", place, NOW)
    at = data.draw(st.integers(0, len(cursor) - 2))
    letter = data.draw(st.sampled_from("ABCxyz019-_").filter(lambda new: new != cursor[at]))
    with pytest.raises(BadField) as caught:
        read_cursor("items", cursor[:at] + letter + cursor[at + 1 :], NOW)
    assert caught.value.code == "bad_cursor"


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")))
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(BadField):
        read_cursor("items", text, NOW)


def test_of_another_listing_or_too_old() -> None:
    cursor = make_cursor("items", "p", NOW)
    for listing, now in (("users", NOW), ("items", NOW + LIFETIME_MS + 1), ("items", 0)):
        with pytest.raises(BadField):
            read_cursor(listing, cursor, now)
