"""The one table from errors to status codes, and the one shape of an error reply.

Every refusal reads `{"error": {"code", "field", "message"}}`. Knows nothing of why an
error was raised, and shows nothing of an unexpected one.
"""

import msgspec

from domain.errors import (
    CallerError,
    NotFound,
    OperatorError,
    SanderlingError,
    StoreUnavailable,
    Unavailable,
)
from service.http import Headers, Reply

RETRY_AFTER_S = 1


class ErrorDetail(msgspec.Struct, frozen=True):
    """What was wrong: a stable code, the field it concerns ("" for the whole), the reason."""

    code: str
    field: str
    message: str


class ErrorBody(msgspec.Struct, frozen=True):
    """The body of every reply with a status of 400 or more."""

    error: ErrorDetail


STATUS_BY_CODE: dict[str, int] = {
    "method_not_allowed": 405,
    "request_timeout": 408,
    "already_identified": 409,
    "version_conflict": 409,
    "body_too_large": 413,
    "too_many_rows": 413,
    "unsupported_encoding": 415,
}
"""Codes of a CallerError that have a status of their own; every other one is 400."""

STATUS_BY_TYPE: tuple[tuple[type[SanderlingError], int], ...] = (
    (NotFound, 404),
    (CallerError, 400),
    (Unavailable, 503),
    (OperatorError, 503),
    (SanderlingError, 500),
)
"""First match wins."""

_RETRY: Headers = ((b"retry-after", str(RETRY_AFTER_S).encode()),)
_encode = msgspec.json.Encoder().encode


def error_reply(
    status: int, code: str, message: str, field: str = "", headers: Headers = ()
) -> Reply:
    """Build the reply of one error."""
    body = ErrorBody(ErrorDetail(code, field, message))
    return Reply(status, _encode(body), headers)


def reply_for(error: SanderlingError) -> Reply:
    """Answer the reply that tells the caller of `error`.

    Of errors that are not the caller's, only the kind is told, never the message.
    """
    status = next(status for kind, status in STATUS_BY_TYPE if isinstance(error, kind))
    if isinstance(error, CallerError):
        status = STATUS_BY_CODE.get(error.code, status)
        return error_reply(status, error.code, error.message, error.field)
    if isinstance(error, StoreUnavailable):
        return error_reply(
            status, "store_unavailable", "the store cannot be reached; retry", headers=_RETRY
        )
    if status == 503:
        return error_reply(status, "unavailable", "not available just now; retry", headers=_RETRY)
    return internal_error()


def internal_error() -> Reply:
    """Answer the reply for an error nobody expected; it shows nothing of it."""
    return error_reply(500, "internal", "an unexpected error; it was counted and logged")
