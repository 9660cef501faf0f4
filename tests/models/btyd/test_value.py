import numpy as np
import pytest
from scipy.integrate import quad

from models.btyd.value import discounted_orders, lifetime_value
from tests.models.btyd.oracle import MODELS, one, some

every = pytest.mark.parametrize("model", MODELS.values(), ids=list(MODELS))


@every
def test_without_discount_they_are_the_orders_to_expect(model):
    customers = some(20)
    found = discounted_orders(model, customers, 52.0, 0.0)
    assert found == pytest.approx(model.expected(customers, 52.0))


@every
def test_each_order_is_worth_less_the_later_it_comes(model):
    """Against the integral over the rate of orders, by differences."""
    customer, discount, step = one(3, 20, 26), 0.05, 1e-4

    def rate(time):
        early, late = model.expected(customer, time)[0], model.expected(customer, time + step)[0]
        return (late - early) / step * np.exp(-discount * (time + step / 2))

    wanted = quad(rate, 0, 52, epsabs=1e-7)[0]
    assert discounted_orders(model, customer, 52.0, discount)[0] == pytest.approx(wanted, rel=1e-4)


@every
def test_more_discount_less_value(model):
    customers = some(20)
    worths = [discounted_orders(model, customers, 100.0, rate) for rate in (0.0, 0.001, 0.1)]
    assert (np.diff(worths, axis=0) < 0).all()


def test_value_is_orders_times_value_times_margin():
    assert lifetime_value(np.array([2.0]), np.array([30.0]), 0.25).tolist() == [15.0]
