"""What steps of a fit took, and how slow the machine is now against when it was at its best.

A step that is done again tells the pace: by how much it took longer than the first time. What is
still to come is expected at the pace of the last few steps, so that a machine that slows down
mid-way is noticed before the time is spent. Knows nothing of what the steps do.
"""

from collections import deque

LATELY = 3.0
"""Seconds of steps, the last ones, that the pace is told by."""
_LEAST = 0.05
"""Seconds of them that say nothing."""


class Costs:
    """Seconds by name of step, for a unit of its size, as they would be at pace 1."""

    def __init__(self) -> None:
        self._units: dict[str, float] = {}
        self._told: deque[tuple[float, float]] = deque()

    @property
    def pace(self) -> float:
        """Answer how many times longer steps take now than at their best: 1 or more."""
        expected = sum(known for _, known in self._told)
        took = sum(taken for taken, _ in self._told)
        return took / expected if min(took, expected) > _LEAST else 1.0

    def took(self, what: str, seconds: float, size: float = 1.0, tells: bool = True) -> None:
        """Put down what a step of a size took.

        One that is known already tells the pace, unless its cost is not only the machine's doing.
        """
        size = max(size, 1e-9)
        known = self._units.get(what)
        if known is not None and tells:
            # What takes less than ever was measured too high: that says nothing of the others.
            self._told.append((seconds, min(seconds, known * size)))
            while sum(taken for taken, _ in self._told) - self._told[0][0] >= LATELY:
                self._told.popleft()
        if known is None:
            self._units[what] = seconds / size / self.pace
        else:
            self._units[what] = min(known, seconds / size)

    def expected(self, what: str, size: float = 1.0, unknown: float = 0.0) -> float:
        """Answer the seconds that a step is taken to need now; `unknown` if it was never done."""
        unit = self._units.get(what)
        return unknown if unit is None else unit * size * self.pace
