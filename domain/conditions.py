"""Conditions: what a segment asks of a user, as a tree; and how it is judged, one or many at once.

What is unknown is neither true nor false: a comparison with it says neither yes nor no, `not`
keeps it so, and nobody is in an audience on account of something unknown (Kleene, 1938). Knows
nothing of where values come from; text is read by domain.condition_text, written by `text_of`.
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from math import nan
from typing import Any, NamedTuple

from domain.ids import hash64


class Column(NamedTuple):
    """Something a condition may name.

    name: in full, with a dot. unit, about: for people. words: of a column that holds one of
    some words, in their order; its value is the place of the word. free: whether it may hold any
    word or number at all; nobody knows beforehand which.
    """

    name: str
    unit: str = ""
    about: str = ""
    words: tuple[str, ...] = ()
    free: bool = False


class Free(NamedTuple):
    """What a free column holds of one user, or of n: a number (NaN for none) and the hash64 of a
    word in lower case (0 for none)."""

    numbers: Any = nan
    words: Any = 0


NOT_SAID = Free()
KEYWORDS = frozenset({"and", "or", "not", "in", "is", "known", "unknown", "between"})
Vocabulary = Mapping[str, Column]
"""Full name → column; `family.*` stands for the free columns of a family."""


class Verdict(NamedTuple):
    """Whether it holds, and whether it does not; of what is unknown neither. bool, or bool[n]."""

    yes: Any
    no: Any


@dataclass(frozen=True, slots=True)
class Compare:
    """A column beside a number (or the place of a word); a free one beside a word itself."""

    column: Column
    sign: str
    value: float | str


@dataclass(frozen=True, slots=True)
class OneOf:
    """A column is one of some values."""

    column: Column
    values: tuple[float | str, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """A column's value is known."""

    column: Column


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    part: "Condition"


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part holds; at least two, none of them an AllOf."""

    parts: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Some part holds; at least two, none of them an AnyOf."""

    parts: "tuple[Condition, ...]"


Condition = Compare | OneOf | Known | Not | AllOf | AnyOf
Lookup = Callable[[str], Any]
"""Full name → a float (NaN: unknown) or an array of numbers; Free of a free column."""

_Test = Callable[[Any, Any], Any]


def _both(one: Any, other: Any) -> Any:
    return one & other


def _either(one: Any, other: Any) -> Any:
    return one | other


SIGNS: Mapping[str, tuple[_Test, _Test]] = {
    "=": (operator.eq, operator.ne),
    "!=": (operator.ne, operator.eq),
    "<": (operator.lt, operator.ge),
    "<=": (operator.le, operator.gt),
    ">": (operator.gt, operator.le),
    ">=": (operator.ge, operator.lt),
}
"""Sign → when it holds, and when it does not."""


def all_of(parts: "list[Condition]") -> Condition:
    """Join parts by `and`; one part stays itself."""
    flat = [one for part in parts for one in (part.parts if isinstance(part, AllOf) else (part,))]
    return flat[0] if len(flat) == 1 else AllOf(tuple(flat))


def any_of(parts: "list[Condition]") -> Condition:
    """Join parts by `or`; one part stays itself."""
    flat = [one for part in parts for one in (part.parts if isinstance(part, AnyOf) else (part,))]
    return flat[0] if len(flat) == 1 else AnyOf(tuple(flat))


def judge(condition: Condition, lookup: Lookup) -> Verdict:
    """Answer the verdict on a user, or on n users when `lookup` answers arrays of n numbers."""
    match condition:
        case Compare(column, sign, value):
            held, known, value = _beside(lookup(column.name), value)
            holds, fails = SIGNS[sign]
            return Verdict(holds(held, value) & known, fails(held, value) & known)
        case OneOf(column, values):
            held = lookup(column.name)
            rows = [_beside(held, value) for value in values]
            yes = reduce(_either, [(held == value) & known for held, known, value in rows])
            no = reduce(_both, [(held != value) & known for held, known, value in rows])
            return Verdict(yes, no)
        case Known(column):
            known = _known(lookup(column.name))
            return Verdict(known, known ^ True)
        case Not(part):
            yes, no = judge(part, lookup)
            return Verdict(no, yes)
        case AllOf(parts):
            yes, no = zip(*(judge(part, lookup) for part in parts), strict=True)
            return Verdict(reduce(_both, yes), reduce(_either, no))
        case AnyOf(parts):
            yes, no = zip(*(judge(part, lookup) for part in parts), strict=True)
            return Verdict(reduce(_either, yes), reduce(_both, no))


def _beside(held: Any, value: float | str) -> tuple[Any, Any, float | int]:
    """Answer what is compared, whether it is known, and with what number."""
    if isinstance(value, str):
        words = held.words if isinstance(held, Free) else 0
        return words, words != 0, hash64(value)
    if isinstance(held, Free):
        held = held.numbers
    # NaN equals nothing, so that "differs from" alone must be told what is known.
    return held, held == held, value


def _known(held: Any) -> Any:
    if isinstance(held, Free):
        return (held.numbers == held.numbers) | (held.words != 0)
    return held == held


def judge_one(condition: Condition, values: Mapping[str, float | Free]) -> Verdict:
    """Answer the verdict on one user of whom `values` are known, by full name."""
    return judge(condition, lambda name: values.get(name, nan))


def names_in(condition: Condition) -> frozenset[str]:
    """Answer the full names of the columns that a condition asks for."""
    match condition:
        case Compare(column) | OneOf(column) | Known(column):
            return frozenset((column.name,))
        case Not(part):
            return names_in(part)
        case AllOf(parts) | AnyOf(parts):
            return frozenset[str]().union(*map(names_in, parts))


def text_of(condition: Condition) -> str:
    """Answer a condition as text with names in full; read again it is the same condition."""
    match condition:
        case Compare(column, sign, value):
            return f"{column.name} {sign} {_value(column, value)}"
        case OneOf(column, values):
            return f"{column.name} in ({', '.join(_value(column, value) for value in values)})"
        case Known(column):
            return f"{column.name} is known"
        case Not(Known(column)):
            return f"{column.name} is unknown"
        case Not(part):
            return f"not {_within(part, AllOf, AnyOf)}"
        case AllOf(parts):
            return " and ".join(_within(part, AnyOf) for part in parts)
        case AnyOf(parts):
            return " or ".join(text_of(part) for part in parts)


def _within(part: Condition, *loose: type) -> str:
    text = text_of(part)
    return f"({text})" if isinstance(part, loose) else text


def _value(column: Column, value: float | str) -> str:
    if isinstance(value, str):
        bare = _BARE.fullmatch(value) is not None and value not in KEYWORDS
        return value if bare else quoted(value)
    if column.words:
        return column.words[int(value)]
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(value)


_BARE = re.compile(r"[A-Za-z_]\w*", re.ASCII)


def quoted(text: str) -> str:
    """Answer a text in the quotes that it does not hold itself."""
    return f"'{text}'" if '"' in text else f'"{text}"'


def own_name(full: str) -> str:
    """Answer what stands behind the family in a free column's full name, without quotes."""
    name = full.partition(".")[2]
    return name[1:-1] if name[:1] in ("'", '"') else name
