"""The drifting shop's chances are those its events are drawn with; the laws change halfway."""

import numpy as np
import pytest

from domain.clock import DAY_MS
from training.datasets.synthetic.drifting import DRIFTS, LAWS, START_MS, Shop, ShopSettings

SMALL = ShopSettings(items=40, styles=4, shoppers=30, past_days=4, days=4, visits=60, leads=(0, 1))


def test_the_law_that_leads_changes_halfway():
    shop = Shop(SMALL, 1)
    half = START_MS + 2 * DAY_MS
    np.testing.assert_allclose(shop.laws(half - 1), [0.7, 0.1, 0.1, 0.1])
    np.testing.assert_allclose(shop.laws(half), [0.1, 0.7, 0.1, 0.1])
    assert len(DRIFTS) == len(LAWS) * (len(LAWS) - 1)


def test_wishes_add_up_and_events_follow_them():
    shop = Shop(SMALL, 2)
    shop.had[5] = [3, 3, 9]
    at = START_MS
    for last in (-1, 7):
        wanted = shop.wanted(5, last, at)
        assert wanted.sum() == pytest.approx(1.0, rel=1e-5)
        laws = shop.laws(at)
        drawn = np.bincount([shop._wish(5, last, laws) for _ in range(20_000)], minlength=40)
        error = 5 * np.sqrt(wanted * (1 - wanted) / 20_000) + 1e-4
        assert (np.abs(drawn / 20_000 - wanted) < error).all()


def test_clicks_fall_with_the_place_and_rise_with_the_wish():
    shop = Shop(SMALL, 3)
    wanted = np.zeros(40)
    wanted[:3] = 0.5, 0.5, 0.1
    chances = shop.clicks(wanted, np.array([0, 1, 2, 39]))
    np.testing.assert_allclose(chances[0], 1 - np.exp(-0.5))
    np.testing.assert_allclose(chances[1], chances[0] / 1.2)
    assert chances[2] < chances[1]
    assert chances[3] == 0.0


def test_the_same_seed_is_the_same_shop():
    one, two = Shop(SMALL, 4), Shop(SMALL, 4)
    assert list(one.past()) == list(two.past())
    assert list(one.visits()) == list(two.visits())
    assert list(Shop(SMALL, 5).past()) != list(Shop(SMALL, 4).past())


def test_a_visit_is_had_when_the_next_one_comes():
    shop = Shop(SMALL, 6)
    past = list(shop.past())
    assert all(event.at < START_MS for event in past)
    assert sum(len(had) for had in shop.had) == len(past)
    visits = shop.visits()
    first = next(visits)
    before = len(shop.had[first.shopper])
    second = next(visits)
    assert len(shop.had[first.shopper]) == before + len(first.before) + len(first.after)
    assert second.at >= first.at >= START_MS
    assert {visit.page for visit in visits} == {"home", "item"}
