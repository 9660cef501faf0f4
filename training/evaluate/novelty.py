"""What lists are like, whatever they hit: how unexpected, and how unequal between items.

Knows nothing of targets or of models.
"""

import numpy as np
import numpy.typing as npt

from training.splits import Interactions

Lists = npt.NDArray[np.int32]


def self_information(known: Interactions) -> npt.NDArray[np.float64]:
    """Answer float64[n], in bits: -log2 of the share of users who have had each item.

    One user is added to everybody's count, so that an item nobody had is finite (Zhou et al.,
    2010, "Solving the apparent diversity-accuracy dilemma").
    """
    pairs = np.unique(known.users * known.n_items + known.items)
    havers = np.bincount(pairs % max(known.n_items, 1), minlength=known.n_items)
    return -np.log2((havers + 1) / (len(known.offsets)))


def novelty(lists: Lists, k: int, information: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Answer float64[c], in bits: the mean self-information of the first k of int32[c, k].

    A list without items has none to tell: NaN.
    """
    top = lists[:, :k]
    shown = top >= 0
    bits = np.where(shown, information[np.maximum(top, 0)], 0.0).sum(axis=1)
    sizes = shown.sum(axis=1)
    return np.where(sizes > 0, bits / np.maximum(sizes, 1), np.nan)


def gini(lists: Lists, k: int, n_items: int) -> float:
    """Answer how unequally the first k places go to the items: 0 all alike, towards 1 to one.

    Gini's coefficient of how often each of the n items is shown.
    """
    shown = lists[:, :k]
    counts = np.sort(np.bincount(shown[shown >= 0], minlength=n_items).astype(float))
    whole = counts.sum()
    if whole == 0 or n_items == 0:
        return 0.0
    ranks = 2 * np.arange(1, n_items + 1) - n_items - 1
    return float((ranks @ counts) / (n_items * whole))
