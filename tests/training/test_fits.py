"""Every family that can be fitted can be loaded, described and listed."""

import pytest

from models.families import SCORERS
from training.card import ABOUT
from training.fits import FITS


@pytest.mark.parametrize("name", FITS)
def test_a_family_that_is_fitted_is_served_and_described(name):
    assert name in SCORERS
    assert ABOUT[name].limits
    assert FITS[name].settings()


def test_the_recommender_is_one_of_them():
    settings = FITS["recommend"].settings()
    assert settings["split"] == "auto"
    assert settings["kind_weights"]["purchase"] == 1.0
