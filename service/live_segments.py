"""The saved segments as they stand, read and ready to be asked of one user at a time.

An answer tells of segments without a trip to the store; what cannot be read leaves the last ones
in place. Knows nothing of requests.
"""

from collections.abc import Mapping
from math import nan
from typing import Any, NamedTuple, Protocol

import numpy.typing as npt

from domain.condition_text import parse_condition
from domain.conditions import Condition, judge, names_in
from domain.errors import BadField
from domain.scores import Band
from feature_store.audiences import VOCABULARY, level_of, row_lookup
from feature_store.segments import BLOB_NAME, parse
from feature_store.store import Store
from service.logs import log_warning
from service.polling import SharedValue


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
    """A segment, ready to be judged; `families` are those of the columns that it names."""

    name: str
    condition: Condition
    families: frozenset[str]


class LiveSegments(SharedValue[tuple[Named, ...]]):
    """The current segments, in order of their names."""

    def __init__(self, store: Store, *, poll_s: float = 2.0) -> None:
        super().__init__(store, BLOB_NAME, _read, (), poll_s)

    @property
    def families(self) -> frozenset[str]:
        """The families of columns that some segment names: others need not be known."""
        return frozenset[str]().union(*[one.families for one in self.current])

    def of(
        self,
        rows: Mapping[str, npt.NDArray[Any]],
        place: int,
        scores: Mapping[str, float],
        attributes: Mapping[str, Any],
    ) -> tuple[str, ...]:
        """Answer the names of the segments that one user is in.

        rows: of the views in feature_store.audiences.SHOWN, as far as they are named; place: the
        user's. scores: by full name. What is unknown puts nobody in; the band of the sweep before
        is, outside a sweep.
        """
        lookup = row_lookup(rows, place, scores, attributes)
        return tuple([one.name for one in self.current if judge(one.condition, lookup).yes])


def _read(blob: bytes | None) -> tuple[Named, ...]:
    """Read all segments; one that names what no longer exists is left out."""
    found: list[Named] = []
    for segment in parse(blob).by_name.values():
        try:
            condition = parse_condition(segment.where, VOCABULARY)
            families = frozenset(name.partition(".")[0] for name in names_in(condition))
            found.append(Named(segment.name, condition, families))
        except BadField as error:
            log_warning("a saved segment cannot be read", why=error.message)
    return tuple(found)
