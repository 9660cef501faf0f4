"""Bounds on how much is under way and on how long it has waited: what is beyond is turned away.

An answer that comes too late costs as much as a good one; a refusal costs almost nothing.
Knows nothing of what is under way.
"""

import time
from collections.abc import Callable

IDLE_S = 0.0005
"""A loop that did nothing for so long was waiting: whoever came then was heard at once."""


class Gate:
    """Lets at most `room` in at a time."""

    __slots__ = ("inside", "room", "turned_away")

    def __init__(self, room: int) -> None:
        self.room = room
        self.inside = 0
        self.turned_away = 0

    def enter(self) -> bool:
        """Tell whether there is room; if so it is taken until `leave`."""
        if self.inside >= self.room:
            self.turned_away += 1
            return False
        self.inside += 1
        return True

    def leave(self) -> None:
        """Give the room back."""
        self.inside -= 1


class Waits:
    """How long a request that is begun just now may have waited to be begun, at most.

    An event loop looks for what has come once a turn; what it finds came since it looked last, and
    is begun one after the other. Who reads the sockets says when something was heard.
    """

    __slots__ = ("_clock", "_ended", "_open", "_since", "_turn")

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._turn = self._ended = self._since = 0.0
        self._open = False

    def heard(self, soon: Callable[[Callable[[], None]], object]) -> None:
        """Note that something was read. soon: calls what it is given once the loop has read all
        that it found in this turn."""
        if self._open:
            return
        self._open = True
        soon(self._read_all)
        now = self._clock()
        # What is found in this turn came after the look before it, unless nothing was being done
        # in between.
        busy = now - self._ended < IDLE_S
        self._since = self._turn if busy and self._turn else now
        self._turn = now

    def _read_all(self) -> None:
        self._open = False

    def begun(self) -> float:
        """Answer the seconds that the request begun now may have waited; 0 if none was heard."""
        return max(self._clock() - self._since, 0.0) if self._since else 0.0

    def ended(self) -> None:
        """Note that something was done up to now, or goes on waiting for somebody else."""
        self._ended = self._clock()

    def resumed(self) -> None:
        """Note that something goes on after waiting: if nothing was done meanwhile, the loop was
        looking all the time."""
        now = self._clock()
        if now - self._ended >= IDLE_S:
            self._turn = now
