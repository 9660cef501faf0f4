import dataclasses

import pytest

from domain.items import Item


@pytest.mark.parametrize(
    ("fields", "live"),
    [
        ({}, True),
        ({"available": False}, False),
        ({"hidden": True}, False),
        ({"expires_at": 1_001}, True),
        ({"expires_at": 1_000}, False),
        ({"expires_at": 0}, False),
    ],
)
def test_when_an_item_may_be_shown(fields: dict[str, bool | int], live: bool) -> None:
    assert dataclasses.replace(Item("tea"), **fields).is_live(1_000) is live


def test_items_are_equal_by_value_and_fixed() -> None:
    assert Item("tea", attributes={"a": 1.0}) == Item("tea", attributes={"a": 1.0})
    with pytest.raises(dataclasses.FrozenInstanceError):
        Item("tea").title = "x"  # type: ignore[misc]
