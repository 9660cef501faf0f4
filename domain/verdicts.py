"""Conditions made ready to be asked of one user after another: plain calls, words hashed before.

The same logic as domain.conditions.judge, which is the definition, with its three values as
numbers: what is unknown lies between no and yes, so `and` is the least of its parts, `or` the
greatest, `not` the opposite (Kleene, 1938). Knows nothing of where values come from.
"""

from collections.abc import Callable
from typing import Any

from domain.conditions import (
    SIGNS,
    AllOf,
    Compare,
    Condition,
    Free,
    Known,
    Lookup,
    Not,
    OneOf,
)
from domain.ids import hash64

NO, UNKNOWN, YES = -1, 0, 1
Ready = Callable[[Lookup], int]
"""Answers NO, UNKNOWN or YES of whom the lookup tells."""


def ready(condition: Condition) -> Ready:
    """Answer the question that a condition asks of one user."""
    match condition:
        case Compare(column, sign, value):
            return _compare(column.name, SIGNS[sign][0], value)
        case OneOf(column, values):
            return _any([_compare(column.name, SIGNS["="][0], value) for value in values])
        case Known(column):
            return _known(column.name)
        case Not(part):
            inner = ready(part)
            return lambda lookup: -inner(lookup)
        case AllOf(parts):
            return _all([ready(part) for part in parts])
        case _:
            return _any([ready(part) for part in condition.parts])


def _compare(name: str, holds: Callable[[Any, Any], Any], value: float | str) -> Ready:
    if isinstance(value, str):
        word = hash64(value)

        def of_words(lookup: Lookup) -> int:
            held = lookup(name)
            if not isinstance(held, Free) or not held.words:
                return UNKNOWN
            return YES if holds(held.words, word) else NO

        return of_words

    def of_numbers(lookup: Lookup) -> int:
        held = lookup(name)
        if isinstance(held, Free):
            held = held.numbers
        if held != held:
            return UNKNOWN
        return YES if holds(held, value) else NO

    return of_numbers


def _known(name: str) -> Ready:
    def known(lookup: Lookup) -> int:
        held = lookup(name)
        if isinstance(held, Free):
            return YES if held.numbers == held.numbers or held.words else NO
        return YES if held == held else NO

    return known


def _all(parts: list[Ready]) -> Ready:
    def every(lookup: Lookup) -> int:
        least = YES
        for part in parts:
            told = part(lookup)
            if told < least:
                least = told
                if least == NO:
                    break
        return least

    return every


def _any(parts: list[Ready]) -> Ready:
    def some(lookup: Lookup) -> int:
        most = NO
        for part in parts:
            told = part(lookup)
            if told > most:
                most = told
                if most == YES:
                    break
        return most

    return some
