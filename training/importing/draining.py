"""Bringing imported events from the store's streams into the log while an import runs.

Keeps the store's memory bounded however long the file is. Knows nothing of the events.
"""

from collections.abc import Callable

from feature_store.log.drain import drain_now
from feature_store.opening import open_streams
from feature_store.settings import Home
from feature_store.store import StoreSettings

DRAIN_EVERY = 500_000
"""Accepted events between two drains: some 100 MB of streams at most."""

DEADLINE_S = 600.0


class Drain:
    """Drains whenever enough has been accepted since the last time."""

    def __init__(self, work: Callable[[], object], every: int = DRAIN_EVERY) -> None:
        self._work = work
        self._every = every
        self._drained = 0

    def is_due(self, accepted: int) -> bool:
        """Tell whether `accepted` events in all are enough for another drain."""
        return accepted - self._drained >= self._every

    def run(self, accepted: int) -> None:
        """Drain now; raises Unavailable when a running writer does not answer in time."""
        self._work()
        self._drained = accepted


def log_drain(settings: StoreSettings, home: Home, url: str | None) -> Drain:
    """Answer a Drain of the deployment's own log."""

    def work() -> None:
        streams = open_streams(settings, home, url)
        try:
            drain_now(streams, home, DEADLINE_S)
        finally:
            streams.close()

    return Drain(work)
