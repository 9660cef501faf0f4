"""What both models of leaving by chance share, against the formulas as the papers print them."""

from dataclasses import astuple

import numpy as np
import pytest

from models.btyd import geometric
from tests.models.btyd.oracle import BG, MBG, bg_log_likelihood, one, some


@pytest.mark.parametrize(("model", "early"), [(BG, 0), (MBG, 1)])
def test_likelihood_as_printed(model, early):
    customers = some()
    found = geometric.log_likelihood(astuple(model), early, *customers)
    assert found == pytest.approx(bg_log_likelihood(model, customers, early), rel=1e-10)


@pytest.mark.parametrize("early", [0, 1])
def test_alive_is_the_share_of_the_likelihood(early):
    """Alive or not, the two parts of the likelihood: the part of the alive has b one higher."""
    r, alpha, a, b = astuple(BG)
    x, tx, age = some()
    here = (alpha + age) ** -(r + x)
    back = b + early + x - 1
    gone = np.where(x + early > 0, a / np.where(back > 0, back, 1), 0) * (alpha + tx) ** -(r + x)
    found = geometric.alive((r, alpha, a, b), early, x, tx, age)
    assert found == pytest.approx(here / (here + gone), rel=1e-12)


def test_an_early_leaver_is_told_apart_only_without_repeat_orders():
    fresh = one(0, 0, 30)
    assert geometric.alive(astuple(BG), 0, *fresh)[0] == 1.0
    assert geometric.alive(astuple(BG), 1, *fresh)[0] < 1.0


def test_a_lead_of_nothing_is_no_lead():
    customers = some()
    plain = geometric.inactive(astuple(BG), 0, *customers, 8.0, 0.0)
    short = geometric.inactive(astuple(BG), 0, *customers, 8.0, 1e-9)
    assert plain == pytest.approx(short, abs=1e-8)


def test_no_window_no_order():
    customers = some()
    assert geometric.inactive(astuple(MBG), 1, *customers, 0.0, 2.0).tolist() == [1.0] * 200
    assert geometric.expected(astuple(MBG), 1, *customers, 0.0).tolist() == [0.0] * 200
