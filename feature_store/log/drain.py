"""Bringing everything accepted so far into the log: by ourselves, or by the running writer.

Training calls this before a fit. Knows nothing of what is in the log.
"""

import time
from collections.abc import Callable
from pathlib import Path

from domain.clock import Clock, system_clock
from domain.errors import Unavailable
from feature_store.log.lock import Busy, only_one
from feature_store.log.notes import leave_note
from feature_store.log.writer import Writer, writer_for
from feature_store.redis.streams import Streams
from feature_store.settings import Home

LOCK = "writer"
_POLL_S = 0.05


def drain(
    make: Callable[[], Writer],
    log: Path,
    deadline_s: float,
    *,
    clock: Clock,
    sleep: Callable[[float], object],
) -> None:
    """Return when every event accepted before the call is in the log.

    `make` builds a writer when no other is at work; otherwise a note asks the running one.
    Raises Unavailable when it has not answered within `deadline_s` seconds.
    """
    end = clock() + int(deadline_s * 1_000)
    note = leave_note(log)
    try:
        while True:
            try:
                with only_one(log, LOCK):
                    make().drain()
                    return
            except Busy:
                if not note.exists():
                    return
                if clock() >= end:
                    raise Unavailable("the running log writer did not answer in time") from None
                sleep(_POLL_S)
    finally:
        note.unlink(missing_ok=True)


def drain_now(streams: Streams, home: Home, deadline_s: float = 60.0) -> None:
    """Bring everything a deployment has accepted into its log; see `drain`."""
    drain(
        lambda: writer_for(streams, home),
        home.log,
        deadline_s,
        clock=system_clock,
        sleep=time.sleep,
    )
