import numpy as np
import pytest

from models.btyd import BGNBD
from tests.models.btyd.oracle import BG, bg_expected, one, some


def test_expected_is_the_paper_s_equation():
    customers = some()
    for horizon in (0.5, 10.0, 39.0):
        wanted = bg_expected(BG, customers, horizon)
        assert BG.expected(customers, horizon) == pytest.approx(wanted, rel=1e-9)


def test_the_paper_s_customer():
    """Fader, Hardie and Lee's worked example: x 2, tx 30.43, T 38.86, 1.226 orders in 39 weeks."""
    assert BG.expected(one(2, 30.43, 38.86), 39)[0] == pytest.approx(1.226, abs=0.0005)


def test_a_of_one_is_no_edge():
    """The paper divides by a - 1; nothing happens there."""
    customers = some()
    near = BGNBD(0.3, 4.0, 1 - 1e-9, 2.0).expected(customers, 20.0)
    assert BGNBD(0.3, 4.0, 1.0, 2.0).expected(customers, 20.0) == pytest.approx(near, rel=1e-7)


def test_without_a_repeat_order_alive_for_certain():
    assert BG.alive(one(0, 0, 500)).tolist() == [1.0]
    assert 0.5 < BG.inactive(one(0, 0, 500), 10)[0] < 1


def test_numbers_are_kept_as_they_are():
    assert (BG.r, BG.alpha, BG.a, BG.b) == (0.2426, 4.4136, 0.7929, 2.4259)
    assert np.isfinite(BG.log_likelihood(some())).all()
