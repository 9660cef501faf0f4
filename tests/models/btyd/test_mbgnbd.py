import numpy as np
import pytest

from models.btyd import BGNBD
from tests.models.btyd.oracle import MBG, one, some


def test_a_first_order_may_be_the_last():
    """The share of those who leave at once is the mean of Beta(a, b), whatever the rate."""
    at_once = MBG.alive(one(0, 0, 0))[0]
    assert at_once == pytest.approx(MBG.b / (MBG.a + MBG.b), rel=1e-12)
    waiting = MBG.alive(one(0, 0, 100))[0]
    assert waiting < at_once


def test_likelihood_of_no_repeat_order():
    """Either gone at once, or here and quiet."""
    age, gone = 12.0, MBG.a / (MBG.a + MBG.b)
    quiet = (MBG.alpha / (MBG.alpha + age)) ** MBG.r
    wanted = np.log(gone + (1 - gone) * quiet)
    assert MBG.log_likelihood(one(0, 0, age))[0] == pytest.approx(wanted, rel=1e-12)


def test_expected_of_the_living_is_bg_nbd_s_with_one_more_stay():
    customers = some()
    plain = BGNBD(MBG.r, MBG.alpha, MBG.a, MBG.b + 1)
    wanted = plain.expected(customers, 20.0) / plain.alive(customers)
    assert MBG.expected(customers, 20.0) / MBG.alive(customers) == pytest.approx(wanted, rel=1e-12)


def test_inactive_is_at_least_the_chance_of_having_left():
    customers = some()
    assert (MBG.inactive(customers, 1e4) >= 1 - MBG.alive(customers) - 1e-12).all()
