"""The options say what they say, and what they cannot say is refused with the remedy."""

import argparse

import pytest

from domain.errors import ScientistError
from training.importing.arguments import (
    description_of,
    fill_parser,
    mapping_of,
    pairs,
    text_options,
)
from training.importing.presets import PRESETS


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    fill_parser(parser)
    return parser.parse_args(words)


def test_a_mapping_as_stated() -> None:
    args = parsed(
        "log.csv", "--user", "who", "--kind", "=purchase", "--at", "when", "--tz", "Europe/Berlin",
        "--at-unit", "iso", "--kind-map", "pv=click, buy=purchase", "--property", "shop",
        "--property", "size=cm", "--event-id", "id",
    )  # fmt: skip
    mapping = mapping_of(args)
    assert mapping.columns == {
        "user": "who", "kind": "=purchase", "at": "when", "event_id": "id",
    }  # fmt: skip
    assert mapping.kinds == {"pv": "click", "buy": "purchase"}
    assert mapping.properties == {"shop": "shop", "size": "cm"}
    assert (mapping.zone, mapping.unit) == ("Europe/Berlin", "iso")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--kind-map", "pv"], "WORD=KIND"),
        (["--kind-map", "pv=look"], "no such kind: look"),
        (["--tz", "Nowhere"], "no such time zone"),
        (["--property", "=x"], "is not NAME=COLUMN"),
    ],
)
def test_mappings_that_cannot_be(words: list[str], message: str) -> None:
    with pytest.raises(ScientistError, match=message):
        mapping_of(parsed(*words))


def test_text_options() -> None:
    options = text_options(parsed("--delimiter", "tab", "--no-header", "--encoding", "latin-1"))
    assert (options.delimiter, options.header, options.encoding) == ("\t", False, "latin-1")
    assert text_options(parsed()).delimiter == ""
    with pytest.raises(ScientistError, match="one character"):
        text_options(parsed("--delimiter", "::"))
    with pytest.raises(ScientistError, match="no such encoding"):
        text_options(parsed("--encoding", "klingon"))


def test_a_description_as_stated() -> None:
    args = parsed(
        "--item", "sku", "--title", "name", "--categories", "top,below", "--attribute",
        "size=cm:number", "--attribute", "brand", "--separator", ";",
    )  # fmt: skip
    found = description_of(args, "item", ["sku"])
    assert found.columns == {"item": "sku", "title": "name"}
    assert found.categories == ("top", "below")
    assert found.attributes == {"size": ("cm", "number"), "brand": ("brand", "")}
    assert found.separator == ";"
    with pytest.raises(ScientistError, match="type 'word' is not one of"):
        description_of(parsed("--attribute", "a:word"), "item", [])


def test_a_description_takes_what_is_recognised() -> None:
    users = description_of(parsed("--title", "name"), "user", ["customer_id", "price"])
    assert users.columns == {"user": "customer_id"}
    assert users.attributes is None
    items = description_of(parsed("--title", "name"), "item", ["sku", "price", "categories"])
    assert items.columns == {"item": "sku", "title": "name", "price": "price"}
    assert items.categories == ("categories",)


def test_pairs() -> None:
    assert pairs("--x", ["a", "b=c"]) == {"a": "a", "b": "c"}


def test_the_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parsed("--help")
    told = capsys.readouterr().out
    assert "examples:" in told
    for preset in PRESETS:
        assert preset in told
