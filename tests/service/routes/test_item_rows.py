"""From the JSON of an item to the domain's item and back, without a server."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.clock import FixedClock
from domain.errors import BadField, NotFound
from domain.items import Item
from service.routes.item_rows import ItemIn, ItemPatch, item_of, item_reply, patched

CLOCK = FixedClock(1_000)


def test_the_defaults_are_those_of_the_domain() -> None:
    assert item_of("i", ItemIn(), None, CLOCK) == Item("i", created_at=1_000)


def test_an_empty_change_changes_nothing() -> None:
    item = Item("i", "T", ("a",), {"x": 1.0}, 5, False, True, 7, 9)
    assert patched("i", ItemPatch(), item, CLOCK) == item


def test_there_must_be_something_to_change() -> None:
    with pytest.raises(NotFound):
        patched("i", ItemPatch(), None, CLOCK)


def test_prices_are_exact() -> None:
    decode = msgspec.json.Decoder(ItemIn).decode
    for text in (b'"0.1"', b"0.1", b"1e-1"):
        item = item_of("i", decode(b'{"price":' + text + b"}"), None, CLOCK)
        assert item.price == 100_000
        assert item_reply(item).price == 0.1


@given(st.text(max_size=20))
def test_any_title_is_taken_or_refused(title: str) -> None:
    if any((ord(letter) < 32 and letter not in "\t\n") or letter == "\x7f" for letter in title):
        with pytest.raises(BadField, match="control"):
            item_of("i", ItemIn(title=title), None, CLOCK)
    else:
        assert item_of("i", ItemIn(title=title), None, CLOCK).title == title
