import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.scores import Band
from models.churn.bands import BANDS, Limits, band_of, levels_of, limits_from

LIMITS = Limits(10.0, 8.0, 50.0, 40.0)
losses = st.one_of(st.floats(0, 200), st.sampled_from([0.0, 8.0, 10.0, 40.0, 50.0, math.inf]))
maybe = st.sampled_from([None, *Band])


@pytest.mark.parametrize(
    ("loss", "previous", "wanted"),
    [
        (9.99, None, Band.low),
        (10.0, None, Band.medium),
        (49.99, None, Band.medium),
        (50.0, None, Band.high),
        (9.0, Band.medium, Band.medium),
        (8.0, Band.medium, Band.medium),
        (7.99, Band.medium, Band.low),
        (45.0, Band.high, Band.high),
        (39.99, Band.high, Band.medium),
        (9.0, Band.high, Band.medium),
        (1.0, Band.high, Band.low),
        (60.0, Band.low, Band.high),
        (45.0, Band.low, Band.medium),
        (math.nan, Band.high, Band.high),
        (math.nan, None, Band.low),
    ],
)
def test_bands_by_hand(loss, previous, wanted):
    assert band_of(loss, previous, LIMITS) is wanted


@given(losses, maybe)
def test_the_same_loss_again_changes_nothing(loss, previous):
    first = band_of(loss, previous, LIMITS)
    assert band_of(loss, first, LIMITS) is first


@given(st.floats(0, 200), maybe, st.lists(st.floats(-0.09, 0.09), max_size=30))
def test_small_wobbles_never_move_a_band_twice(centre, previous, wobbles):
    # Limits are left 20 % below their entry, so a wobble of 9 % cannot cross both.
    band = band_of(centre, previous, LIMITS)
    moves = 0
    for wobble in wobbles:
        now = band_of(centre * (1 + wobble), band, LIMITS)
        moves += now is not band
        band = now
    assert moves <= 1


@given(losses, losses, maybe)
def test_more_to_lose_is_never_a_lower_band(one, other, previous):
    low, high = sorted([one, other])
    places = [BANDS.index(band_of(loss, previous, LIMITS)) for loss in (low, high)]
    assert places == sorted(places)


@given(losses, maybe)
def test_who_was_higher_is_never_lower_now(loss, previous):
    new = BANDS.index(band_of(loss, None, LIMITS))
    assert BANDS.index(band_of(loss, previous, LIMITS)) >= new


@given(st.lists(st.tuples(st.one_of(losses, st.just(math.nan)), maybe), max_size=40))
def test_many_at_once_are_as_one_by_one(rows):
    values = np.array([loss for loss, _ in rows])
    before = np.array([BANDS.index(band) if band else -1 for _, band in rows], np.int8)
    wanted = [BANDS.index(band_of(loss, band, LIMITS)) for loss, band in rows]
    assert levels_of(values, before, LIMITS).tolist() == wanted


def test_limits_from_losses_give_the_shares_asked_for():
    values = np.random.default_rng(0).exponential(30.0, 10_000)
    limits = limits_from(values, medium=0.6, high=0.95)
    levels = levels_of(values, np.full(10_000, -1, np.int8), limits)
    assert np.bincount(levels).tolist() == pytest.approx([6_000, 3_500, 500], abs=2)


def test_nobody_with_nothing_to_lose_is_above_low():
    assert band_of(0.0, None, limits_from(np.zeros(10))) is Band.low


def test_limits_are_json_values():
    assert Limits(**LIMITS.params()).checked() == LIMITS


@pytest.mark.parametrize(
    "limits",
    [(0, 0, 1, 1), (2, 3, 5, 4), (5, 4, 3, 2), (2, 1, 5, 6), (2, 2, 5, 1), (1, 1, math.inf, 1)],
)
def test_limits_out_of_order_are_refused(limits):
    with pytest.raises(ValueError, match="limits rise"):
        Limits(*limits).checked()


@pytest.mark.parametrize(
    ("values", "shares"), [([], {}), ([math.nan], {}), ([1.0], {"medium": 0.9, "high": 0.5})]
)
def test_limits_want_losses_and_shares(values, shares):
    with pytest.raises(ValueError, match="want some losses"):
        limits_from(values, **shares)
