"""pyarrow, as seen by a strict type checker: it publishes no types, so everything is Any.

Import pyarrow from here within the log; nothing is wrapped or renamed.
"""

from typing import Any, TypeAlias

import pyarrow as _pa  # pyright: ignore[reportMissingTypeStubs]
import pyarrow.compute as _pc  # pyright: ignore[reportMissingTypeStubs]
import pyarrow.parquet as _pq  # pyright: ignore[reportMissingTypeStubs]

pa: Any = _pa
pc: Any = _pc
pq: Any = _pq

Schema: TypeAlias = Any
Table: TypeAlias = Any
Column: TypeAlias = Any
ParquetFile: TypeAlias = Any
