"""Cells: item vectors parted by nearness, so that a few cells are multiplied instead of all.

An inverted file (Sivic and Zisserman, 2003; Jégou et al., 2011) over 16-bit vectors: the cells
that reach furthest towards a vector are looked through with the same whole numbers as all items
would be, so what is found has its exact product. Plain arrays, mapped from a bundle as they lie.
Knows nothing of how items were parted.
"""

from typing import Self

import numpy as np
from numba import njit

from models.recommend.member import Floats, Ints, frozen
from models.recommend.products import LANES, Whole, arranged, multiply
from models.recommend.rounded import Rounded
from models.recommend.topk import select

PARTS = ("blocks", "items", "starts", "centres", "spreads")
HOPE = 0.4
"""How far beyond its centre, in spreads, a cell is hoped to reach towards what is asked for. With 0
a wide cell's best items are missed: 64 of 260 cells held .90 of the best 150, with .3 or .5 32 of
them held .99."""
_EVERYTHING = np.ones(0, np.bool_)


@njit(cache=True, nogil=True, error_model="numpy")
def _nearest(
    cells: tuple[np.ndarray, np.ndarray, np.ndarray],
    centres: tuple[np.ndarray, np.ndarray],
    vector: np.ndarray,
    probes: int,
    allowed: np.ndarray,
    found: np.ndarray,
    values: np.ndarray,
) -> int:
    """Write the best items of the nearest cells and their products; answer how many."""
    blocks, items, starts = cells
    middles, reach = centres
    near = np.empty(reach.shape[0], np.float32)
    multiply(middles, vector, near)
    square = 0.0
    for k in range(vector.shape[0]):
        square += np.float64(vector[k]) * vector[k]
    length = np.float32(np.sqrt(square))
    for cell in range(near.shape[0]):
        near[cell] += length * reach[cell]
    chosen = np.empty(min(probes, near.shape[0]), np.int32)
    count = select(near, _EVERYTHING, chosen)
    room = 0
    for cell in chosen[:count]:
        room += starts[cell + 1] - starts[cell]
    scores = np.empty(room * LANES, np.float32)
    names = np.empty(room * LANES, np.int32)
    at = 0
    for cell in chosen[:count]:
        first, last = starts[cell], starts[cell + 1]
        if first == last:
            continue
        end = at + (last - first) * LANES
        multiply(blocks[first:last], vector, scores[at:end])
        names[at:end] = items[first * LANES : last * LANES]
        masked = allowed.shape[0] > 0
        for lane in range(at if masked else end - LANES, end):
            if names[lane] < 0 or (masked and not allowed[names[lane]]):
                scores[lane] = -np.inf
        at = end
    size = select(scores, _EVERYTHING, found)
    for i in range(size):
        place = found[i]
        found[i], values[i] = names[place], scores[place]
    return size


class Cells:
    """n vectors of d 16-bit numbers in c cells, each filled up to whole blocks of LANES."""

    def __init__(
        self,
        blocks: np.ndarray,
        items: np.ndarray,
        starts: np.ndarray,
        centres: np.ndarray,
        spreads: np.ndarray,
        *,
        probes: int,
    ) -> None:
        """Take what `arrays` answers, and how many cells are looked through for one vector.

        blocks: int16[b, d / 2, 2 * LANES], see products.arranged. items: int32[b * LANES], the
        item in each place, -1 in spare ones. starts: int32[c + 1], the blocks of a cell begin at
        starts[cell]. centres: float32[c, d]. spreads: float32[c], the root of the mean squared
        distance of a cell's items from its centre. Raises ValueError when they do not fit together.
        """
        self.blocks: Whole = frozen(blocks, np.int16)
        self.items: Ints = frozen(items, np.int32)
        self.starts: Ints = frozen(starts, np.int32)
        self.centres: Floats = frozen(centres, np.float32)
        self.spreads: Floats = frozen(spreads, np.float32)
        self.probes = int(probes)
        fits = (
            self.blocks.ndim == 3
            and self.centres.ndim == 2
            and self.blocks.shape[1:] == (self.centres.shape[1] // 2, 2 * LANES)
            and self.items.shape == (len(self.blocks) * LANES,)
            and self.starts.shape == (len(self.centres) + 1,)
            and self.spreads.shape == (len(self.centres),)
            and self.starts[0] == 0
            and self.starts[-1] == len(self.blocks)
            and bool((np.diff(self.starts) >= 0).all())
            and self.probes >= 1
            and self._whole()
        )
        if not fits:
            raise ValueError("the arrays of an index do not fit together")
        middles = Rounded(self.centres)
        self._near = (middles.blocks, frozen(self.spreads * (HOPE * middles.scale), np.float32))

    def __len__(self) -> int:
        return len(self.centres)

    @classmethod
    def of(cls, rows: Whole, labels: np.ndarray, around: tuple[Floats, Floats]) -> Self:
        """Lay out int16[n, d] by the cell of each, int[n]; around: centres and spreads.

        All cells are looked through, until it is said how many will do.
        """
        centres, spreads = around
        order = np.argsort(labels, kind="stable").astype(np.int32)
        ends = np.cumsum([0, *np.bincount(labels, minlength=len(centres))])
        parts: list[Whole] = []
        items: list[Ints] = []
        starts = [0]
        for first, last in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True):
            mine = order[first:last]
            spare = -mine.size % LANES
            parts.append(arranged(rows[mine]))
            items.append(np.pad(mine, (0, spare), constant_values=-1))
            starts.append(starts[-1] + (mine.size + spare) // LANES)
        blocks, places = np.concatenate(parts), np.concatenate(items)
        return cls(blocks, places, np.array(starts), centres, spreads, probes=len(centres))

    def _whole(self) -> bool:
        """Tell whether every item up to the last stands in one place."""
        held = np.sort(self.items[self.items >= 0])
        return bool((held == np.arange(len(held))).all())

    @property
    def size(self) -> int:
        """How many items there are."""
        return int(np.count_nonzero(self.items >= 0))

    def nearest(
        self, vector: Whole, most: int, probes: int = 0, allowed: np.ndarray | None = None
    ) -> tuple[Ints, Floats]:
        """Answer up to `most` items with the largest products with int16[d], best first, and
        those products.

        probes: how many cells to look through, 0 for as many as were learned. allowed: bool[n],
        which items may be answered; None for all.
        """
        found, values = np.empty(most, np.int32), np.empty(most, np.float32)
        size = _nearest(
            (self.blocks, self.items, self.starts),
            self._near,
            vector,
            probes or self.probes,
            _EVERYTHING if allowed is None else allowed,
            found,
            values,
        )
        return found[:size], values[:size]

    def arrays(self) -> dict[str, np.ndarray]:
        """Answer every array by name, for a bundle."""
        return {name: getattr(self, name) for name in PARTS}
