import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.clock import DAY_MS
from domain.items import Item
from models.recommend.catalogue import Catalogue
from models.recommend.controls import Objective
from models.recommend.objective import (
    BOUND,
    FRESH_DAYS,
    FRESH_MOST,
    Worths,
    freshness,
    margins_of,
    propensity,
)
from tests.golden.shop import NOW


def catalogue_of(*items: Item) -> Catalogue:
    catalogue = Catalogue(("unlisted",))
    for item in items:
        catalogue.put(item)
    return catalogue


def item(name: str, margin: float | None = None, price: int | None = None) -> Item:
    attributes = {} if margin is None else {"margin": margin}
    return Item(name, attributes=attributes, price=None if price is None else price * 1_000_000)


def test_what_is_bought_more_readily_is_worth_more():
    clicks = np.array([1_000, 1_000, 1_000, 0.0])
    found = propensity(clicks, np.array([100, 50, 0, 0.0]))
    usual = 150 / 3_000
    expected = [(100 + 20 * usual) / 1_020 / usual, (50 + 20 * usual) / 1_020 / usual, 1 / BOUND, 1]
    assert found.tolist() == pytest.approx(expected, rel=1e-6)


def test_few_clicks_say_little():
    few = propensity(np.array([2, 1_000.0]), np.array([1, 50.0]))
    many = propensity(np.array([200, 1_000.0]), np.array([100, 50.0]))
    assert 1 < few[0] < 2
    assert many[0] > 1.5 * few[0]


def test_purchases_without_clicks_say_nothing():
    assert propensity(np.array([0, 100.0]), np.array([500, 10.0])).tolist()[0] == 1
    assert propensity(np.zeros(2), np.array([500, 10.0])).tolist() == [1, 1]
    assert propensity(np.array([7, 7.0]), np.zeros(2)).tolist() == [1, 1]


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), min_size=2, max_size=9))
def test_worth_is_bounded_and_rises_with_purchases(counts):
    clicks, purchases = (np.array(column, float) for column in zip(*counts, strict=True))
    found = propensity(clicks, purchases)
    assert ((found >= 1 / BOUND - 1e-6) & (found <= BOUND + 1e-6)).all()
    clicks[:2] = clicks[0]
    low, high = sorted(min(bought, clicks[0]) for bought in purchases[:2])
    purchases[:2] = low, high
    found = propensity(clicks, purchases)
    assert found[0] <= found[1]


def test_margins_come_from_the_attribute_then_from_the_price_then_from_the_others():
    catalogue = catalogue_of(
        item("a", margin=2, price=10), item("b", margin=6, price=20),  # keep .2 and .3 of it
        item("c", price=16),  # 16 * .25 = 4
        item("d"),  # the median of 2, 6 and 4
        item("e", margin=-5), item("f", margin=1e9),
    )  # fmt: skip
    ratios, source, known = margins_of(catalogue)
    usual = 4  # the median of -5, 2, 4, 6 and 1e9
    assert ratios.tolist() == pytest.approx(
        [1, 2 / usual, 6 / usual, 4 / usual, 1, 1 / BOUND, BOUND]
    )
    assert (source, known) == ("attribute", 5)


def test_without_the_attribute_every_price_holds_the_same_share():
    ratios, source, known = margins_of(catalogue_of(item("a", price=5), item("b", price=10)))
    assert ratios.tolist() == pytest.approx([1, 5 / 7.5, 10 / 7.5])
    assert (source, known) == ("price", 2)


def test_a_catalogue_that_knows_neither_says_so():
    ratios, source, known = margins_of(catalogue_of(item("a")))
    assert (ratios.tolist(), source, known) == ([1, 1], "unknown", 0)


def test_the_attribute_alone_says_nothing_of_prices():
    ratios, source, known = margins_of(catalogue_of(item("a", margin=3), item("b", price=1)))
    assert (ratios.tolist(), source, known) == ([1, 1, 1], "attribute", 1)


def test_losses_on_most_items_still_make_an_order():
    ratios, _, _ = margins_of(catalogue_of(item("a", -3), item("b", -1), item("c", 4)))
    assert ratios[1] == ratios[2] == pytest.approx(1 / BOUND)
    assert ratios[3] > ratios[0] >= ratios[1]


def test_worths_follow_the_catalogue_and_the_counts():
    catalogue = catalogue_of(item("a", margin=1), item("b", margin=3))
    worths = Worths(catalogue)
    nothing = worths.of(Objective.purchase)
    assert nothing.aimed == ("purchase", "unknown", None, 0)
    assert nothing.factors is not None
    assert nothing.factors.tolist() == [1, 1, 1]
    assert worths.of(Objective.purchase) is nothing
    worths.show(np.array([50.0, 50]), np.array([5.0, 10]))
    bought = worths.of(Objective.purchase)
    assert bought.factors is not None
    assert bought.factors[0] < 1 < bought.factors[1]
    assert bought.factors[2] == 1
    assert bought.aimed == ("purchase", "live", None, 2)
    both = worths.of(Objective.margin)
    assert both.factors is not None
    assert both.factors.tolist() == pytest.approx(
        [bought.factors[0], bought.factors[1] * 1 / 2, 3 / 2]
    )
    assert both.aimed == ("margin", "live", "attribute", 2)
    catalogue.put(item("b", margin=1))
    after = worths.of(Objective.margin).factors
    assert after is not None
    assert after[2] == 1
    assert worths.of(Objective.click).factors is None


def test_freshness_halves_with_age_and_knows_only_what_is_listed():
    days = DAY_MS
    catalogue = catalogue_of(
        Item("now", created_at=NOW), Item("ahead", created_at=NOW + days),
        Item("old", created_at=NOW - int(FRESH_DAYS * days)), Item("ancient"),
    )  # fmt: skip
    found = freshness(catalogue, NOW, 0.5)
    full = 0.5 * FRESH_MOST
    assert found.tolist() == pytest.approx([1, 1 + full, 1 + full, 1 + full / 2, 1])
