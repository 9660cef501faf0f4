"""Caps: at most so many items of one category, or of one value of an attribute, in a slate.

Greedy: the best come first, and an item is passed over when one of its values is full. An item
without the field is never passed over. Knows nothing of scores.
"""

from models.recommend.catalogue import Catalogue, Flags, token
from models.recommend.controls import Cap
from models.recommend.filters import ATTRIBUTE
from models.recommend.lookup import Indices


class Limits:
    """How much room each value has left in one slate; counts up as items are placed."""

    def __init__(self, catalogue: Catalogue, caps: tuple[Cap, ...]) -> None:
        self._catalogue = catalogue
        self._caps = caps
        self._placed: dict[tuple[str, str], int] = {}
        self._full: list[tuple[str, str]] = []
        self.passed_over = 0
        """How many items had to give way."""

    def place(self, row: int) -> None:
        """Count an item that stands in the slate, whether it has room or not."""
        for cap, value in self._values(row):
            key = (cap.field, value)
            self._placed[key] = self._placed.get(key, 0) + 1
            if self._placed[key] == cap.most:
                self._full.append(key)

    def admit(self, rows: Indices, need: int) -> tuple[list[int], bool]:
        """Place up to `need` of int32[k] rows, best first.

        Answers which of them (places in `rows`), and whether any was passed over.
        """
        kept: list[int] = []
        passed = False
        for place, row in enumerate(rows.tolist()):
            if len(kept) == need:
                break
            if self._has_room(row):
                self.place(row)
                kept.append(place)
            else:
                passed = True
                self.passed_over += 1
        return kept, passed

    def close(self, allowed: Flags) -> None:
        """Take the items of every value that is full out of bool[n] `allowed`."""
        for field, value in self._full:
            allowed[self._of(field, value)] = False
        self._full.clear()

    def _has_room(self, row: int) -> bool:
        placed = self._placed
        return all(placed.get((cap.field, v), 0) < cap.most for cap, v in self._values(row))

    def _values(self, row: int) -> list[tuple[Cap, str]]:
        item = self._catalogue.items[row]
        if item is None:
            return []
        found: list[tuple[Cap, str]] = []
        for cap in self._caps:
            if cap.field == "category":
                found += [(cap, category) for category in dict.fromkeys(item.categories)]
                continue
            value = item.attributes.get(cap.field.removeprefix(ATTRIBUTE))
            if value is not None:
                values = value if isinstance(value, list) else [value]
                found += [(cap, key) for key in dict.fromkeys(map(token, values))]
        return found

    def _of(self, field: str, value: str) -> Indices:
        if field == "category":
            return self._catalogue.in_category(value)
        return self._catalogue.with_value(field.removeprefix(ATTRIBUTE), value)
