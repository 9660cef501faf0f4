"""What is wanted within each category lately, from the log and the catalogue's categories.

Where the catalogue names no categories, tags that several items have take their place; without
either nothing is known and the member is silent. Knows nothing of serving.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from domain.clock import DAY_MS
from models.recommend.category import Category
from training.fit.facts import ItemFacts
from training.splits import Interactions

_FEW, _MOST = 5, 0.5
"""A tag is a category when it is on so many items at least, and on this share of all at most."""

_FLOOR = 0.01
"""Events that every item is given, so that new ones have a place in their category."""


def kinds_of(facts: ItemFacts | None, n: int) -> Sequence[Sequence[str]]:
    """Answer the categories of each of n items; tags where there are none; else nothing."""
    if facts is None:
        return [()] * n
    if any(facts.categories):
        return facts.categories
    counts: dict[str, int] = {}
    for tags in facts.attributes:
        for tag in set(tags):
            counts[tag] = counts.get(tag, 0) + 1
    chosen = {tag for tag, count in counts.items() if _FEW <= count <= _MOST * n}
    return [[tag for tag in tags if tag in chosen] for tags in facts.attributes]


def fit_category(
    known: Interactions, facts: ItemFacts | None, as_of: int, params: dict[str, Any]
) -> Category:
    """Count what is wanted in each category as of `as_of` (ms UTC).

    params: half_life_days (or None), power (of an item's decayed events), edges (items listed
    of a category at most), decay (of the history when serving). Memory: 12 bytes for each item
    of each category.
    """
    n = known.n_items
    kinds = [sorted(set(one)) for one in kinds_of(facts, n)]
    names = {name: place for place, name in enumerate(sorted({x for one in kinds for x in one}))}
    sizes = np.array([len(one) for one in kinds], np.int64)
    groups = np.array([names[name] for one in kinds for name in one], np.int64)
    owners = np.repeat(np.arange(n), sizes)
    values = known.weights.astype(np.float64)
    if params["half_life_days"] is not None:
        ages = np.maximum(as_of - known.ats, 0) / DAY_MS
        values *= np.exp2(-ages / params["half_life_days"])
    wanted = (np.bincount(known.items, values, n) + _FLOOR) ** params["power"]
    # Within a category the most wanted first: those beyond `edges` are not listed.
    order = np.lexsort((owners, -wanted[owners], groups))
    starts = np.concatenate([[0], np.cumsum(np.bincount(groups, minlength=len(names)))])
    rank = np.arange(len(order)) - starts[groups[order]]
    whole = np.bincount(groups, wanted[owners], len(names))
    listed = order[rank < params["edges"]]
    listed = listed[np.lexsort((owners[listed], groups[listed]))]
    shares = wanted[owners[listed]] / whole[groups[listed]]
    lengths = np.bincount(groups[listed], minlength=len(names))
    return Category(
        (np.concatenate([[0], np.cumsum(sizes)]), groups),
        (np.concatenate([[0], np.cumsum(lengths)]), owners[listed], shares),
        params["decay"],
    )
