import numpy as np
import pytest

from models.btyd import ParetoNBD
from tests.models.btyd.oracle import PARETO, one, pareto_log_likelihood, some

OTHERS = [ParetoNBD(2.0, 5.0, 0.9, 30.0), ParetoNBD(0.4, 40.0, 3.0, 2.0), ParetoNBD(1, 7, 1, 7)]


@pytest.mark.parametrize("model", [PARETO, *OTHERS])
def test_likelihood_is_the_note_s_equation(model):
    customers = some()
    wanted = pareto_log_likelihood(model, customers)
    assert model.log_likelihood(customers) == pytest.approx(wanted, rel=1e-8)


@pytest.mark.parametrize("model", [PARETO, *OTHERS])
def test_alive_is_the_share_of_the_likelihood(model):
    """With recency equal to age nobody can have left: only the part of the alive is there."""
    customers = some()
    here = model.log_likelihood(customers._replace(recency=customers.age))
    wanted = np.exp(here - model.log_likelihood(customers))
    assert model.alive(customers) == pytest.approx(wanted, rel=1e-9)


def test_s_of_one_is_no_edge():
    customers = some()
    near = ParetoNBD(0.6, 10.0, 1 + 1e-7, 12.0).expected(customers, 20.0)
    there = ParetoNBD(0.6, 10.0, 1.0, 12.0).expected(customers, 20.0)
    assert there == pytest.approx(near, rel=1e-6)


def test_recency_equal_to_age_is_alive():
    assert PARETO.alive(one(3, 20, 20)).tolist() == [1.0]
    assert np.isfinite(PARETO.log_likelihood(one(3, 20, 20))).all()


def test_the_hypergeometric_difference_would_have_lost_its_digits():
    """Just before now: the chance of having left in a moment is the moment times a rate."""
    age, moment = 30.0, 1e-9
    gone = 1 - PARETO.alive(one(2, age - moment, age))[0]
    assert gone == pytest.approx(PARETO.s / (PARETO.beta + age) * moment, rel=1e-4)


def test_nobody_is_too_extreme():
    for customer in (one(2_000, 1, 3_000), one(2_000, 3_000, 3_000), one(0, 0, 1e6)):
        assert np.isfinite(PARETO.log_likelihood(customer)).all()
        for value in (PARETO.alive(customer)[0], PARETO.inactive(customer, 10, 3)[0]):
            assert 0 <= value <= 1
