"""From bytes to checked rows: one JSON value, a JSON array, or JSON lines.

The whole body is decoded at once; only when that fails is it taken row by row, so that a
good row is never lost for a bad neighbour. Knows the shape of a row by its msgspec type
alone, and nothing of what the rows mean.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

import msgspec

from domain.errors import BadBody, BadField, CallerError

MAX_ROWS = 1_000
MAX_DEPTH = 16
_BOM = b"\xef\xbb\xbf"
_BLANK = b" \t\r\n"
_WHERE = re.compile(r"(?s)(.*?)(?: - at (?:`key` in )?`\$(\[\d+\])?\.?(.*?)`)?")
_INT_DIGITS = 40

Row = TypeVar("Row")


class Rejected(msgspec.Struct, frozen=True):
    """A row that was refused: its place in the body (from 0), a code, the field, the reason."""

    index: int
    code: str
    field: str
    message: str


@dataclass(slots=True)
class Rows(Generic[Row]):
    """What a body held. `places` are the indices of `rows` in the body, in order.

    `single` is True when the body was one bare JSON object.
    """

    rows: list[Row]
    places: list[int]
    rejected: list[Rejected] = field(default_factory=list[Rejected])
    single: bool = False


def caller_error(error: Exception) -> CallerError:
    """Say what a decoding error means for whoever sent the JSON, as BadBody or BadField.

    BadField (a value has the wrong shape) names the field; BadBody is not JSON at all.
    """
    if isinstance(error, msgspec.ValidationError):
        found = _WHERE.fullmatch(str(error))
        text, place = (found[1], found[3] or "") if found else (str(error), "")
        named = text.partition("`")[2].rpartition("`")[0]
        if text.startswith("Object missing required field"):
            return BadField("required", field=_joined(place, named), code="missing")
        if text.startswith("Object contains unknown field"):
            shown = "".join(letter for letter in named[:64] if letter.isprintable())
            return BadField("unknown field", field=_joined(place, shown), code="unknown_field")
        wrong = "bad_type" if ", got `" in text else "bad_value"
        return BadField(text.replace("`", ""), field=place, code=wrong)
    if isinstance(error, RecursionError):
        return BadBody("nested too deeply", field="body", code="too_deep")
    if isinstance(error, UnicodeDecodeError):
        return BadBody(
            "broken text: not UTF-8, or half a surrogate pair", field="body", code="bad_json"
        )
    return BadBody("not JSON: " + str(error).removeprefix("JSON is malformed: "),
                   field="body", code="bad_json")  # fmt: skip


def _joined(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What decoding hostile bytes raises."""


class OneDecoder(Generic[Row]):
    """Decodes a body that is one JSON value of type `kind`."""

    def __init__(self, kind: type[Row]) -> None:
        self._decode = msgspec.json.Decoder(kind).decode

    def __call__(self, body: bytes) -> Row:
        """Answer the value; raises BadBody or BadField."""
        if not body.strip(_BLANK):
            raise BadBody("the body is empty", field="body", code="empty")
        try:
            return self._decode(body.removeprefix(_BOM))
        except UNREADABLE as error:
            raise caller_error(error) from error


class RowsDecoder(Generic[Row]):
    """Decodes a body of one row, an array of rows or rows on lines; rows are of type `kind`."""

    def __init__(self, kind: type[Row]) -> None:
        self._one = msgspec.json.Decoder(kind)
        self._many = msgspec.json.Decoder(list[kind])
        self._raws = msgspec.json.Decoder(list[msgspec.Raw])

    def __call__(self, body: bytes, content_type: bytes = b"") -> Rows[Row]:
        """Answer the rows of `body`; raises BadBody when it is empty, too many or no JSON."""
        text = body.removeprefix(_BOM).strip(_BLANK)
        if not text:
            raise BadBody("the body is empty", field="body", code="empty")
        if b"ndjson" in content_type or b"jsonl" in content_type:
            return self._lines(text)
        if text[:1] == b"[":
            return self._array(text)
        try:
            return Rows([self._one.decode(text)], [0], single=True)
        except UNREADABLE as error:
            if b"\n" in text and not isinstance(error, msgspec.ValidationError | RecursionError):
                return self._lines(text)
            raise caller_error(error) from error

    def _array(self, text: bytes) -> Rows[Row]:
        try:
            rows = self._many.decode(text)
        except UNREADABLE:
            return self._by_row(self._parts(text))
        _check_count(len(rows))
        return Rows(rows, list(range(len(rows))))

    def _lines(self, text: bytes) -> Rows[Row]:
        try:
            rows = self._one.decode_lines(text)
        except UNREADABLE:
            lines = [line for line in text.split(b"\n") if line.strip(_BLANK)]
            return self._by_row(lines)
        _check_count(len(rows))
        return Rows(rows, list(range(len(rows))))

    def _parts(self, text: bytes) -> list[bytes]:
        """Cut an array into its rows' bytes without looking at what they are."""
        try:
            return [bytes(raw) for raw in self._raws.decode(text)]
        except RecursionError as error:
            raise caller_error(error) from error
        except UNREADABLE as error:
            return _lenient_parts(text, error)

    def _by_row(self, parts: list[bytes]) -> Rows[Row]:
        _check_count(len(parts))
        found = Rows[Row]([], [])
        unreadable: CallerError | None = None
        for index, part in enumerate(parts):
            try:
                found.rows.append(self._one.decode(part))
                found.places.append(index)
            except UNREADABLE as error:
                told = caller_error(error)
                if isinstance(told, BadBody):
                    unreadable = told
                found.rejected.append(
                    Rejected(index, told.code, told.field.removeprefix("body"), told.message)
                )
        if unreadable is not None and all(
            rejected.code == unreadable.code for rejected in found.rejected
        ) and not found.rows:  # fmt: skip
            raise unreadable
        return found


def _check_count(count: int) -> None:
    if count > MAX_ROWS:
        raise BadBody(f"at most {MAX_ROWS:,} rows", field="body", code="too_many_rows")


def _lenient_parts(text: bytes, refused: Exception) -> list[bytes]:
    """Cut an array whose rows are not all strict JSON, so that one bad row spoils no other.

    Python's reader passes NaN, lone surrogates, control characters and broken UTF-8; the
    rows that hold them are refused one by one afterwards.
    """
    try:
        rows: Any = json.loads(
            text.decode("utf-8", "surrogateescape"),
            strict=False,
            parse_int=lambda digits: int(digits) if len(digits) <= _INT_DIGITS else float("inf"),
        )
    except (ValueError, RecursionError) as error:
        raise caller_error(refused) from error
    return [
        json.dumps(row, ensure_ascii=False).encode("utf-8", "surrogatepass")
        for row in cast("list[object]", rows)
    ]


def depth_within(value: object, levels: int = MAX_DEPTH) -> bool:
    """Tell whether `value` nests lists and objects at most `levels` deep."""
    if isinstance(value, dict):
        inner = list(cast("dict[str, object]", value).values())
    elif isinstance(value, list):
        inner = cast("list[object]", value)
    else:
        return True
    return levels > 0 and all(depth_within(child, levels - 1) for child in inner)
