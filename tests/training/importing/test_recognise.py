"""Recognising columns: by usual names in any writing, the likelier first, none twice."""

import pytest

from domain.events import Kind
from training.importing.canonical import CANONICAL
from training.importing.recognise import KIND_WORDS, USUAL, recognise


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["user", "item", "at"], {"user": "user", "item": "item", "at": "at"}),
        (
            ["InvoiceNo", "StockCode", "Quantity", "InvoiceDate", "CustomerID"],
            {
                "session": "InvoiceNo", "item": "StockCode", "quantity": "Quantity",
                "at": "InvoiceDate", "user": "CustomerID",
            },
        ),
        (["User ID", "event-time"], {"user": "User ID", "at": "event-time"}),
        (["user_id", "customer_id"], {"user": "user_id"}),
        (["colour"], {}),
    ],
)  # fmt: skip
def test_usual_names(names: list[str], found: dict[str, str]) -> None:
    assert recognise(names) == found


def test_the_tables_speak_our_language() -> None:
    assert set(USUAL) <= set(CANONICAL)
    assert set(KIND_WORDS.values()) <= {kind.name for kind in Kind}
    assert not set(KIND_WORDS) & {kind.name for kind in Kind}
