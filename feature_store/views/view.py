"""A feature view: named, typed fields and the one compiled function that fills them.

Serving calls `row` on the bytes it has just read, replay calls `rows` on the log; both end in
the same compiled function. Knows nothing of stores, logs or of what the fields mean.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt

from feature_store.records import EMPTY_LIFETIME, EMPTY_RECORDS, Lifetime, Records

Rows = npt.NDArray[np.void]
Fill = Callable[[Records, Lifetime, int, int, Rows, int], None]
FillAll = Callable[
    [
        Records,
        npt.NDArray[np.int64],
        npt.NDArray[np.int64],
        npt.NDArray[np.int64],
        npt.NDArray[np.int64],
        int,
        Rows,
    ],
    None,
]


@dataclass(slots=True, frozen=True)
class Field:
    """One field of a view: its dtype, unit, value when nothing is known, and meaning.

    `labels` names the places of a field that holds several numbers.
    """

    name: str
    dtype: str
    unit: str
    description: str
    default: float = 0
    labels: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The flat names of the field's numbers: `value_7d` is label `7d` of `value`."""
        return tuple(f"{self.name}_{label}" for label in self.labels) or (self.name,)


FOUND = Field("found", "u1", "flag", "1 when any event lies before as_of, else all defaults")
AGE = Field("age", "<i8", "ms", "as_of minus the last event before it; -1 when none", -1)


@dataclass(frozen=True)
class View:
    """A catalogue entry.

    `fill(records, lifetime, as_of, cap, out, i)` writes row `out[i]` from an entity's records
    in (at, event) order and its lifetime header: it sees only records with at < as_of, and of
    those the last `cap`. `fill_all(records, starts, ends, lifetimes, as_ofs, cap, out)` does so
    for slice i of the records, row i of the lifetimes, and as_of i. Every view opens with the
    fields `found` and `age`. Raise `version` whenever the same input would give another row.
    """

    name: str
    version: int
    description: str
    own_fields: tuple[Field, ...]
    fill: Fill
    fill_all: FillAll

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """All fields in the order of the dtype."""
        return (FOUND, AGE, *self.own_fields)

    @cached_property
    def dtype(self) -> np.dtype[np.void]:
        """The packed structured dtype of one row."""
        return np.dtype(
            [
                (field.name, field.dtype, (len(field.labels),) if field.labels else ())
                for field in self.fields
            ]
        )

    @cached_property
    def signature(self) -> str:
        """16 hex digits that change with the names, dtypes, labels or version of the view."""
        text = repr((self.name, self.version, [(f.name, f.dtype, f.labels) for f in self.fields]))
        return blake2b(text.encode(), digest_size=8).hexdigest()

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The flat names of a row's numbers, as `flatten` lays them out."""
        return tuple(column for field in self.fields for column in field.columns)

    def row(self, lifetime: Lifetime, records: Records, as_of: int, cap: int) -> Any:
        """Answer one row (np.void of `dtype`) as of `as_of` (ms UTC, exclusive)."""
        out = np.zeros(1, self.dtype)
        self.fill(records, lifetime, as_of, cap, out, 0)
        return out[0]

    def default_row(self) -> Any:
        """Answer the row of an entity nothing is known about."""
        return self.row(EMPTY_LIFETIME, EMPTY_RECORDS, 0, 1)

    def flatten(self, rows: Rows) -> npt.NDArray[np.float64]:
        """Lay rows out as float64 [rows, columns], for models; hashes lose their low bits."""
        parts = [rows[name].reshape(len(rows), -1) for name in self.dtype.names or ()]
        return np.concatenate([part.astype(np.float64) for part in parts], axis=1)
