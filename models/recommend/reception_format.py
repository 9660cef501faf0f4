"""Reception as bytes: names as JSON, numbers as they are, a digest over all; a stored format.

What cannot be read or cannot be true is refused, so that no blob ever rules an answer. Knows
nothing of where the bytes are kept.
"""

from typing import Any, Final

import numpy as np

from models.bandits.bank import Bank
from models.bandits.evidence import packed, unpacked
from models.bandits.frame import LATEST, Frame
from models.bandits.teachers import MOST_WORKERS
from models.recommend.contexts import WIDTH
from models.recommend.mixes import ARMS
from models.recommend.reception import MOST_PAGES, MOST_PLACED, Reception

_FRAME: Final = Frame(b"SRR1", 4 << 20, "a reception")


def pack_reception(reception: Reception) -> bytes:
    """Write it; raises ValueError when it is larger than it may be."""
    names = {
        "at": reception.at,
        "woken": reception.woken,
        "workers": {name: list(told) for name, told in reception.workers.items()},
        "pages": [page for _, page in reception.pages.names],
    }
    return _FRAME.packed(
        names,
        [
            packed(reception.pages.evidence, 0.0, 0.0),
            np.ascontiguousarray(reception.items, "<u8").tobytes(),
            np.ascontiguousarray(reception.placed, "<u4").tobytes(),
        ],
    )


def read_reception(held: bytes) -> Reception:
    """Read what `pack_reception` wrote; raises ValueError for anything else.

    Evidence that cannot be true comes back as nothing. Arms that are new since it was written
    have no evidence yet.
    """
    return _FRAME.read(held, _parsed)


def _parsed(names: dict[str, Any], parts: list[bytes]) -> Reception:
    workers = {str(name): (int(one), int(at)) for name, (one, at) in names["workers"].items()}
    pages = tuple(("", str(page)) for page in names["pages"])
    at, woken = int(names["at"]), int(names["woken"])
    evidence = unpacked(parts[0]).evidence
    items = np.frombuffer(parts[1], "<u8").astype(np.uint64)
    placed = np.frombuffer(parts[2], "<u4").astype(np.uint32)
    if (
        len(workers) > MOST_WORKERS
        or len(pages) > MOST_PAGES
        or not (0 <= at < LATEST and 0 <= woken < LATEST)
        or evidence.shift.shape != (len(pages) * len(ARMS), WIDTH)
        or items.shape != placed.shape
        or len(items) > MOST_PLACED
        or not np.all(items[1:] > items[:-1])
    ):
        raise ValueError("a reception of other arms, or of more than it may hold")
    return Reception(at, workers, woken, Bank(pages, evidence, len(ARMS)), items, placed)
