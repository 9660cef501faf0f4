"""One sweep as a table on disk: a column an array, mapped into memory, rows ranked by loss.

An Arrow file without compression, so that opening costs nothing, any row is read without its
neighbours, and all workers of a machine share one copy. Knows nothing of what is scored.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from domain.errors import OperatorError
from feature_store.log.arrow import pa, pc
from feature_store.sweeps.durable import write_with

Array = npt.NDArray[Any]
TABLE = "table.arrow"
FEATURES = "features.arrow"
"""Beside the table, in the same order: what conditions may ask of the users."""
USER = "user"
SCORED = (
    "probability",
    "confidence",
    "value",
    "expected_loss",
    "survival",
    "reason_group",
    "reason_line",
    "reason_numbers",
    "reason_total",
    "reason_share",
    "rest",
)
"""What scoring knows of a user: float64[n] (NaN: not known) and, from `survival` on, two
dimensions; reasons as models.churn.picks.Picked has them."""
RANKED = (*SCORED, "level", "previous", "by_probability", "by_value", "by_user")
"""What is known at the end: level and previous are int8, places in Band (-1: none before);
by_*: int32, the row at each rank."""


@dataclass(frozen=True, eq=False)
class SweepTable:
    """n rows; `users` is an Arrow array of texts, `columns` are read-only arrays of n rows."""

    users: Any
    columns: Mapping[str, Array]

    def __len__(self) -> int:
        return len(self.users)

    def __getitem__(self, name: str) -> Array:
        return self.columns[name]

    def names(self, rows: npt.NDArray[np.integer[Any]]) -> list[str]:
        """Answer the users of some rows."""
        found: list[str] = self.users.take(pa.array(rows)).to_pylist()
        return found

    def taken(self, rows: npt.NDArray[np.integer[Any]]) -> "SweepTable":
        """Answer some rows as a table of their own, in memory."""
        columns = {name: array[rows] for name, array in self.columns.items()}
        return SweepTable(self.users.take(pa.array(rows)), columns)


def table_of(users: Any, columns: Mapping[str, Array]) -> SweepTable:
    """Answer a table of texts (a list or an Arrow array) and arrays of as many rows.

    Raises ValueError for columns of other lengths.
    """
    texts = users if isinstance(users, pa.Array) else pa.array(users, pa.string())
    if any(len(array) != len(texts) for array in columns.values()):
        raise ValueError("every column has a row for every user")
    return SweepTable(texts, dict(columns))


def joined(tables: list[SweepTable]) -> SweepTable:
    """Answer the rows of several tables, at least one, below one another.

    What only some of them hold is left out: parts of an earlier release may hold less.
    """
    users = pa.concat_arrays([table.users for table in tables])
    names = [name for name in tables[0].columns if all(name in one.columns for one in tables)]
    return SweepTable(
        users, {name: np.concatenate([table[name] for table in tables]) for name in names}
    )


def parted(table: SweepTable) -> tuple[SweepTable, SweepTable]:
    """Answer the columns of RANKED, and all others, each as a table."""
    ranked = {name: table[name] for name in table.columns if name in RANKED}
    others = {name: table[name] for name in table.columns if name not in RANKED}
    return SweepTable(table.users, ranked), SweepTable(table.users, others)


def by_name(table: SweepTable) -> npt.NDArray[np.int64]:
    """Answer the rows in order of the users' names (UTF-8 bytes)."""
    order: npt.NDArray[np.int64] = pc.sort_indices(table.users).to_numpy().astype(np.int64)
    return order


def write_table(path: Path, table: SweepTable) -> None:
    """Write a table; it appears whole or not at all. Raises OSError when the disk refuses."""
    arrays, fields = [table.users], [pa.field(USER, pa.string())]
    for name, array in table.columns.items():
        flat = pa.array(np.ascontiguousarray(array).reshape(-1))
        if array.ndim == 2:
            flat = pa.FixedSizeListArray.from_arrays(flat, array.shape[1])
        arrays.append(flat)
        fields.append(pa.field(name, flat.type))
    schema = pa.schema(fields)

    def write(sink: BinaryIO) -> None:
        with pa.ipc.new_file(sink, schema) as writer:
            writer.write_batch(pa.record_batch(arrays, schema=schema))

    write_with(path, write)


def open_table(path: Path) -> SweepTable:
    """Map a table into memory; raises OperatorError when it is not there or not whole."""
    try:
        with pa.memory_map(str(path)) as source:
            batch = pa.ipc.open_file(source).get_batch(0)
        columns = {name: _array(batch.column(name)) for name in batch.schema.names if name != USER}
        return SweepTable(batch.column(USER), columns)
    except (OSError, pa.ArrowInvalid, KeyError, IndexError) as error:
        raise OperatorError(
            f"sweep {path.parent.name} has no {path.name} that can be read; sweep again"
        ) from error


def _array(column: Any) -> Array:
    if pa.types.is_fixed_size_list(column.type):
        width: int = column.type.list_size
        flat: Array = column.values.to_numpy()
        return flat.reshape(len(column), width)
    plain: Array = column.to_numpy()
    return plain
