"""Just enough JSON Schema to try a document on its routes: examples that fit, and ones that do not.

Knows the words our documents use; an unknown one is an error, so that none is passed over.
"""

import re
import unicodedata
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from hypothesis import strategies as st

from service.shapes import ID_PATTERN, OPTIONAL_ID_PATTERN, TEXT_PATTERN

Schema = dict[str, Any]
KNOWN = {
    "$ref", "title", "description", "default", "type", "enum", "anyOf", "oneOf", "properties",
    "required", "additionalProperties", "propertyNames", "minProperties", "maxProperties",
    "items", "minItems", "maxItems", "minLength", "maxLength", "pattern", "format", "minimum",
    "maximum", "exclusiveMinimum",
}  # fmt: skip
TYPES: dict[str, Any] = {
    "string": str, "number": (int, float), "integer": int, "boolean": bool, "null": type(None),
    "array": list, "object": dict,
}  # fmt: skip
POOL: list[Any] = [
    None, True, 0, 1, -1, 0.5, 1e16, -1e16, 10**20, 10**30, "", " a", "a\x00b", "x" * 257,
    "x" * 2_000, "no such", "soon", "1e3", [], [1], [[]], ["a"] * 1_001, ["x" * 2_000], {},
    {"a": 1}, {"a": {"b": 1}}, {"": 1}, {"a": None}, {str(n): 1 for n in range(200)},
]  # fmt: skip
"""Values of which each schema forbids some."""

EARLIEST, LATEST = datetime.fromisoformat("1971-01-01"), datetime.fromisoformat("2199-01-01")

_ids = st.text("abcXYZ019-_. é", min_size=1, max_size=20).map(str.strip).filter(bool)
PATTERNS: dict[str, st.SearchStrategy[str]] = {
    ID_PATTERN: _ids,
    OPTIONAL_ID_PATTERN: _ids | st.just(""),
    TEXT_PATTERN: st.text("abc \t\né", max_size=20),
}


def fits_pattern(pattern: str, text: str) -> bool:
    """Match a pattern, also one with \\p{C} and \\p{Z}, which Python's re lacks."""
    if r"\p" in pattern:
        text = "".join(_plain(letter) for letter in text)
        pattern = pattern.replace(r"[^\p{C}\p{Z}]", "x")
    return re.fullmatch(pattern.removeprefix("^").removesuffix("$"), text) is not None


def _plain(letter: str) -> str:
    return letter if letter == " " else "\x00" if unicodedata.category(letter)[0] in "CZ" else "x"


