"""Reading a condition: `recency > 30 and churn.band = high`, with the place of whatever is wrong.

    any     = all { "or" all }
    all     = one { "and" one }
    one     = "not" one | "(" any ")" | name test
    test    = sign value | [ "not" ] "in" "(" value { "," value } ")"
            | "between" value "and" value | "is" [ "not" ] ( "known" | "unknown" )
    sign    = "=" | "!=" | "<" | "<=" | ">" | ">="      ("==" and "<>" are understood)
    value   = number, or for a column of words one of them, bare or in quotes

Capital letters do not matter. A name may leave out what stands before its dot where only one
column ends so. `attributes.plan = gold` asks of what users were told to be; such a name is said in
full, in quotes after its dot when it is no plain word: `attributes."postal code" = "3011 AB"`.
Long, deep and strange texts are refused; nothing is ever run as code.
"""

import re
from collections.abc import Callable
from difflib import get_close_matches
from math import isfinite
from typing import NamedTuple, NoReturn

from domain.conditions import (
    KEYWORDS,
    Column,
    Compare,
    Condition,
    Known,
    Not,
    OneOf,
    Vocabulary,
    all_of,
    any_of,
    quoted,
)
from domain.errors import BadField

FIELD = "where"
MAX_CHARS = 2_000
MAX_DEPTH = 20
MAX_TESTS = 100
MAX_VALUES = 100
"""Values in one `in ( … )`."""

