"""A bound on how much is under way: what comes on top is turned away at once, and counted.

An answer that comes too late costs as much as a good one; a refusal costs almost nothing.
Knows nothing of what is under way.
"""


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