class Schemas:
    """The schemas of one document."""

    def __init__(self, document: Schema) -> None:
        self.components: Schema = document["components"]["schemas"]

    def follow(self, schema: Schema) -> Schema:
        """Answer a schema with its reference, if any, in its place."""
        assert set(schema) <= KNOWN, set(schema) - KNOWN
        if "$ref" not in schema:
            return schema
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        return {**self.components[schema["$ref"].rpartition("/")[2]], **rest}

    def fits(self, schema: Schema, value: Any) -> bool:
        """Tell whether a value fits a schema."""
        schema = self.follow(schema)
        for word in ("anyOf", "oneOf"):
            if word in schema and not any(self.fits(part, value) for part in schema[word]):
                return False
        if "enum" in schema and value not in schema["enum"]:
            return False
        if "type" in schema:
            right = isinstance(value, TYPES[schema["type"]])
            if not right or (isinstance(value, bool) and schema["type"] in ("number", "integer")):
                return False
        if isinstance(value, str):
            return self._fits_text(schema, value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            low, above = schema.get("minimum", value), schema.get("exclusiveMinimum")
            return low <= value <= schema.get("maximum", value) and (above is None or value > above)
        if isinstance(value, list):
            few, many = schema.get("minItems", 0), schema.get("maxItems", len(value))
            part = schema.get("items", {})
            return few <= len(value) <= many and all(self.fits(part, each) for each in value)
        return not isinstance(value, dict) or self._fits_object(schema, value)

    def _fits_text(self, schema: Schema, value: str) -> bool:
        size = schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value))
        pattern = schema.get("pattern")
        if schema.get("format") == "date-time" and value == "soon":
            return False
        return size and (pattern is None or fits_pattern(pattern, value))

    def _fits_object(self, schema: Schema, value: dict[str, Any]) -> bool:
        known, more = schema.get("properties", {}), schema.get("additionalProperties", True)
        names = schema.get("propertyNames", {})
        return (
            all(name in value for name in schema.get("required", ()))
            and len(value) <= schema.get("maxProperties", len(value))
            and all(self.fits(names, name) for name in value)
            and all(
                self.fits(known[name], each)
                if name in known
                else more is not False and (more is True or self.fits(more, each))
                for name, each in value.items()
            )
        )

    def examples(self, schema: Schema) -> st.SearchStrategy[Any]:
        """Answer a strategy of values that fit a schema."""
        schema = self.follow(schema)
        whole = schema
        kind = schema.get("type")
        if kind is None and "enum" not in schema:
            parts = schema.get("anyOf") or schema.get("oneOf")
            if not parts:
                return st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab", max_size=3)
            made = st.one_of(*[self.examples(part) for part in parts])
        elif "enum" in schema:
            made = st.sampled_from(schema["enum"])
        elif kind == "string":
            made = self._texts(schema)
        elif kind in ("number", "integer"):
            made = self._numbers(schema)
        elif kind == "array":
            most = min(schema.get("maxItems", 3), 3)
            made = st.lists(
                self.examples(schema.get("items", {})),
                min_size=schema.get("minItems", 0), max_size=most,
            )  # fmt: skip
        elif kind == "object":
            made = self._objects(schema)
        else:
            made = {"boolean": st.booleans(), "null": st.none()}[kind]
        return made.filter(lambda value: self.fits(whole, value))

    def _texts(self, schema: Schema) -> st.SearchStrategy[str]:
        if schema.get("format") == "date-time":
            return st.datetimes(EARLIEST, LATEST).map("{}Z".format)
        pattern = schema.get("pattern")
        if pattern is None:
            return st.text("abc é", min_size=schema.get("minLength", 0), max_size=20)
        if pattern in PATTERNS:
            return PATTERNS[pattern]
        return st.from_regex(pattern, fullmatch=True, alphabet="019-.AZabcdefghijklmnopqrstuvwxyz")

    def _numbers(self, schema: Schema) -> st.SearchStrategy[float]:
        spans = [part for part in schema.get("anyOf", ()) if "minimum" in part] or [schema]
        low = min(span.get("minimum", span.get("exclusiveMinimum", -1e6)) for span in spans)
        high = max(span.get("maximum", 1e6) for span in spans)
        whole = st.integers(int(low), int(high))
        return whole if schema["type"] == "integer" else whole | st.floats(low, high)

    def _objects(self, schema: Schema) -> st.SearchStrategy[dict[str, Any]]:
        known = schema.get("properties", {})
        needed = {
            *schema.get("required", ()),
            *(name for part in schema.get("anyOf", ())[:1] for name in part.get("required", ())),
        }
        fixed = st.fixed_dictionaries(
            {name: self.examples(known[name]) for name in needed},
            optional={
                name: self.examples(part) for name, part in known.items() if name not in needed
            },
        )
        more = schema.get("additionalProperties", True)
        if known or more is False:
            return fixed
        each = self.examples({} if more is True else more)
        names = self.examples({**schema.get("propertyNames", {}), "type": "string"})
        return st.dictionaries(names, each, max_size=3)

    def broken(self, schema: Schema, good: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        """Answer what makes a fitting object unfit, one change at a time, each with its name."""
        schema = self.follow(schema)
        for value in (True, 0, "text"):
            if not self.fits(schema, value):
                yield f"the whole is {value!r}", value
        for name in schema.get("required", ()):
            yield f"no {name}", {key: value for key, value in good.items() if key != name}
        if schema.get("additionalProperties") is False:
            yield "an unknown name", {**good, "no_such_name": 1}
        for name, part in schema.get("properties", {}).items():
            for value in POOL:
                if not self.fits(part, value):
                    yield f"{name} is {str(value)[:40]!r}", {**good, name: value}
