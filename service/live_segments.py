"""The saved segments as they stand, read and ready to be asked of one user at a time.

Fetches the small shared value on a clock, so that an answer tells of segments without a trip to
the store; what cannot be read leaves the last ones in place. Knows nothing of requests.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from math import nan
from typing import Any, NamedTuple, Protocol

import numpy.typing as npt

from domain.condition_text import parse_condition
from domain.conditions import Condition, judge
from domain.errors import BadField, Unavailable
from domain.scores import Band
from feature_store.audiences import VOCABULARY, level_of, row_lookup
from feature_store.segments import BLOB_NAME, parse
from feature_store.store import Store
from service.logs import log_unexpected, log_warning


class Told(Protocol):
    """What was said of a user, just now or earlier; None where a number is not known."""

    @property
    def probability(self) -> float: ...
    @property
    def confidence(self) -> float: ...
    @property
    def band(self) -> Band | None: ...
    @property
    def value(self) -> float | None: ...
    @property
    def expected_loss(self) -> float | None: ...


def scores_of(told: Told | None) -> dict[str, float]:
    """Answer scores by full name, as conditions ask for them."""
    if told is None:
        return {}
    return {
        "churn.probability": told.probability,
        "churn.confidence": told.confidence,
        "churn.band": level_of(told.band),
        "churn.value": nan if told.value is None else told.value,
        "churn.expected_loss": nan if told.expected_loss is None else told.expected_loss,
    }


class Named(NamedTuple):
    """A segment, ready to be judged."""

    name: str
    condition: Condition


class LiveSegments:
    """The current segments; `current` is replaced whole, never changed in place."""

    def __init__(self, store: Store, *, poll_s: float = 2.0) -> None:
        self._store = store
        self._poll_s = poll_s
        self._blob: bytes | None = None
        self._task: asyncio.Task[None] | None = None
        self.current: tuple[Named, ...] = ()

    async def start(self) -> None:
        """Fetch once and go on fetching."""
        await self.look()
        self._task = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """Stop fetching."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._poll_s)
            await self.look()

    async def look(self) -> None:
        """Fetch once; read only what changed."""
        try:
            blob = await self._store.get_blob(BLOB_NAME)
            if blob != self._blob:
                self.current = await asyncio.to_thread(_read, blob)
                self._blob = blob
        except Unavailable:
            return
        except Exception as error:
            log_unexpected(error, stage="segments")

    def of(
        self, rows: Mapping[str, npt.NDArray[Any]], place: int, told: Told | None
    ) -> tuple[str, ...]:
        """Answer the names of the segments that one user is in.

        rows: of the views in feature_store.audiences.SHOWN; place: the user's. What is unknown
        puts nobody in; the band of the sweep before is, outside a sweep.
        """
        current = self.current
        if not current:
            return ()
        lookup = row_lookup(rows, place, scores_of(told))
        return tuple([one.name for one in current if judge(one.condition, lookup).yes])


def _read(blob: bytes | None) -> tuple[Named, ...]:
    """Read all segments; one that names what no longer exists is left out."""
    found: list[Named] = []
    for segment in parse(blob).by_name.values():
        try:
            found.append(Named(segment.name, parse_condition(segment.where, VOCABULARY)))
        except BadField as error:
            log_warning("a saved segment cannot be read", why=error.message)
    return tuple(found)
