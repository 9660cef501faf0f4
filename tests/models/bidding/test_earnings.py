"""Worth of outcomes, by aim, against what their value was made of beforehand."""

import pytest

from models.bidding.earnings import earnings_of
from models.bidding.value import AIMS, worth_of

MEANS = (0.02, 0.1)
TARGETS = {"cpm": 2e6, "cpc": 0.5e6, "cpa": 5e6, "roas": 4e6, "clicks": 0.0, "conversions": 0.0}


@pytest.mark.parametrize("aim", sorted(AIMS))
def test_what_is_expected_to_be_earned_is_the_value(aim):
    click, conversion = MEANS
    shown, of_click, of_conversion = earnings_of(AIMS[aim], TARGETS[aim], 1e6, 30e6, MEANS)
    expected = shown + click * of_click + click * conversion * of_conversion
    chance = click * conversion if aim in ("cpa", "roas", "conversions") else click
    value = worth_of(AIMS[aim], TARGETS[aim], 1e6, 30e6, 1.0, 1e3 * chance)
    assert expected * 1_000 == pytest.approx(value)


def test_each_aim_is_paid_for_its_own_outcome():
    paid = {
        aim: [one > 0 for one in earnings_of(AIMS[aim], TARGETS[aim], 1e6, 30e6, MEANS)]
        for aim in AIMS
    }
    assert paid == {
        "cpm": [True, False, False],
        "cpc": [False, True, False],
        "cpa": [False, False, True],
        "roas": [False, False, True],
        "clicks": [False, True, False],
        "conversions": [False, False, True],
    }


def test_what_cannot_be_is_worth_nothing():
    assert earnings_of(AIMS["roas"], 0.0, 1e6, 30e6, MEANS) == (0.0, 0.0, 0.0)
    assert earnings_of(AIMS["clicks"], 0.0, 1e6, 30e6, (0.0, 0.1)) == (0.0, 0.0, 0.0)
    assert earnings_of(AIMS["conversions"], 0.0, 1e6, 30e6, (0.02, 0.0)) == (0.0, 0.0, 0.0)
    assert earnings_of(99, 1.0, 1e6, 30e6, MEANS) == (0.0, 0.0, 0.0)
