"""The two shapes a hot route knows: a Request of bytes and a Reply of bytes; and its Route.

A hot route is an async function `(context, request) -> reply`. It raises errors of
domain.errors for what goes wrong; the dispatcher turns them into JSON with a status.
Knows nothing of ASGI, sockets or which routes exist.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl

import msgspec

from domain.errors import BadField, SanderlingError

if TYPE_CHECKING:
    from service.context import Context

Headers = Sequence[tuple[bytes, bytes]]

MAX_QUERY_FIELDS = 64
_encode = msgspec.json.Encoder().encode


class Request(NamedTuple):
    """One request, its body whole, inflated and within the route's cap.

    `path` is percent-decoded; `query` is the raw query string; header names are lower
    case; `param` is the decoded id in the path, "" when the route has none.
    """

    method: str
    path: str
    query: bytes = b""
    headers: Headers = ()
    body: bytes = b""
    param: str = ""


class Reply(NamedTuple):
    """One answer; a body is JSON unless `content_type` says otherwise.

    parts: a body too large to be held whole; `body` is then empty.
    """

    status: int
    body: bytes = b""
    headers: Headers = ()
    content_type: bytes = b"application/json"
    parts: AsyncIterator[bytes] | None = None


HotRoute = Callable[["Context", Request], Awaitable[Reply]]


@dataclass(slots=True, frozen=True)
class Route:
    """One line of the visible table of routes: what the dispatcher and the document need.

    path: exact, or with one `{name}` segment. body_cap: bytes after inflation, 0 when the
    route takes no body. body, replies: the msgspec types the document shows (status ->
    type, None for an empty body). many: the body may also be a JSON array or NDJSON of
    `body`. query: name -> (type, what it means). errors: the statuses it answers besides
    400, 413, 415 (with a body) and 500. refuse: how its protocol tells of an error, when not
    in the one shape of all others.
    """

    method: str
    path: str
    handler: HotRoute
    summary: str
    tag: str
    body: object = None
    replies: dict[int, object] = field(default_factory=dict[int, object])
    body_cap: int = 0
    many: bool = False
    query: dict[str, tuple[object, str]] = field(default_factory=dict[str, tuple[object, str]])
    errors: tuple[int, ...] = ()
    description: str = ""
    refuse: Callable[[SanderlingError], Reply] | None = None
    admit: "Callable[[Context, Headers], Reply | None] | None" = None
    leave: "Callable[[Context], None] | None" = None


def json_reply(value: object, status: int = 200, headers: Headers = ()) -> Reply:
    """Encode `value` (a msgspec Struct, dict, list …) as the JSON body of a Reply."""
    return Reply(status, _encode(value), headers)


def header(request: Request, name: bytes) -> bytes:
    """Answer the first header called `name` (lower case), b"" when there is none."""
    for key, value in request.headers:
        if key == name:
            return value
    return b""


def query_of(request: Request, allowed: frozenset[str]) -> dict[str, str]:
    """Answer the query's fields; refuses unknown, repeated, undecodable and too many ones.

    Raises BadField naming the field.
    """
    if not request.query:
        return {}
    try:
        pairs = parse_qsl(
            request.query.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MAX_QUERY_FIELDS,
        )
    except ValueError as error:
        raise BadField("the query string cannot be decoded", field="query") from error
    values: dict[str, str] = {}
    for name, value in pairs:
        if name not in allowed:
            raise BadField(
                "unknown query field; one of " + ", ".join(sorted(allowed)),
                field="query",
                code="unknown_field",
            )
        if name in values:
            raise BadField("given more than once", field=name)
        values[name] = value
    return values
