"""Lines of outcomes that wait to be looked up, and again a while later where nothing was found.

What an outcome quotes may be on its way to the store still. Bounded: of too many the oldest are
let go. Knows nothing of what is looked up.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, Self, TypeVar

from domain.clock import Clock

MOST_WAITING = 20_000
"""In each line."""
MOST_AT_ONCE = 1_000


class Waits(Protocol):
    """What may wait: it says when it came and how often it was looked up."""

    @property
    def came(self) -> int: ...
    @property
    def tries(self) -> int: ...
    def once_more(self) -> Self: ...


W = TypeVar("W", bound=Waits)


class Lines(Generic[W]):
    """One line for each time it is looked up; each in the order they came, so the first are due."""

    def __init__(
        self, clock: Clock, waits_ms: Sequence[int], lost: Callable[[], object],
        most: int = MOST_WAITING,
    ) -> None:  # fmt: skip
        """waits_ms: how long after it came one is looked up, the first time, the second, and so
        on. lost: called for each that is let go for want of room."""
        self._clock = clock
        self._waits_ms = tuple(waits_ms)
        self._lost = lost
        self._most = most
        self._lines: tuple[deque[W], ...] = tuple(deque[W]() for _ in waits_ms)

    def __len__(self) -> int:
        return sum(map(len, self._lines))

    def put(self, one: W) -> None:
        """Let one wait."""
        line = self._lines[one.tries]
        if len(line) >= self._most:
            line.popleft()
            self._lost()
        line.append(one)

    def again(self, one: W) -> bool:
        """Let one wait for the next look; answer False where it has had its last."""
        if one.tries + 1 >= len(self._lines):
            return False
        self.put(one.once_more())
        return True

    def due(self) -> list[W]:
        """Take those whose time has come, MOST_AT_ONCE at most."""
        now, due = self._clock(), list[W]()
        for line, wait in zip(self._lines, self._waits_ms, strict=True):
            while line and len(due) < MOST_AT_ONCE and now - line[0].came >= wait:
                due.append(line.popleft())
        return due

    def back(self, some: Sequence[W]) -> None:
        """Put those taken, in their order, where they were: they are due again at once."""
        for one in reversed(some):
            self._lines[one.tries].appendleft(one)

    def clear(self) -> None:
        """Let go of all."""
        for line in self._lines:
            line.clear()
