"""The service's own log: one JSON object a line on standard error, never an id or a body.

Of an unexpected error it keeps the type and the places in the code, not the message,
which may quote what a caller sent.
"""

import json
import logging
import sys
import time
import traceback

_logger = logging.getLogger("sanderling.service")
MAX_FRAMES = 12


class JsonLines(logging.Formatter):
    """Format a record as one JSON object: at, level, name, message and its `fields`."""

    def format(self, record: logging.LogRecord) -> str:
        """Answer the line; an exception on the record shows as its type and places only."""
        line: dict[str, object] = {
            "at": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "name": record.name,
            "message": record.getMessage(),
        }
        fields = getattr(record, "fields", None)
        if isinstance(fields, dict):
            line |= fields
        if record.exc_info and record.exc_info[1] is not None:
            line |= describe(record.exc_info[1])
        return json.dumps(line, default=str)


def describe(error: BaseException) -> dict[str, object]:
    """Answer the type of `error` and where it passed, innermost last; never its message."""
    frames = traceback.extract_tb(error.__traceback__)[-MAX_FRAMES:]
    return {
        "error": type(error).__name__,
        "where": [
            f"{'/'.join(frame.filename.split('/')[-2:])}:{frame.lineno} {frame.name}"
            for frame in frames
        ],
    }


def configure_logs(level: str = "info") -> None:
    """Send every logger's records to standard error as JSON lines."""
    stream = logging.StreamHandler(sys.stderr)
    stream.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [stream]
    root.setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = name != "uvicorn.access"


def log_info(message: str, **fields: object) -> None:
    """Log a fact; `fields` hold numbers, versions and states, never ids."""
    _logger.info(message, extra={"fields": fields})


def log_warning(message: str, **fields: object) -> None:
    """Log something an operator should look at."""
    _logger.warning(message, extra={"fields": fields})


def log_unexpected(error: BaseException, **fields: object) -> None:
    """Log an error nobody expected, without its message."""
    _logger.error("unexpected error", extra={"fields": {**fields, **describe(error)}})
