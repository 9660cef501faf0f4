"""Tokens of catalogue entries: any language, any length, numbers by bands."""

from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.items import Item
from models.recommend.words import LONGEST, TITLE, tokens, words


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Blue MUG, 2-pack", ["blue", "mug", "2", "pack"]),
        ("Straße ÉCOLE école", ["strasse", "école", "école"]),
        ("\uff21\uff22\uff23 \u00bd", ["abc", "1", "2"]),
        ("東京タワー", ["東京", "京タ", "タワ", "ワー"]),
        ("iPhone用ケース", ["iphone", "用ケ", "ケー", "ース"]),
        ("茶", ["茶"]),
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
        ("_a_b_", ["a", "b"]),
        ("\x00\x01\n\t", []),
        ("", []),
    ],
)
def test_words_of_any_language(text, wanted):
    assert list(words(text)) == wanted


def test_a_megabyte_of_title_costs_as_much_as_what_is_read_of_it():
    begun = perf_counter()
    for title in ("x" * 1_000_000, "a " * 500_000, "\ufdfa" * 400_000, "\u0000" * 1_000_000):
        found = tokens(Item("i", title), {})
        assert len(found) <= TITLE * 18
        assert all(len(token) <= LONGEST + 2 for token in found)
    assert perf_counter() - begun < 0.5


def test_categories_attributes_and_bands_are_told_apart():
    told = {"red": "red", "on": True, "tags": ["red", "new"], "year": 7.0}
    item = Item("i", "red", ("red",), told, 5_000_000)
    assert tokens(item, {"price": [1.0, 5.0, 9.0], "year=": [10.0]}) == {
        "w red": 1, "c red": 1, "a red=t:red": 1, "a on=b:true": 1, "a tags=t:red": 1,
        "a tags=t:new": 1, "n price2": 1, "n price2+": 1, "n price1+": 1,
        "n year=0": 1, "n year=0+": 1, "n year=-1+": 1,
    }  # fmt: skip


def test_neighbouring_bands_share_a_token_and_others_none():
    bands = {"price": [10.0, 20.0, 30.0]}
    found = [set(tokens(Item("i", price=at * 1_000_000), bands)) for at in (5, 15, 35)]
    assert len(found[0] & found[1]) == 1
    assert not found[0] & found[2]


def test_as_many_values_are_read_as_there_is_room_for():
    item = Item("i", "", tuple(f"c{n}" for n in range(500)), {"a": ["v" * 900] * 500, "b": "z"})
    found = tokens(item, {})
    assert sum(found.values()) == 64 + 64
    assert not any(token.startswith("a b=") for token in found)


@given(st.text(max_size=300), st.lists(st.text(max_size=80), max_size=5))
def test_no_text_is_too_odd(title, values):
    item = Item("i", title, tuple(values), {"a": values})
    assert tokens(item, {}) == tokens(item, {})
