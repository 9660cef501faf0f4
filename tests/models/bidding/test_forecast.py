"""Hours: what was watched is learned, what was hardly seen is not believed, days fade."""

import numpy as np
import pytest

from models.bidding.forecast import DEAREST, HOURS, HourForecast, no_hours, own_weights


def watched(days: int = 5) -> HourForecast:
    """A day whose evening has three times the opportunities at twice the price."""
    forecast = HourForecast()
    for _ in range(days):
        for hour in range(HOURS):
            evening = 18 <= hour < 22
            count = 3600 * (3.0 if evening else 1.0)
            forecast.observe(hour, 3600, count, count / 10, count / 10 * (2e6 if evening else 1e6))
    return forecast


def test_hours_that_were_watched_are_known():
    forecast = watched()
    rates, prices = forecast.rates(), forecast.prices()
    assert rates[20] / rates[3] == pytest.approx(3.0, rel=0.2)
    assert prices[20] / prices[3] == pytest.approx(2.0, rel=0.05)
    weights = forecast.spend_weights()
    assert weights.mean() == pytest.approx(1.0)
    assert weights[20] / weights[3] == pytest.approx(6.0, rel=0.25)


def test_before_anything_was_seen_all_hours_are_alike():
    for found in (HourForecast().rates(), HourForecast().prices(), HourForecast().spend_weights()):
        np.testing.assert_array_equal(found, np.ones(HOURS))


def test_an_hour_hardly_seen_is_taken_for_the_mean():
    forecast = watched()
    for sums in forecast.seen:
        sums[20] *= 0.001
    forecast.observe(20, 2, 200, 1, 9e6)
    others = np.delete(forecast.rates(), [18, 19, 20, 21]).mean()
    assert forecast.rates()[20] < 3 * others
    assert forecast.prices()[20] < 2.2 * np.median(forecast.prices())


def test_a_day_fades_what_was_seen_and_keeps_the_shape():
    forecast = watched(20)
    before = forecast.spend_weights()
    total = forecast.seen.seconds.sum()
    forecast.pass_day()
    assert forecast.seen.seconds.sum() == pytest.approx(total * forecast.keep)
    np.testing.assert_allclose(forecast.spend_weights(), before, rtol=0.05)


def test_a_change_is_learned_within_days():
    forecast = watched(20)
    for _ in range(8):
        forecast.pass_day()
        for hour in range(HOURS):
            forecast.observe(hour, 3600, 3600 * (3.0 if hour < 4 else 1.0), 0, 0)
    assert forecast.rates()[2] > 2 * forecast.rates()[10]
    assert forecast.rates()[20] < 2.0 * forecast.rates()[10]


def test_workers_add_up():
    one, two, both = watched(1), watched(2), watched(3)
    one.take_in(two.seen)
    np.testing.assert_allclose(one.spend_weights(), both.spend_weights())
    one.take_in(no_hours())
    np.testing.assert_allclose(one.rates(), both.rates())


@pytest.mark.parametrize(
    "given",
    [
        (24, 1, 1, 1, 1),
        (-1, 1, 1, 1, 1),
        (0, -1, 1, 1, 1),
        (0, 1, np.nan, 1, 1),
        (0, 1, 1, 1, np.inf),
    ],
)
def test_what_cannot_be_is_not_taken_in(given):
    forecast = HourForecast()
    assert not forecast.observe(*given)
    assert not any(sums.any() for sums in forecast.seen)


def test_no_hour_is_believed_beyond_the_limits():
    forecast = watched()
    forecast.observe(5, 0, 1e15, 1, 1e25)
    mean = forecast.seen.opportunities.sum() / forecast.seen.seconds.sum()
    assert forecast.rates()[5] <= DEAREST * mean
    assert np.isfinite(forecast.spend_weights()).all()


def test_a_campaign_hardly_seen_has_everybody_s_hours():
    everybody = np.where(np.arange(HOURS) < 12, 0.5, 1.5)
    none = np.zeros(HOURS)
    np.testing.assert_allclose(own_weights(none, none, everybody), everybody)
    seconds, cost = none.copy(), none.copy()
    seconds[3], cost[3] = 36.0, 36.0 * 7.0
    np.testing.assert_allclose(own_weights(seconds, cost, everybody), everybody, rtol=0.02)


def test_a_campaign_seen_for_long_has_hours_of_its_own():
    everybody = np.where(np.arange(HOURS) < 12, 0.5, 1.5)
    seconds = np.full(HOURS, 1e6)
    true = np.where(np.arange(HOURS) == 20, 6.0, 1.0)
    found = own_weights(seconds, true * 11.0 * seconds, everybody)
    np.testing.assert_allclose(found, true / true.mean(), rtol=0.05)
    assert found.mean() == pytest.approx(1.0)


def test_own_hours_keep_within_limits():
    seconds = np.ones(HOURS)
    cost = np.where(np.arange(HOURS) == 0, 1e12, 1e-9)
    found = own_weights(seconds, cost, np.ones(HOURS), worth=1e-6)
    assert np.isfinite(found).all()
    assert found.min() > 0
