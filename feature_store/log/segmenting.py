"""Who of those that did something is in which saved segment, for the log writer's trends.

Asked of the store a few hundred people at a time and remembered for some minutes; who cannot be
asked about just now counts for the whole and for no segment. Who refuses analytics is in none.
Knows nothing of events.
"""

import logging
from collections.abc import Iterable, Sequence
from typing import Protocol

from domain.clock import MINUTE_MS, SECOND_MS, Clock
from domain.errors import OperatorError
from feature_store.membership import Named, member_of, named_of, needs_history
from feature_store.segment_trends import MOST_SEGMENTS
from feature_store.segments import BLOB_NAME, Segments
from feature_store.segments import parse as parse_segments
from feature_store.store import EntityState, StoreSettings

_LOG = logging.getLogger(__name__)
LOOK_MS = 5 * SECOND_MS
"""How often the saved segments are looked at."""
REMEMBER_MS = 10 * MINUTE_MS
MOST_KNOWN = 100_000
MOST_ASKED = 500
"""People asked about in a second at most."""


class States(Protocol):
    """What is needed of a store; `feature_store.redis.streams` has it."""

    settings: StoreSettings

    def get_blob(self, name: str) -> bytes | None:
        """Answer a small named value."""
        ...

    def read_states(self, users: Sequence[str], histories: bool) -> list[EntityState]:
        """Answer what is held of users' entities, in order; without `histories` no history."""
        ...


class Segmenting:
    """Answers the segments of people, remembering them for a while."""

    def __init__(self, states: States, clock: Clock, unanswered: bool) -> None:
        """unanswered: whether those who never answered may be counted (see domain.users)."""
        self._states, self._clock, self._unanswered = states, clock, unanswered
        self._looked = self._second = -(2**62)
        self._left = 0
        self._segments: Segments | None = None
        self._named: tuple[Named, ...] = ()
        self._key: dict[str, str] = {}
        self._known: dict[str, tuple[int, tuple[str, ...]]] = {}

    @property
    def keys(self) -> tuple[str, ...]:
        """What is counted under: the name of each segment and its version, `name@version`."""
        return tuple(self._key[one.name] for one in self._named)

    def look(self) -> bool:
        """Look at the saved segments if it is time; tell whether they changed.

        Raises StoreUnavailable.
        """
        now = self._clock()
        if now - self._looked < LOOK_MS:
            return False
        self._looked = now
        try:
            found = parse_segments(self._states.get_blob(BLOB_NAME))
        except OperatorError as error:
            _LOG.warning("no trends by segment: %s", error)
            return False
        if found == self._segments:
            return False
        self._segments = found
        named = named_of(found, lambda why: _LOG.warning("a segment cannot be read: %s", why))
        self._named = named[:MOST_SEGMENTS]
        self._key = {one.name: f"{one.name}@{one.version}" for one in found.by_name.values()}
        self._known.clear()
        return True

    def of(self, people: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """Answer the keys of the segments of users' entities, of those known or asked in time.

        Raises StoreUnavailable.
        """
        if not self._named:
            return {}
        now = self._clock()
        if now // SECOND_MS != self._second:
            self._second, self._left = now // SECOND_MS, MOST_ASKED
        wanted = [one for one in dict.fromkeys(people) if one[:1] == "u"]
        unknown = [one for one in wanted if self._known.get(one, (0, ()))[0] <= now]
        self._ask(unknown[: self._left], now)
        return {one: known[1] for one in wanted if (known := self._known.get(one))}

    def _ask(self, people: Sequence[str], now: int) -> None:
        if not people:
            return
        self._left -= len(people)
        if len(self._known) > MOST_KNOWN:
            self._known.clear()
        try:
            states = self._states.read_states(people, needs_history(self._named))
        except OperatorError as error:
            # Something of one of them cannot be read: the log goes on, and asks again later.
            _LOG.warning("no trends by segment of %d people: %s", len(people), error)
            self._known.update(dict.fromkeys(people, (now + REMEMBER_MS, ())))
            return
        cap = self._states.settings.history_cap
        for one, state in zip(people, states, strict=True):
            at = max(now, int(state.records["at"][-1]) + 1) if len(state.records) else now
            told = member_of(self._named, state, at, cap, self._unanswered)
            self._known[one] = (now + REMEMBER_MS, tuple(self._key[name] for name in told))
