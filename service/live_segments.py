"""The saved segments as they stand, read and ready to be asked of one user at a time.

An answer tells of segments without a trip to the store; what cannot be read leaves the last ones
in place. Knows nothing of requests.
"""

from collections.abc import Mapping
from math import nan
from typing import Any, NamedTuple, Protocol

import numpy.typing as npt

from domain.scores import Band
from domain.verdicts import YES
from feature_store.audiences import level_of, row_lookup
from feature_store.membership import Named, families_of, named_of
from feature_store.segments import BLOB_NAME, parse
from feature_store.store import Store
from service.logs import log_warning
from service.polling import SharedValue

_REMEMBERED = 16
"""Choices of segments that are remembered: those that lines ask for change when campaigns do."""


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


class Picked(NamedTuple):
    """Some of the segments, and the families of columns that these name."""

    named: tuple[Named, ...]
    families: frozenset[str]

    @classmethod
    def of(cls, named: tuple[Named, ...]) -> "Picked":
        """Answer segments with their families."""
        return cls(named, families_of(named))


class LiveSegments(SharedValue[tuple[Named, ...]]):
    """The current segments, in order of their names."""

    def __init__(self, store: Store, *, poll_s: float = 2.0) -> None:
        super().__init__(store, BLOB_NAME, _read, (), poll_s)
        self._picked: dict[frozenset[str] | None, Picked] = {}
        self._of: tuple[Named, ...] | None = None

    @property
    def families(self) -> frozenset[str]:
        """The families of columns that some segment names: others need not be known."""
        return self.picked().families

    def picked(self, wanted: frozenset[str] | None = None) -> Picked:
        """Answer the segments with these names, None for all; remembered until they change."""
        if self._of is not self.current:
            self._of = self.current
            self._picked.clear()
        found = self._picked.get(wanted)
        if found is None:
            if len(self._picked) >= _REMEMBERED:
                self._picked.clear()
            named = [one for one in self.current if wanted is None or one.name in wanted]
            found = self._picked[wanted] = Picked.of(tuple(named))
        return found

    def of(
        self,
        rows: Mapping[str, npt.NDArray[Any]],
        place: int,
        scores: Mapping[str, float],
        attributes: Mapping[str, Any],
        wanted: frozenset[str] | None = None,
    ) -> tuple[str, ...]:
        """Answer the names of the segments that one user is in, of all or of those `wanted`.

        rows: of the views in feature_store.audiences.SHOWN, as far as they are named; place: the
        user's. scores: by full name. What is unknown puts nobody in; the band of the sweep before
        is, outside a sweep.
        """
        named = self.picked(wanted).named
        lookup = row_lookup(rows, place, scores, attributes)
        return tuple([one.name for one in named if one.ask(lookup) == YES])


def _read(blob: bytes | None) -> tuple[Named, ...]:
    """Read all segments; one that names what no longer exists is left out."""
    return named_of(parse(blob), lambda why: log_warning("a saved segment cannot be read", why=why))
