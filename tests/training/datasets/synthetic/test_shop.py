"""The simulated shop as one thing: its table of sessions is the store's, its truth fits it."""

import numpy as np
import pytest

from domain.events import Kind
from training.datasets.synthetic.shop import START, category_names, item_names, simulate
from training.datasets.synthetic.world import CATEGORIES, ITEMS
from training.fit.intent.sessions import cut, label


@pytest.fixture(scope="module")
def shop():
    return simulate(150, days=30.0, seed=2)


def test_visits_are_the_sessions_of_the_table(shop):
    sessions = cut(shop.stream())
    assert np.array_equal(sessions.offsets, shop.visits.offsets)
    labels = label(sessions)
    assert np.array_equal(labels.asked, shop.visits.kinds != Kind.purchase)
    assert np.array_equal(labels.y[labels.asked], shop.buys[labels.asked])


def test_events_carry_items_categories_and_prices(shop):
    stream = shop.stream()
    there = shop.visits.items >= 0
    assert ((stream.items != 0) == there).all()
    assert ((stream.categories != 0) == there).all()
    assert (stream.values[there] > 0).all()
    assert (stream.values[~there] == 0).all()
    assert stream.ats.min() >= START


def test_intent_is_a_probability_and_nought_once_bought(shop):
    intent = shop.best.intent
    assert ((intent >= 0) & (intent < 1)).all()
    assert (intent[shop.visits.kinds == Kind.purchase] == 0).all()
    assert intent[shop.buys].mean() > 2 * intent[~shop.buys].mean()


def test_the_same_seed_is_the_same_shop(shop):
    again = simulate(150, days=30.0, seed=2)
    assert np.array_equal(again.ats, shop.ats)
    assert np.array_equal(again.best.intent, shop.best.intent)


def test_a_longer_horizon_means_less_churn(shop):
    longer = simulate(150, days=30.0, seed=2, horizon_days=90.0)
    assert (longer.best.churn <= shop.best.churn + 1e-12).all()


def test_every_name_says_simulated(shop):
    names = [*shop.user_names(), *item_names(), *category_names()]
    assert all(name.startswith("simulated") for name in names)
    assert len(set(item_names())) == ITEMS
    assert len(set(category_names())) == CATEGORIES
