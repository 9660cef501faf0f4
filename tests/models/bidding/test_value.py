"""Values by hand for every aim, the rule of one half, and limits that always hold."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.campaigns import Aim
from models.bidding.columns import BUCKETS, CATEGORIES, COMMON, OWN, WORDS
from models.bidding.evidence import PRIOR_VARIANCE
from models.bidding.value import (
    AIMS,
    LEAST_CHANCE,
    MOST_CLICK,
    MOST_TIMES,
    TRUSTED,
    Line,
    chance_of,
    trust,
    valued,
    worth_of,
)

STANDARD, MEAN_CLICK, MEAN_CONVERSION = 2e6, 0.01, 0.05


def line(aim, target=0.0, n=1, **changes):
    one = np.ones(n)
    plain = {
        "aim": np.full(n, AIMS[aim]),
        "target": one * target,
        "standard": one * STANDARD,
        "worth": one * 40e6,
        "click_factor": one,
        "conversion_factor": one,
    }
    return Line(**{**plain, **changes})


def value(lines, click=0.02, conversion=0.1, sure=1.0, n=1):
    """Value candidates whose forests say these chances with this confidence."""
    odds = [np.full(n, np.log(p / (1 - p))) for p in (click, conversion)]
    variance = np.full((2, len(WORDS) * BUCKETS), PRIOR_VARIANCE * (1 - sure) ** 2)
    columns = (
        np.zeros(COMMON, np.int64),
        np.zeros((n, len(OWN)), np.int64),
        np.array(CATEGORIES, np.int64),
    )
    numbers = (1.0, 0.0, MEAN_CLICK, 1.0, 0.0, MEAN_CONVERSION)
    return valued((odds[0], odds[1]), numbers, variance, columns, lines)


def test_the_aims_are_those_of_campaigns():
    assert set(AIMS) == {aim.value for aim in Aim}


@pytest.mark.parametrize(
    ("aim", "target", "wanted"),
    [
        ("cpm", 3e6, 3e6),
        ("cpc", 0.5e6, 0.5e6 * 1000 * 0.02),
        ("cpa", 4e6, 4e6 * 1000 * 0.02 * 0.1),
        ("roas", 4e6, 40e6 * 1000 * 0.02 * 0.1 / 4),
        ("clicks", 0, STANDARD * 2),
        ("conversions", 0, STANDARD * 4),
    ],
)
def test_what_an_impression_is_worth_when_sure(aim, target, wanted):
    assert value(line(aim, target)).value[0] == pytest.approx(wanted)


@pytest.mark.parametrize("sure", [0.0, 0.3, 0.499])
def test_below_one_half_the_standard_bid_is_the_value(sure):
    found = value(line("cpc", 0.5e6), sure=sure)
    assert found.value[0] == STANDARD
    assert not found.trusted[0]


@pytest.mark.parametrize("sure", [0.501, 0.75, 0.999])
def test_above_one_half_the_value_is_drawn_to_the_standard_bid(sure):
    found = value(line("cpc", 0.5e6), sure=sure)
    assert found.confidence[0] == pytest.approx(sure)
    assert found.value[0] == pytest.approx(sure * 10e6 + (1 - sure) * STANDARD)
    assert found.trusted[0]


def test_an_agreed_price_needs_no_confidence():
    assert value(line("cpm", 3e6), sure=0.0).value[0] == 3e6


def test_conversions_must_be_known_too():
    n_words = len(WORDS) * BUCKETS
    variance = np.stack([np.zeros(n_words), np.full(n_words, PRIOR_VARIANCE)])
    odds = (np.full(1, -4.0), np.full(1, -2.0))
    columns = (
        np.zeros(COMMON, np.int64),
        np.zeros((1, len(OWN)), np.int64),
        np.array(CATEGORIES, np.int64),
    )
    numbers = (1.0, 0.0, MEAN_CLICK, 1.0, 0.0, MEAN_CONVERSION)
    of_click = valued(odds, numbers, variance, columns, line("cpc", 1e6))
    of_conversion = valued(odds, numbers, variance, columns, line("cpa", 1e6))
    assert of_click.confidence[0] == 1.0
    assert of_conversion.confidence[0] == pytest.approx(1 - np.sqrt(0.5))
    assert of_conversion.value[0] == STANDARD


def test_factors_of_the_online_calibration_multiply_chances():
    found = value(line("cpc", 1e5, click_factor=np.full(1, 1.5)))
    assert found.click[0] == pytest.approx(0.03)
    assert value(line("cpa", 1e5, conversion_factor=np.full(1, 0.5))).conversion[0] == (
        pytest.approx(0.05)
    )


def test_candidates_are_valued_each_by_its_own_terms():
    lines = line("cpc", n=3, target=np.array([1e5, 2e5, 3e5]))
    assert value(lines, n=3).value.tolist() == pytest.approx([2e6, 4e6, 6e6])


def test_calibration_keeps_the_order_and_the_limits():
    raws = np.linspace(-60, 60, 200)
    chances = [chance_of(raw, 1.3, -0.2, 1.0, MOST_CLICK) for raw in raws]
    assert chances == sorted(chances)
    assert chances[0] == LEAST_CHANCE
    assert chances[-1] == MOST_CLICK


anything = st.floats(allow_nan=True, allow_infinity=True)


@given(anything, anything, anything, anything)
def test_no_chance_leaves_its_limits(raw, slope, intercept, factor):
    assert LEAST_CHANCE <= chance_of(raw, slope, intercept, factor, MOST_CLICK) <= MOST_CLICK


@given(st.sampled_from(list(AIMS.values())), anything, st.floats(0, 1e12), anything, anything)
def test_no_value_is_below_nothing_or_beyond_so_many_standard_bids(
    aim, target, standard, worth, lift
):
    found = worth_of(aim, target, standard, worth, lift, lift)
    assert 0 <= found <= MOST_TIMES * standard


@given(st.floats(0, 1e12), st.floats(0, 1e12), anything)
def test_trust_lies_between_the_value_and_the_standard_bid(value, standard, confidence):
    found = trust(value, standard, min(confidence, 1.0))
    assert min(value, standard) * (1 - 1e-9) <= found <= max(value, standard) * (1 + 1e-9)
    if not confidence >= TRUSTED:
        assert found == standard
