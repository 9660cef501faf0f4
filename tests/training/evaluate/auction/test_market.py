"""A market is what its settings say, and the same seed is the same market."""

import numpy as np
import pytest

from tests.training.evaluate.auction.markets import bare, small
from training.evaluate.auction.market import daily


def test_the_same_seed_is_the_same_market():
    one, two, other = small(3), small(3), small(4)
    for left, right in zip(one[1:], two[1:], strict=True):
        np.testing.assert_array_equal(left, right)
    assert len(one.value) != len(other.value) or not np.array_equal(one.value, other.value)


def test_auctions_lie_in_their_slots():
    market = small()
    assert len(market.starts) == 241
    assert market.starts[-1] == len(market.value) == len(market.others)
    for slot in (0, 100, 239):
        rows = slice(market.starts[slot], market.starts[slot + 1])
        assert (market.hour[rows] == slot // 60).all()


def test_supply_and_prices_go_by_the_hour():
    market = small(slots=1440, a_minute=30.0)
    counts = np.bincount(market.hour, minlength=24)
    assert counts[20] > 1.7 * counts[8]
    price = [np.median(market.to_beat[market.hour == hour]) for hour in (9, 21)]
    assert price[1] > 1.15 * price[0]
    assert daily(np.arange(24.0), 0.4, 20.0).mean() == pytest.approx(1.0)


def test_prices_differ_by_site_and_say_something_of_the_value():
    market = small(slots=1440, a_minute=30.0)
    by_site = [np.median(market.to_beat[market.site == site]) for site in range(8)]
    assert max(by_site) > 1.5 * min(by_site)
    assert np.corrcoef(np.log(market.value), np.log(market.to_beat + 1))[0, 1] > 0.1
    apart = small(slots=1440, a_minute=30.0, alike=0.0)
    assert abs(np.corrcoef(apart.value, apart.to_beat)[0, 1]) < 0.05


def test_conversions_come_as_often_as_their_chance_and_late():
    market = small(slots=1440, a_minute=60.0)
    assert market.converts.sum() == pytest.approx(market.chance.sum(), rel=0.1)
    np.testing.assert_allclose(
        market.value, market.chance * market.settings.worth * 1000.0, rtol=1e-12
    )
    slot = np.repeat(np.arange(1440), np.diff(market.starts))
    assert (market.told_at >= slot).all()
    assert (market.told_at - slot).mean() == pytest.approx(120, rel=0.05)


def test_what_is_to_beat_is_the_best_bid_or_the_floor():
    market = bare([5.0] * 3, [[1.0, 2.0], [4.0, 0.0], [0.0, 0.0]], [3.0, 3.0, 0.0])
    assert market.to_beat.tolist() == [3.0, 4.0, 0.0]
