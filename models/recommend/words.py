"""From what the catalogue says of an item to tokens: title words, categories, attributes, bands.

Any language: words are runs of letters and digits of Unicode; scripts written without blanks
give pairs of neighbouring letters. However long a text is, a bounded part of it is read. Knows
nothing of what tokens weigh.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from unicodedata import normalize

from domain.items import Item
from models.recommend.catalogue import token

TITLE = 1_000
"""Characters of a title that are read."""
VALUES = 64
"""Categories that are read, and values of attributes."""
LONGEST = 64
"""Characters of a word, a category or a value that are read."""
PRICE = "price"

_MARKS = "\u0300-\u036f\u064b-\u065f\u0900-\u0963\u0966-\u0dff\u0e31-\u0e4e\u102b-\u103e"
"""Vowel signs and accents that stand by themselves, and are parts of words."""
_WORD = re.compile(rf"(?:[^\W_]|[{_MARKS}])+")
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]+"
)
"""Thai, Lao, Burmese, Khmer, kana, Chinese, Hangul."""

Bands = Mapping[str, Sequence[float]]
"""Name of a number → where one band of it ends and the next begins, rising."""


def words(text: str) -> Iterator[str]:
    """Yield the words of a text in lower case, of full-width letters as of plain ones."""
    for run in _WORD.findall(normalize("NFKC", text[:TITLE]).casefold()):
        start = 0
        for found in _UNSPACED.finditer(run):
            yield from _short(run[start : found.start()])
            letters, start = found.group(), found.end()
            yield from (letters[i : i + 2] for i in range(max(1, len(letters) - 1)))
        yield from _short(run[start:])


def _short(word: str) -> tuple[str, ...]:
    return (word[:LONGEST],) if word else ()


def numbers(item: Item) -> Iterator[tuple[str, float]]:
    """Yield the numbers of an item by name: its price in units, and its numeric attributes."""
    if item.price is not None:
        yield PRICE, item.price / 1e6
    for name, value in item.attributes.items():
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            yield f"{name[:LONGEST]}=", float(value)


def tokens(item: Item, bands: Bands) -> dict[str, int]:
    """Answer how often each token stands in an item; numbers count by the band they lie in."""
    found: dict[str, int] = {}

    def add(one: str) -> None:
        found[one] = found.get(one, 0) + 1

    for word in words(item.title):
        add(f"w {word}")
    for category in item.categories[:VALUES]:
        add(f"c {category[:LONGEST]}")
    room = VALUES
    for name, value in item.attributes.items():
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            continue
        for one in (value if isinstance(value, list) else (value,))[:room]:
            add(f"a {name[:LONGEST]}={token(one)[:LONGEST]}")
            room -= 1
    for name, number in numbers(item):
        edges = bands.get(name)
        if edges is not None:
            # Neighbouring bands share a token, so that an edge does not part what is alike.
            band = sum(number >= edge for edge in edges)
            add(f"n {name}{band}")
            add(f"n {name}{band}+")
            add(f"n {name}{band - 1}+")
    return found
