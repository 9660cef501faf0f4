"""Which items compete with the chosen one in a batch: all of a small catalogue, some of a large.

Drawn by a mixture of how often items are chosen and of chance, once for a whole batch. Knows
nothing of networks.
"""

import numpy as np
import numpy.typing as npt

from training.fit.sequence.net import Drawn
from training.fit.sequence.windows import Batch

I64 = npt.NDArray[np.int64]


class Rivals:
    """Draws the competitors of each batch from n items."""

    def __init__(self, chosen: I64, n: int, count: int, popular: float, all_below: int) -> None:
        """Take how often each item is chosen (int64[n]) and how many to draw.

        popular: the share drawn as items are chosen, the rest evenly. all_below: up to so many
        items all of them compete, and none is drawn.
        """
        self._n, self._count, self._all = n, count, n <= all_below
        chances = popular * chosen / max(chosen.sum(), 1) + (1 - popular) / n
        self._ends = np.cumsum(chances / chances.sum())
        # Of being among `count` draws at least once.
        self._logs = np.log(-np.expm1(count * np.log1p(-np.minimum(chances, 0.999_999))))

    def draw(self, batch: Batch, masked: bool, rng: np.random.Generator) -> Drawn:
        """Answer the rivals of a batch's targets. masked: what a window has had is no rival."""
        if self._all:
            items, logs = np.arange(self._n), np.zeros(self._n)
        else:
            drawn = np.searchsorted(self._ends, rng.random(self._count), side="right")
            items = np.unique(np.minimum(drawn, self._n - 1))
            logs = self._logs[items]
        column = np.full(self._n, -1)
        column[items] = np.arange(len(items))
        own = column[batch.targets]
        hit = np.flatnonzero(own >= 0)
        rows, columns = [hit], [own[hit]]
        if masked:
            had_rows, had = seen_pairs(batch)
            had = column[had]
            rows.append(had_rows[had >= 0])
            columns.append(had[had >= 0])
        return Drawn(items, logs.astype(np.float32), np.concatenate(rows), np.concatenate(columns))


def seen_pairs(batch: Batch) -> tuple[I64, I64]:
    """Answer (row of an asked place, item of its window up to there) for all such pairs."""
    window, place = np.nonzero(batch.asked)
    counts = place + 1
    rows = np.repeat(np.arange(len(place)), counts)
    back = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return rows, batch.items[np.repeat(window, counts), back]
