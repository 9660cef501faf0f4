"""Counting renown: by hand, against a naive reading, and blind to one's own and to the future."""

import numpy as np
import pytest

from models.intent.renown import CATEGORY_STRENGTH, ITEM_STRENGTH, RENOWN, write_rates
from training.fit.intent.renown import before_each, table_of

CLICK, ADD, BUY = 2, 3, 5


def log(seed, n=120):
    rng = np.random.default_rng(seed)
    return (
        rng.integers(0, 5, n),
        rng.choice([CLICK, CLICK, ADD, BUY], n).astype(np.int8),
        rng.integers(0, 9, n).astype(np.uint64),
        rng.integers(0, 4, n).astype(np.int32),
        np.sort(rng.integers(0, 80, n)),
    )


def test_a_table_counts_by_hand():
    kinds = np.array([CLICK, ADD, BUY, CLICK], np.int8)
    made = table_of(kinds, np.array([4, 4, 4, 0], np.uint64), np.array([2, 1, 1, 1], np.int32))
    assert made.items.tolist() == [4]
    assert made.item_counts.tolist() == [[3, 1, 1]]
    assert made.categories.tolist() == [1, 2]
    assert made.category_counts.tolist() == [[3, 1, 1], [1, 0, 0]]
    assert made.totals.tolist() == [4, 1, 1]


def test_only_the_commonest_items_are_kept():
    items = np.array([9, 5, 5, 7, 7, 7, 1], np.uint64)
    made = table_of(np.full(7, CLICK, np.int8), items, np.ones(7, np.int32), most_items=2)
    assert made.items.tolist() == [5, 7]
    assert made.item_counts[:, 0].tolist() == [2, 3]


def test_an_empty_log_makes_an_empty_table():
    users, *columns, ats = (column[:0] for column in log(0))
    assert len(table_of(*columns).items) == 0
    assert before_each(users, *columns, ats).shape == (0, len(RENOWN))


@pytest.mark.parametrize("seed", range(5))
def test_before_each_counts_others_earlier_events_only(seed):
    users, kinds, items, categories, ats = log(seed)
    found = before_each(users, kinds, items, categories, ats)
    order = np.argsort(ats, kind="stable")
    for rank, k in enumerate(order):
        earlier = order[:rank]
        others = earlier[users[earlier] != users[k]]
        for things, strength, columns in (
            (categories, CATEGORY_STRENGTH, slice(0, 3)),
            (items, ITEM_STRENGTH, slice(3, 6)),
        ):
            if things[k] == 0:
                assert np.isnan(found[k, columns]).all()
                continue
            expected = np.zeros(3)
            same = others[things[others] == things[k]]
            write_rates(_counted(kinds[same]), _counted(kinds[others]), strength, expected)
            assert found[k, columns] == pytest.approx(expected)


def _counted(kinds):
    return np.array([len(kinds), (kinds == ADD).sum(), (kinds == BUY).sum()], np.float64)


@pytest.mark.parametrize("seed", range(5))
def test_the_future_changes_nothing_before_it(seed):
    users, kinds, items, categories, ats = log(seed)
    moment = 40
    later = ats > moment
    changed = np.where(later, BUY, kinds).astype(np.int8)
    one = before_each(users, kinds, items, categories, ats)
    other = before_each(users, changed, items[::1].copy(), categories, ats)
    assert one[~later].tobytes() == other[~later].tobytes()
    assert not np.array_equal(one[later], other[later], equal_nan=True)
