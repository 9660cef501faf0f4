"""What every model of orders must hold: chances add up to one, futures are as simulated."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.btyd import ORDER_MODELS, Customers
from tests.models.btyd.oracle import MODELS, chances, future, one, simulate, some

every = pytest.mark.parametrize("model", MODELS.values(), ids=list(MODELS))


@every
def test_chances_of_every_count_add_up_to_one(model):
    assert chances(model, 20.0).sum() == pytest.approx(1, abs=1e-6)


@every
def test_a_new_customer_s_future_is_the_likelihood_s(model):
    """Seen from their first order, the orders to expect are the mean over the counts."""
    probable = chances(model, 20.0)
    fresh = one(0, 0, 0)
    alive = model.alive(fresh)[0]
    mean = probable @ np.arange(len(probable))
    assert model.expected(fresh, 20.0)[0] == pytest.approx(mean, rel=1e-5)
    assert model.inactive(fresh, 20.0)[0] == pytest.approx(probable[0], rel=1e-9)
    assert alive == 1.0 or model is MODELS["mbgnbd"]


@every
@pytest.mark.parametrize("lead", [0.0, 6.0])
def test_the_future_is_as_simulated(model, lead):
    rng = np.random.default_rng(8)
    rounds, horizon = 60_000, 15.0
    for customer in (one(0, 0, 20), one(1, 5, 30), one(6, 27, 30)):
        counts = future(model, customer, horizon, lead, rng, rounds)
        expected = model.expected(customer, lead + horizon)[0] - model.expected(customer, lead)[0]
        error = counts.std() / rounds**0.5
        assert abs(counts.mean() - expected) < 5 * error
        none = model.inactive(customer, horizon, lead)[0]
        assert abs((counts == 0).mean() - none) < 5 * (none * (1 - none) / rounds) ** 0.5


@every
def test_a_simulated_life_is_as_the_model_says(model):
    """The share without a repeat order, and the orders in all, over many simulated lives."""
    n, age = 30_000, 30.0
    lives = simulate(model, np.full(n, age), np.random.default_rng(9))
    none = model.inactive(one(0, 0, 0), age)[0]
    assert abs((lives.frequency == 0).mean() - none) < 5 * (none * (1 - none) / n) ** 0.5
    off = lives.frequency.mean() - model.expected(one(0, 0, 0), age)[0]
    assert abs(off) < 5 * lives.frequency.std() / n**0.5


frequencies = st.integers(1, 60)
shares = st.floats(0, 1)
ages = st.floats(0.01, 500)


@every
@given(x=frequencies, share=shares, age=ages, more=st.floats(0.01, 200))
def test_alive_falls_while_nothing_happens(model, x, share, age, more):
    recency = share * age
    now, later = model.alive(one(x, recency, age))[0], model.alive(one(x, recency, age + more))[0]
    assert 0 <= later <= now + 1e-12
    assert now <= 1


@every
@given(x=frequencies, share=shares, other=shares, age=ages)
def test_alive_rises_with_recency(model, x, share, other, age):
    low, high = sorted((share, other))
    before = model.alive(one(x, low * age, age))[0]
    assert before <= model.alive(one(x, high * age, age))[0] + 1e-12


@every
@given(x=st.integers(0, 60), share=shares, age=ages, h=st.floats(0.01, 100), lead=st.floats(0, 50))
def test_windows(model, x, share, age, h, lead):
    customer = one(x, share * age if x else 0, age)
    none = model.inactive(customer, h, lead)[0]
    assert 0 <= none <= 1
    assert model.inactive(customer, 2 * h, lead)[0] <= none + 1e-12
    assert model.inactive(customer, h, lead + 1)[0] >= none - 1e-12
    orders = model.expected(customer, lead + h)[0] - model.expected(customer, lead)[0]
    # At least as many orders as chances of one or more.
    assert orders >= 1 - none - 1e-9
    assert none >= 1 - model.alive(customer)[0] - 1e-12


@every
def test_the_unit_of_time_is_free(model):
    customers = some()
    numbers = {one.name: getattr(model, one.name) for one in fields(model)}
    days = {
        name: value * 7 if name in ("alpha", "beta") else value for name, value in numbers.items()
    }
    other = type(model)(**days)
    same = customers.scaled(1 / 7)
    assert other.alive(same) == pytest.approx(model.alive(customers), rel=1e-9)
    assert other.expected(same, 70) == pytest.approx(model.expected(customers, 10), rel=1e-9)
    assert other.inactive(same, 70, 7) == pytest.approx(model.inactive(customers, 10, 1), rel=1e-9)


@every
def test_nobody_gives_nothing(model):
    nobody = Customers.of([], [], [])
    for values in (model.log_likelihood(nobody), model.expected(nobody, 3.0), model.alive(nobody)):
        assert values.shape == (0,)


def test_the_table_names_every_model():
    assert {name: type(model) for name, model in MODELS.items()} == ORDER_MODELS
