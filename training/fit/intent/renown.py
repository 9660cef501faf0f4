"""Counting the renown of items and categories: the table as of a time, and what it was before.

To learn from an event one must not have counted it, nor what its own user did: others' events
before it are what a table of an earlier day would have held. Knows nothing of sessions.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from domain.events import Kind
from models.intent.renown import CATEGORY_STRENGTH, ITEM_STRENGTH, RENOWN, Renown, write_rates

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
MOST_ITEMS = 500_000
"""Items that a table keeps, the commonest."""

_ADD = int(Kind.add_to_cart)
_BUY = int(Kind.purchase)


def _counts(things: npt.NDArray[np.generic], kinds: npt.NDArray[np.int8]) -> tuple[np.ndarray, F64]:
    distinct, place = np.unique(things, return_inverse=True)
    n = len(distinct)
    columns = [np.bincount(place, minlength=n)]
    columns += [np.bincount(place[kinds == kind], minlength=n) for kind in (_ADD, _BUY)]
    kept = distinct != 0
    return distinct[kept], np.column_stack(columns).astype(np.float64)[kept]


def table_of(
    kinds: npt.NDArray[np.int8],
    items: npt.NDArray[np.uint64],
    categories: npt.NDArray[np.int32],
    most_items: int = MOST_ITEMS,
) -> Renown:
    """Count the events given; columns as in Sessions."""
    codes, code_counts = _counts(categories, kinds)
    hashes, item_counts = _counts(items, kinds)
    kept = np.sort(np.argsort(-item_counts[:, 0], kind="stable")[:most_items])
    totals = np.array([len(kinds), (kinds == _ADD).sum(), (kinds == _BUY).sum()], np.float64)
    return Renown(codes, code_counts, hashes[kept], item_counts[kept], totals)


@njit(cache=True, nogil=True, error_model="numpy")
def _add(counts: F64, place: Any, kind: Any) -> None:
    counts[place, 0] += 1
    counts[place, 1] += kind == _ADD
    counts[place, 2] += kind == _BUY


@njit(cache=True, nogil=True, error_model="numpy")
def _before(
    order: I64,
    kinds: npt.NDArray[np.int8],
    places: tuple[I64, I64, I64, I64, I64],
    sizes: tuple[int, int, int, int, int],
    known: tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]],
    out: F64,
) -> None:
    category, item, own_category, own_item, user = places
    of_category, of_item = np.zeros((sizes[0], 3)), np.zeros((sizes[1], 3))
    own_of_category, own_of_item = np.zeros((sizes[2], 3)), np.zeros((sizes[3], 3))
    own_total, total = np.zeros((sizes[4], 3)), np.zeros((1, 3))
    for k in order:
        others = total[0] - own_total[user[k]]
        if known[0][k]:
            counts = of_category[category[k]] - own_of_category[own_category[k]]
            write_rates(counts, others, CATEGORY_STRENGTH, out[k, 0:3])
        if known[1][k]:
            counts = of_item[item[k]] - own_of_item[own_item[k]]
            write_rates(counts, others, ITEM_STRENGTH, out[k, 3:6])
        _add(of_category, category[k], kinds[k])
        _add(of_item, item[k], kinds[k])
        _add(own_of_category, own_category[k], kinds[k])
        _add(own_of_item, own_item[k], kinds[k])
        _add(own_total, user[k], kinds[k])
        _add(total, 0, kinds[k])


def _paired(user: I64, place: I64, size: int) -> tuple[I64, int]:
    distinct, pair = np.unique(user * size + place, return_inverse=True)
    return pair.astype(np.int64), len(distinct)


def before_each(
    users: I64,
    kinds: npt.NDArray[np.int8],
    items: npt.NDArray[np.uint64],
    categories: npt.NDArray[np.int32],
    ats: I64,
) -> F64:
    """Answer float64[n, RENOWN]: of each event, what other users' events before it said.

    users: int64[n], 0 … the number of users - 1. Events at one time count in the order given.
    """
    out = np.full((len(ats), len(RENOWN)), np.nan)
    codes, category = np.unique(categories, return_inverse=True)
    hashes, item = np.unique(items, return_inverse=True)
    category, item = category.astype(np.int64), item.astype(np.int64)
    own_category, pairs = _paired(users, category, max(1, len(codes)))
    own_item, more = _paired(users, item, max(1, len(hashes)))
    people = int(users.max(initial=-1)) + 1
    places = (category, item, own_category, own_item, users)
    sizes = (len(codes), len(hashes), pairs, more, people)
    order = np.argsort(ats, kind="stable")
    _before(order, kinds, places, sizes, (categories != 0, items != 0), out)
    return out
