"""Purchases net of their refunds, within the records a view may see.

A refund that names an event_id undoes that purchase; one that does not undoes the latest
earlier purchase of the same item that is not yet undone. A refund with a value in the currency
of the purchase undoes that much of it, any other refund the whole; a purchase of which nothing
is left does not count as one. Refunds of purchases older than the records undo nothing here.
"""

import numpy as np
import numpy.typing as npt

from domain.events import Kind
from feature_store.compiling import compiled
from feature_store.records import H_COUNT, HAS_VALUE, Lifetime, Records

PURCHASE = int(Kind.purchase)
REFUND = int(Kind.refund)


@compiled
def _undone_by(
    records: Records, start: int, end: int, refund: int, gone: npt.NDArray[np.uint8]
) -> int:
    """Answer the place of the purchase that the refund at `refund` undoes, or -1."""
    ref = records[refund]["ref"]
    if ref != 0:
        for k in range(start, end):
            if records[k]["event"] == ref and records[k]["kind"] == PURCHASE:
                return -1 if gone[k - start] else k
        return -1
    item = records[refund]["item"]
    for back in range(refund - start):
        k = refund - 1 - back
        if records[k]["kind"] == PURCHASE and records[k]["item"] == item and not gone[k - start]:
            return k
    return -1


@compiled
def net_purchases(
    records: Records, start: int, end: int
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64], int, int]:
    """Net the purchases among records start … end - 1 of the refunds among them.

    Answers (kept, left, undone, unpriced): per record whether it is a purchase that counts,
    and what is left of its value (micros; 0 in a foreign currency); how many purchases were
    undone whole; and the micros taken off by refunds that carry no house value of their own.
    """
    n = end - start
    kept = np.zeros(n, np.uint8)
    left = np.zeros(n, np.int64)
    gone = np.zeros(n, np.uint8)
    refunds = 0
    for k in range(start, end):
        kind = records[k]["kind"]
        if kind == PURCHASE:
            kept[k - start] = 1
            left[k - start] = records[k]["value"]
        elif kind == REFUND:
            refunds += 1
    undone = 0
    unpriced = 0
    if refunds:
        for k in range(start, end):
            if records[k]["kind"] != REFUND:
                continue
            p = _undone_by(records, start, end, k, gone)
            if p < 0:
                continue
            valued = (records[k]["flags"] & records[p]["flags"] & HAS_VALUE) != 0
            same = records[k]["currency"] == records[p]["currency"]
            amount = abs(records[k]["value"])
            if valued and same and amount < left[p - start]:
                left[p - start] -= amount
                continue
            if records[p]["currency"] == 0 and not (valued and same):
                unpriced += left[p - start]
            left[p - start] = 0
            gone[p - start] = 1
            kept[p - start] = 0
            undone += 1
    for k in range(start, end):
        if records[k]["currency"] != 0:
            left[k - start] = 0
    return kept, left, undone, unpriced


def standing(records: Records, lifetime: Lifetime | None = None) -> Records:
    """Answer records without the purchases that were refunded whole: they are not taste.

    The refunds stay. `lifetime`, when given, tells at no cost that there never was a refund.
    """
    if lifetime is not None and lifetime[H_COUNT + REFUND] == 0:
        return records
    kinds = records["kind"]
    if not (kinds == REFUND).any():
        return records
    kept, _, _, _ = net_purchases(records.copy(), 0, len(records))
    return records[(kinds != PURCHASE) | (kept == 1)]
