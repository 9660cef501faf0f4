"""What users were told to be (attributes of profiles) as columns of a sweep, for conditions.

A number becomes `attributes.<name>`, a word the hash64 of its lower case in `words.<name>`: a
sweep keeps no name, address or other text that somebody wrote. Only the most common names are
kept. Knows nothing of conditions or of consent: whoever calls leaves out who refused.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import isfinite, nan
from typing import Any

import numpy as np
import numpy.typing as npt

from domain.conditions import Free
from domain.ids import hash64
from feature_store.sweeps.table import SweepTable

Array = npt.NDArray[Any]
NUMBERS, WORDS = "attributes.", "words."
MOST = 64
"""Names kept of a sweep, as many as one user may have."""


def said(value: object) -> Free:
    """Answer an attribute's value as conditions see it: numbers as they are, words as a hash.

    A flag is the word true or false; a text that is a number counts as both. A list, and
    what is no finite number, says nothing.
    """
    if isinstance(value, bool):
        return Free(nan, hash64("true" if value else "false"))
    if isinstance(value, str):
        return Free(_number(value), hash64(value.strip().lower())) if value.strip() else Free()
    return Free(float(value)) if isinstance(value, int | float) and isfinite(value) else Free()


def _number(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        return nan
    return found if isfinite(found) else nan


def attribute_columns(people: Sequence[Mapping[str, Any]]) -> dict[str, Array]:
    """Answer the columns of n users' attributes: float64[n] (NaN: none), uint64[n] (0: none)."""
    lower = [{name.lower(): value for name, value in person.items()} for person in people]
    common = Counter(name for person in lower for name in person).most_common(MOST)
    out: dict[str, Array] = {}
    for name, _ in common:
        values = [said(person.get(name)) for person in lower]
        numbers = np.array([one.numbers for one in values], np.float64)
        words = np.array([one.words for one in values], np.uint64)
        if not np.isnan(numbers).all():
            out[NUMBERS + name] = numbers
        if words.any():
            out[WORDS + name] = words
    return out


def joined_attributes(tables: Sequence[SweepTable]) -> dict[str, Array]:
    """Answer the attributes of several tables below one another, unknown where a table has none
    of a name; of all names the most common."""
    count: Counter[str] = Counter()
    for table in tables:
        for name in names_in(table.columns):
            count[name] += _known(table.columns, name)
    out: dict[str, Array] = {}
    for name, _ in count.most_common(MOST):
        for column, nothing in ((NUMBERS + name, np.float64(nan)), (WORDS + name, np.uint64(0))):
            if any(column in table.columns for table in tables):
                parts: list[Array] = [
                    table.columns.get(column, np.full(len(table), nothing)) for table in tables
                ]
                out[column] = np.concatenate(parts)
    return out


def _known(columns: Mapping[str, Array], name: str) -> int:
    numbers, words = columns.get(NUMBERS + name), columns.get(WORDS + name)
    return max(
        0 if numbers is None else int(np.isfinite(numbers).sum()),
        0 if words is None else int(np.count_nonzero(words)),
    )


def names_in(columns: Iterable[str]) -> list[str]:
    """Answer the names of the attributes that columns hold, in their order."""
    prefixes = (NUMBERS, WORDS)
    return list(dict.fromkeys(one.partition(".")[2] for one in columns if one.startswith(prefixes)))


def column_of(table: SweepTable, name: str) -> Free:
    """Answer what all users said of an attribute, its name in lower case."""
    n = len(table)
    numbers, words = table.columns.get(NUMBERS + name), table.columns.get(WORDS + name)
    return Free(
        np.full(n, nan) if numbers is None else numbers,
        np.zeros(n, np.uint64) if words is None else words,
    )