_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<number>[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?(?![\w.]))
    |(?P<name>[A-Za-z_]\w*(?:\.(?:"[^"]+"|'[^']+')|(?:\.\w+)*))
    |(?P<quoted>"[^"]*"|'[^']*')
    |(?P<sign><=|>=|!=|<>|==|=|<|>)
    |(?P<mark>[(),])""",
    re.VERBOSE | re.ASCII,
)
_SAME = {"==": "=", "<>": "!="}
_ORDERED = frozenset({"<", "<=", ">", ">="})
_PLAIN = re.compile(r"\w+(?:\.\w+)*", re.ASCII)


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


def _refuse(at: int, message: str, code: str = "bad_condition") -> NoReturn:
    raise BadField(f"character {at + 1}: {message}", field=FIELD, code=code)


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            _refuse(at, "neither a name, a number, a sign nor a bracket begins here")
        kind = str(match.lastgroup)
        if kind != "space":
            found.append(_Token(kind, match.group(), at))
        at = match.end()
    return [*found, _Token("end", "", len(text))]


def parse_condition(text: str, vocabulary: Vocabulary) -> Condition:
    """Read a condition.

    Raises BadField of the field `where`; its message begins with the place ("character 12: …",
    counted from 1), its code is bad_condition, unknown_name, or too_long.
    """
    if len(text) > MAX_CHARS:
        raise BadField(f"at most {MAX_CHARS:,} characters", field=FIELD, code="too_long")
    return _Reader(_tokens(text), vocabulary).whole()


class _Reader:
    """Recursive descent over tokens; as deep as MAX_DEPTH at most."""

    def __init__(self, tokens: list[_Token], vocabulary: Vocabulary) -> None:
        self._tokens = tokens
        self._vocabulary = vocabulary
        self._at = 0
        self._depth = 0
        self._tests = 0

    def whole(self) -> Condition:
        condition = self._any()
        if self._next.kind != "end":
            _refuse(self._next.at, "`and`, `or` or the end belongs here")
        return condition

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _take(self) -> _Token:
        token = self._next
        self._at += token.kind != "end"
        return token

    def _word(self, *words: str) -> str:
        """Take one of these keywords or marks if it stands next; answer it, else ""."""
        text = self._next.text.lower()
        if self._next.kind in ("name", "mark") and text in words:
            self._at += 1
            return text
        return ""

    def _must(self, mark: str) -> None:
        if not self._word(mark):
            _refuse(self._next.at, f"`{mark}` belongs here")

    def _any(self) -> Condition:
        return any_of(self._joined(self._all, "or"))

    def _all(self) -> Condition:
        return all_of(self._joined(self._one, "and"))

    def _joined(self, read: Callable[[], Condition], word: str) -> list[Condition]:
        parts = [read()]
        while self._word(word):
            parts.append(read())
        return parts

    def _one(self) -> Condition:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            _refuse(self._next.at, f"nested more than {MAX_DEPTH} deep", "too_long")
        if self._word("not"):
            found: Condition = Not(self._one())
        elif self._word("("):
            found = self._any()
            self._must(")")
        else:
            found = self._test()
        self._depth -= 1
        return found

    def _test(self) -> Condition:
        token = self._take()
        if token.kind != "name" or token.text.lower() in KEYWORDS:
            _refuse(token.at, "the name of a column belongs here")
        self._tests += 1
        if self._tests > MAX_TESTS:
            _refuse(token.at, f"more than {MAX_TESTS} comparisons", "too_long")
        column = self._column(token)
        if self._word("is"):
            return self._knowledge(column)
        if self._word("between"):
            low = self._value(column, ordered=True)
            self._must("and")
            high = self._value(column, ordered=True)
            return all_of([Compare(column, ">=", low), Compare(column, "<=", high)])
        opposite = self._word("not")
        if self._word("in"):
            found = OneOf(column, self._values(column))
            return Not(found) if opposite else found
        sign = self._take()
        if opposite or sign.kind != "sign":
            _refuse(
                sign.at, "`in` belongs here" if opposite else "a sign such as = or > belongs here"
            )
        value = self._value(column, ordered=sign.text in _ORDERED)
        return Compare(column, _SAME.get(sign.text, sign.text), value)

    def _knowledge(self, column: Column) -> Condition:
        opposite = bool(self._word("not"))
        word = self._word("known", "unknown")
        if not word:
            _refuse(self._next.at, "`known` or `unknown` belongs here")
        return Known(column) if (word == "known") != opposite else Not(Known(column))

    def _values(self, column: Column) -> tuple[float | str, ...]:
        self._must("(")
        found = [self._value(column)]
        while self._word(","):
            if len(found) == MAX_VALUES:
                _refuse(self._next.at, f"more than {MAX_VALUES} values", "too_long")
            found.append(self._value(column))
        self._must(")")
        return tuple(dict.fromkeys(found))

    def _value(self, column: Column, *, ordered: bool = False) -> float | str:
        token = self._take()
        if column.free and token.kind != "number":
            return self._said(column, token, ordered=ordered)
        if column.words:
            word = token.text.strip("\"'").lower()
            if token.kind not in ("name", "quoted") or word not in column.words:
                _refuse(token.at, f"{column.name} is one of {', '.join(column.words)}")
            return float(column.words.index(word))
        if token.kind != "number":
            _refuse(token.at, f"{column.name} is a number, so a number belongs here")
        value = float(token.text)
        if not isfinite(value):
            _refuse(token.at, "the number is too large")
        # Minus nothing is nothing, in text as well.
        return value + 0.0

    def _said(self, column: Column, token: _Token, *, ordered: bool) -> str:
        """Answer a word of a free column, as it is compared: in lower case, without quotes."""
        word = token.text.lower()
        if token.kind == "quoted":
            word = word[1:-1]
        elif token.kind != "name" or word in KEYWORDS:
            _refuse(token.at, f"a number, a word or a text in quotes belongs after {column.name}")
        if ordered:
            _refuse(token.at, "words have no order: compare them by =, != or in")
        return word

    def _column(self, token: _Token) -> Column:
        name = token.text.lower()
        found = self._vocabulary.get(name)
        if found is not None:
            return found
        family, _, rest = name.partition(".")
        free = self._vocabulary.get(f"{family}.*")
        if free is not None and rest:
            said = rest[1:-1] if rest[0] in "\"'" else rest
            plain = _PLAIN.fullmatch(said) is not None
            return free._replace(name=f"{family}.{said if plain else quoted(said)}")
        ends = [one for one in self._vocabulary if one.endswith("." + name)]
        if len(ends) == 1:
            return self._vocabulary[ends[0]]
        if ends:
            _refuse(token.at, f"say which: {', '.join(sorted(ends))}", "unknown_name")
        _refuse(token.at, _unknown(name[:64], self._vocabulary), "unknown_name")


def _unknown(name: str, vocabulary: Vocabulary) -> str:
    """Answer what to say of a name that nothing is called: what comes nearest, if anything does."""
    short = {one.partition(".")[2]: one for one in reversed(tuple(vocabulary))}
    short.pop("*", None)
    near = get_close_matches(name, [*vocabulary, *short], n=1)
    if near:
        return f"no such column; did you mean {short.get(near[0], near[0])}?"
    free = next((one[:-1] for one, column in vocabulary.items() if column.free), None)
    return "no such column" + (f"; an attribute is said as {free}{name}" if free else "")
