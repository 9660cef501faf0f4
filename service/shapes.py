"""The types that request bodies share: ids, amounts, times, attributes; with their schemas.

msgspec checks types and sizes while it decodes; what it cannot check is said in the schema
here and checked by the domain. Knows nothing of any one route.
"""

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta

from domain.clock import Clock
from domain.errors import BadField
from domain.events import MAX_AT_MS, parse_at
from domain.ids import MAX_ID_BYTES, is_valid_id
from domain.money import MAX_UNITS

_PRINTABLE = r"[^\p{C}\p{Z}](([^\p{C}\p{Z}]| )*[^\p{C}\p{Z}])?"
SECONDS_BELOW = 100_000_000_000
ID_PATTERN = f"^{_PRINTABLE}$"
OPTIONAL_ID_PATTERN = f"^({_PRINTABLE})?$"
TEXT_PATTERN = r"^[^\x00-\x08\x0b-\x1f\x7f]*$"

_ID_TEXT = "1 to 256 bytes of printable text without blanks at either end"
_SIZE = {"maxLength": MAX_ID_BYTES}

Id = Annotated[
    str,
    Meta(description=_ID_TEXT, extra_json_schema={"pattern": ID_PATTERN, "minLength": 1, **_SIZE}),
]
"""An id that must be there; check with `check_id`."""

OptionalId = (
    Annotated[
        str,
        Meta(
            description=_ID_TEXT + "; empty is as if absent",
            extra_json_schema={"pattern": OPTIONAL_ID_PATTERN, **_SIZE},
        ),
    ]
    | None
)
"""An id or a label that may be absent, null or empty."""

_UNITS = {"minimum": -MAX_UNITS, "maximum": MAX_UNITS}
_AT = {
    "anyOf": [
        {"minimum": 0, "maximum": MAX_AT_MS / 1_000},
        {"minimum": SECONDS_BELOW, "maximum": MAX_AT_MS},
    ]
}

Amount = (
    Annotated[float, Meta(extra_json_schema=_UNITS)]
    | Annotated[int, Meta(extra_json_schema=_UNITS)]
    | Annotated[
        str,
        Meta(
            pattern=r"^-?[0-9]{1,9}(\.[0-9]{1,12})?$",
            description="the same as text, so that no decimal is lost on the way",
        ),
    ]
)
"""An amount in units, kept to the millionth."""

Price = (
    Annotated[float, Meta(ge=0, le=MAX_UNITS)]
    | Annotated[int, Meta(ge=0, le=MAX_UNITS)]
    | Annotated[str, Meta(pattern=r"^[0-9]{1,9}(\.[0-9]{1,12})?$")]
)
"""An amount in units of the house currency that is not negative."""

At = (
    Annotated[
        str,
        Meta(
            max_length=40,
            description="ISO 8601, from 1970 to 2199; without an offset it is UTC",
            extra_json_schema={"format": "date-time"},
        ),
    ]
    | Annotated[
        float,
        Meta(
            description=f"epoch seconds below {SECONDS_BELOW:,}, else epoch milliseconds",
            extra_json_schema=_AT,
        ),
    ]
    | Annotated[int, Meta(extra_json_schema=_AT)]
)
"""A moment."""

MAX_NUMBER = 1e15
MAX_ATTRIBUTES = 64
Name = Annotated[str, Meta(min_length=1, max_length=128, extra_json_schema={"pattern": ID_PATTERN})]
Text = Annotated[str, Meta(max_length=1_024, extra_json_schema={"pattern": TEXT_PATTERN})]
Value = (
    Text
    | Annotated[float, Meta(ge=-MAX_NUMBER, le=MAX_NUMBER)]
    | Annotated[int, Meta(ge=-(10**15), le=10**15)]
    | bool
    | Annotated[list[Text], Meta(max_length=100)]
)
Attributes = Annotated[dict[Name, Value], Meta(max_length=MAX_ATTRIBUTES)]
"""Names to texts, numbers, flags or lists of texts."""

AttributePatch = Annotated[dict[Name, Value | None], Meta(max_length=MAX_ATTRIBUTES)]
"""The same; a null removes the name."""


def check_id(text: str, field: str) -> str:
    """Answer `text` when it is a valid id; raises BadField naming `field`."""
    if not is_valid_id(text):
        raise BadField(_ID_TEXT, field=field)
    return text


def check_text(text: str, field: str) -> str:
    """Answer `text` unless it holds control characters other than tab and line feed."""
    if not text.isprintable() and any(
        (letter < " " and letter not in "\t\n") or letter == "\x7f" for letter in text
    ):
        raise BadField("no control characters", field=field)
    return text


def check_attributes(attributes: Mapping[str, Value | None], field: str) -> None:
    """Refuse unprintable names and control characters in texts; raises BadField."""
    for name, value in attributes.items():
        check_id(name, field)
        if isinstance(value, str):
            check_text(value, field)
        elif isinstance(value, list):
            for text in value:
                check_text(text, field)


def check_at(at: str | float | int | None, field: str, clock: Clock) -> int | None:
    """Answer UTC milliseconds of a moment, None for None; raises BadField naming `field`."""
    if at is None:
        return None
    try:
        return parse_at(at, clock())
    except BadField as error:
        raise BadField(error.message, field=field) from error
    except OverflowError as error:
        raise BadField("outside 1970 to 2200", field=field) from error
