"""The renown of things: shrinkage by hand, what is not known, the way into a bundle and back."""

import numpy as np
import pytest

from models.intent.renown import (
    CATEGORY_STRENGTH,
    ITEM_STRENGTH,
    RENOWN,
    Renown,
    unheard,
    write_renown,
)


def told(renown, item, category):
    out = np.zeros(len(RENOWN))
    write_renown(renown, np.uint64(item), np.int32(category), out)
    return dict(zip(RENOWN, out.tolist(), strict=True))


def table():
    return Renown(
        categories=np.array([3, 9], np.int32),
        category_counts=np.array([[100.0, 10, 5], [900, 40, 15]]),
        items=np.array([11, 2**63 + 5], np.uint64),
        item_counts=np.array([[10.0, 5, 2], [1, 0, 0]]),
        totals=np.array([1000.0, 50, 20]),
    )


BUY, CART = 21 / 1050, 51 / 1050


def test_rates_are_shrunk_toward_the_whole_log():
    row = told(table(), 11, 3)
    assert row["category_buy_rate"] == pytest.approx((5 + CATEGORY_STRENGTH * BUY) / 130)
    assert row["category_cart_rate"] == pytest.approx((10 + CATEGORY_STRENGTH * CART) / 130)
    assert row["item_buy_rate"] == pytest.approx((2 + ITEM_STRENGTH * BUY) / 20)
    assert row["item_cart_rate"] == pytest.approx((5 + ITEM_STRENGTH * CART) / 20)
    assert row["category_share"] == pytest.approx(100)
    assert row["item_share"] == pytest.approx(10)


def test_large_hashes_are_found():
    assert told(table(), 2**63 + 5, 9)["item_share"] == pytest.approx(1)


@pytest.mark.parametrize(("item", "category"), [(12, 4), (2**64 - 1, 2**31 - 1), (1, 1)])
def test_what_was_never_met_has_the_rates_of_the_whole_log(item, category):
    row = told(table(), item, category)
    assert row["category_buy_rate"] == pytest.approx(BUY)
    assert row["item_cart_rate"] == pytest.approx(CART)
    assert row["item_share"] == row["category_share"] == 0


def test_an_event_without_item_or_category_has_no_renown():
    assert all(value != value for value in told(table(), 0, 0).values())


def test_of_an_empty_log_everything_is_as_good_as_anything():
    row = told(unheard(), 11, 3)
    assert row["category_buy_rate"] == row["item_buy_rate"] == pytest.approx(1 / 50)
    assert row["category_share"] == 0


def test_into_a_bundle_and_back():
    again = Renown.from_arrays(table().arrays())
    for name, array in table().arrays().items():
        assert np.array_equal(getattr(again, name), array)
    assert told(again, 11, 3) == told(table(), 11, 3)


@pytest.mark.parametrize(
    "damage",
    [
        {"categories": np.array([9, 3], np.int32)},
        {"items": np.array([11], np.uint64)},
        {"totals": np.zeros(2)},
        {"item_counts": np.zeros((2, 2))},
    ],
)
def test_arrays_that_do_not_fit_are_refused(damage):
    with pytest.raises(ValueError, match="do not fit"):
        Renown.from_arrays(table().arrays() | damage)
