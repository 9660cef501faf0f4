"""The OpenAPI document: the thin routes from the visible table, merged with FastAPI's own.

Schemas come from the very msgspec types that decode the bodies, so the document cannot say
one thing and the door do another. Knows nothing of what routes do.
"""

from inspect import cleandoc
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from service.codec import MAX_ROWS
from service.errors import RETRY_AFTER_S, ErrorBody
from service.http import Route

Document = dict[str, Any]

_REF = "#/components/schemas/{name}"
_JSON = "application/json"
_NDJSON = "application/x-ndjson"
_REASONS: dict[int, str] = {
    400: "Something in the request is wrong; the error names the field and the reason",
    404: "The named thing does not exist",
    408: "The body took too long to arrive",
    409: "It contradicts what is already stored",
    413: "The body is too large, or holds too many rows",
    415: "The body is encoded in a way that is not understood",
    500: "An unexpected error; it was counted and logged",
    503: f"The store cannot be reached; retry after {RETRY_AFTER_S} s",
}
_TAGS = (
    ("recommendations", "What to show."),
    ("bids", "What to pay."),
    ("campaigns", "Who advertises, and with what money."),
    ("events", "What happened."),
    ("users", "Who is known, and what may be used of them."),
    ("items", "What may be shown."),
    ("intent", "Who is about to buy."),
    ("churn", "Who is leaving, why, and whom it pays to reach."),
    ("segments", "Named audiences: saved conditions over features and scores."),
    ("operation", "How the service is."),
)


def build_document(app: FastAPI, routes: tuple[Route, ...]) -> Document:
    """Answer the whole document as JSON values."""
    document: Document = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
        tags=[{"name": name, "description": text} for name, text in _TAGS],
    )
    types = _types(routes)
    schemas, components = msgspec.json.schema_components(types, ref_template=_REF)
    schema_of = {id(kind): schema for kind, schema in zip(types, schemas, strict=True)}
    for component in components.values():
        if "description" in component:
            component["description"] = cleandoc(component["description"])
    document.setdefault("components", {}).setdefault("schemas", {}).update(components)
    paths: Document = document.setdefault("paths", {})
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schema_of)
    document["paths"] = dict(sorted(paths.items()))
    return document


def _types(routes: tuple[Route, ...]) -> list[Any]:
    types: list[Any] = [ErrorBody]
    for route in routes:
        types.extend(kind for kind in (route.body, *route.replies.values()) if kind is not None)
        types.extend(kind for kind, _ in route.query.values())
    return list({id(kind): kind for kind in types}.values())


def _operation(route: Route, schema_of: dict[int, Document]) -> Document:
    operation: Document = {
        "tags": [route.tag],
        "summary": route.summary,
        "operationId": route.handler.__name__,
    }
    if route.description:
        operation["description"] = route.description
    parameters = _parameters(route, schema_of)
    if parameters:
        operation["parameters"] = parameters
    if route.body is not None:
        operation["requestBody"] = _body(route, schema_of[id(route.body)])
    replies: Document = {}
    for status, kind in route.replies.items():
        replies[str(status)] = {"description": "Done"}
        if kind is not None:
            replies[str(status)]["content"] = {_JSON: {"schema": schema_of[id(kind)]}}
    errors = {400, 500, *route.errors, *((408, 413, 415) if route.body_cap else ())}
    if route.refuse is not None:
        replies["400"] = {"description": "It cannot be read; no content says why"}
        errors = set[int]()
    for status in sorted(errors):
        replies[str(status)] = {
            "description": _REASONS.get(status, "Refused"),
            "content": {_JSON: {"schema": schema_of[id(ErrorBody)]}},
        }
        if status == 503:
            replies["503"]["headers"] = {
                "Retry-After": {"schema": {"type": "integer"}, "description": "seconds"}
            }
    operation["responses"] = replies
    return operation


def _parameters(route: Route, schema_of: dict[int, Document]) -> list[Document]:
    parameters: list[Document] = [
        {
            "name": part[1:-1],
            "in": "path",
            "required": True,
            "description": "percent-encoded id",
            "schema": {"type": "string", "minLength": 1, "maxLength": 256},
        }
        for part in route.path.split("/")
        if part.startswith("{")
    ]
    parameters.extend(
        {
            "name": name,
            "in": "query",
            "required": False,
            "description": text,
            "schema": schema_of[id(kind)],
        }
        for name, (kind, text) in route.query.items()
    )
    return parameters


def _body(route: Route, schema: Document) -> Document:
    if not route.many:
        return {"required": True, "content": {_JSON: {"schema": schema}}}
    array = {"type": "array", "items": schema, "maxItems": MAX_ROWS}
    return {
        "required": True,
        "content": {
            _JSON: {"schema": {"oneOf": [schema, array]}},
            _NDJSON: {
                "schema": {"type": "string", "description": "one such object a line"},
            },
        },
    }
