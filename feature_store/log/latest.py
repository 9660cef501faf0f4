"""The latest rows of the log, a few columns of them: what a new writer has to know of the past.

Knows nothing of what they are wanted for.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from feature_store.log.arrow import pq
from feature_store.log.files import log_files

Rows = tuple[
    npt.NDArray[np.uint64],
    npt.NDArray[np.uint8],
    npt.NDArray[np.int64],
    npt.NDArray[np.uint64],
]
"""Item hashes (0: none), kinds, times in UTC ms, entity hashes; parallel."""
_COLUMNS = ("item_hash", "kind", "at", "entity_hash")


def latest_rows(root: Path, most: int) -> Iterator[Rows]:
    """Yield the rows of the latest files, in order of arrival, until there are `most`.

    Rows that two files hold come twice; a file that compaction takes away meanwhile is left out.
    """
    chosen: list[Path] = []
    rows = 0
    for file in sorted(log_files(root), key=lambda one: one.last, reverse=True):
        if rows >= most:
            break
        try:
            rows += pq.read_metadata(file.path).num_rows
        except FileNotFoundError:
            continue
        chosen.append(file.path)
    for path in reversed(chosen):
        try:
            table = pq.read_table(path, columns=list(_COLUMNS), partitioning=None)
        except FileNotFoundError:
            continue
        found = [table[name].to_numpy() for name in _COLUMNS]
        yield found[0], found[1], found[2], found[3]
