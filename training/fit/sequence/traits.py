"""What items have in common by the catalogue: categories, attributes and words of titles.

Each is a number; an item has a bag of them. Traits of next to nobody or of everybody say
nothing and are left out. Knows nothing of what a bag is worth.
"""

import re
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from training.fit.facts import ItemFacts


I64 = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]
LEAST = 5
"""Items that must share a trait."""
MOST_SHARE = 0.5
"""Of the items; what more have is left out."""
_WORD = re.compile(r"\w{2,}")


class Bags(NamedTuple):
    """Traits by item. ids: int64[k]; offsets: int64[n + 1], item i has ids[offsets[i]:offsets[i +
    1]]; count: how many traits there are."""

    ids: I64
    offsets: I64
    count: int

    def of(self, items: I64) -> tuple[I64, I64]:
        """Answer (ids, where each item's begin) of int64[k] items."""
        begin, sizes = self.offsets[items], np.diff(self.offsets)[items]
        ends = np.cumsum(sizes)
        starts = ends - sizes
        total = int(ends[-1]) if len(ends) else 0
        return self.ids[np.arange(total) + np.repeat(begin - starts, sizes)], starts

    def means(self, vectors: F32, heard: npt.NDArray[np.bool_]) -> F32:
        """Answer float32[count, d]: of each trait, the mean vector of its items that are heard of.

        vectors: float32[n, d]; heard: bool[n].
        """
        owners = np.repeat(np.arange(len(heard)), np.diff(self.offsets))
        kept = heard[owners]
        out = np.zeros((self.count, vectors.shape[1]), np.float32)
        np.add.at(out, self.ids[kept], vectors[owners[kept]])
        sizes = np.bincount(self.ids[kept], minlength=self.count)
        return out / np.maximum(sizes, 1)[:, None].astype(np.float32)


def bags_of(facts: "ItemFacts") -> Bags | None:
    """Answer the traits of every item, None where no two items have any in common."""
    rows = zip(facts.titles, facts.categories, facts.attributes, strict=True)
    texts = [_traits(*row) for row in rows]
    counts = Counter(text for one in texts for text in one)
    most = MOST_SHARE * len(texts)
    kept = sorted(text for text, count in counts.items() if LEAST <= count <= most)
    if not kept:
        return None
    number = {text: place for place, text in enumerate(kept)}
    found = [sorted(number[text] for text in one if text in number) for one in texts]
    ends = np.cumsum([0, *map(len, found)], dtype=np.int64)
    return Bags(np.array([one for row in found for one in row], np.int64), ends, len(kept))


def _traits(title: str, categories: Iterable[str], attributes: Iterable[str]) -> set[str]:
    """Answer an item's traits; a letter in front keeps words and categories apart."""
    words = {f"w {word}" for word in _WORD.findall(title.lower())}
    return words | {f"c {one}" for one in categories} | {f"a {one}" for one in attributes}
