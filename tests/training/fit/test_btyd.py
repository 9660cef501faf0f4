from dataclasses import asdict, astuple

import numpy as np
import pytest
from scipy.optimize import minimize

from domain.errors import ScientistError, TooLittleData
from models.btyd import BGNBD, MBGNBD, Customers, GammaGamma, ParetoNBD, btyd_features
from tests.models.btyd.oracle import simulate
from training.fit.btyd import fit_orders, fit_prospects, fit_spend

TRUTHS = {
    "bgnbd": BGNBD(0.8, 5.0, 0.9, 2.5),
    "mbgnbd": MBGNBD(0.8, 5.0, 0.7, 2.5),
    "pareto": ParetoNBD(0.8, 5.0, 1.2, 12.0),
}


@pytest.fixture(scope="module")
def worlds():
    """Three thousand simulated customers of each model, of whole ages, so that some are equal."""
    rng = np.random.default_rng(5)
    ages = rng.integers(20, 41, 3_000).astype(float)
    return {name: simulate(truth, ages, rng) for name, truth in TRUTHS.items()}


@pytest.mark.parametrize("name", list(TRUTHS))
def test_numbers_come_back(worlds, name):
    fitted = fit_orders(name, worlds[name])
    assert fitted.converged, fitted.message
    assert fitted.customers == 3_000
    for number, truth in asdict(TRUTHS[name]).items():
        off = getattr(fitted.model, number) - truth
        assert abs(off) < 4 * fitted.errors[number], number
        assert 0 < fitted.errors[number] < 2 * truth
    there = TRUTHS[name].log_likelihood(worlds[name]).sum()
    assert there <= fitted.log_likelihood <= there + 15


def test_equal_customers_count_each(worlds):
    customers = worlds["bgnbd"]
    fitted = fit_orders("bgnbd", customers)
    one_by_one = fitted.model.log_likelihood(customers).sum()
    assert fitted.log_likelihood == pytest.approx(one_by_one, rel=1e-12)


def test_no_better_place_near_by(worlds):
    """From the optimum, a search of another sort finds nothing worth having."""
    customers = worlds["mbgnbd"]
    fitted = fit_orders("mbgnbd", customers)

    def objective(logs):
        return -MBGNBD(*np.exp(logs)).log_likelihood(customers).sum()

    again = minimize(objective, np.log(astuple(fitted.model)) + 0.05, method="Powell")
    assert -again.fun <= fitted.log_likelihood + 1e-4


def test_errors_are_as_wide_as_the_data_is_thin(worlds):
    few = Customers(*(column[:750] for column in worlds["bgnbd"]))
    thin, thick = fit_orders("bgnbd", few), fit_orders("bgnbd", worlds["bgnbd"])
    assert thin.errors["r"] / thick.errors["r"] == pytest.approx(2, rel=0.35)


def test_without_leaving_a_number_runs_off_and_that_is_said():
    """Customers of one rate who never leave: r, alpha and b have no end."""
    rng = np.random.default_rng(1)
    ages = np.full(400, 30.0)
    counts = rng.poisson(0.3 * ages)
    recency = np.where(counts > 0, 30.0, 0.0)
    fitted = fit_orders("bgnbd", Customers.of(counts, recency, ages))
    assert not fitted.converged or any(np.isnan(list(fitted.errors.values())))


def test_the_unit_of_time_is_free(worlds):
    weeks = fit_orders("bgnbd", worlds["bgnbd"]).model
    days = fit_orders("bgnbd", worlds["bgnbd"].scaled(1 / 7)).model
    assert days.alpha == pytest.approx(7 * weeks.alpha, rel=1e-3)
    assert (days.r, days.a, days.b) == pytest.approx((weeks.r, weeks.a, weeks.b), rel=2e-3)


def make(customers, repeaters, age=10.0):
    frequency = np.arange(customers) < repeaters
    return Customers.of(frequency, frequency * age / 2, np.full(customers, age))


@pytest.mark.parametrize(("customers", "repeaters"), [(0, 0), (99, 50), (500, 19)])
def test_too_few_are_refused_and_counted(customers, repeaters):
    with pytest.raises(TooLittleData, match=f"there are {customers} and {repeaters}"):
        fit_orders("bgnbd", make(customers, repeaters))


def test_no_time_no_model():
    with pytest.raises(TooLittleData, match="time to pass"):
        fit_orders("bgnbd", make(200, 50, 0.0))


def test_impossible_customers_are_counted():
    customers = make(200, 50)
    customers.recency[:3] = 99
    customers.age[10] = np.nan
    with pytest.raises(ScientistError, match="4 customers cannot be"):
        fit_orders("pareto", customers)


def test_an_unknown_model_is_refused():
    with pytest.raises(ScientistError, match="one of bgnbd, mbgnbd, pareto"):
        fit_orders("oracle", make(200, 50))


def spenders(truth, n, rng):
    orders = rng.integers(1, 9, n)
    rates = rng.gamma(truth.q, 1 / truth.gamma, n)
    return orders, rng.gamma(truth.p * orders, 1 / rates) / orders


def test_spend_comes_back():
    truth = GammaGamma(4.0, 3.5, 20.0)
    fitted = fit_spend(*spenders(truth, 4_000, np.random.default_rng(2)))
    assert fitted.converged
    for number, value in asdict(truth).items():
        assert abs(getattr(fitted.model, number) - value) < 4 * fitted.errors[number]
    assert fitted.model.mean() == pytest.approx(truth.mean(), rel=0.05)


def test_those_without_value_are_left_out():
    orders, spend = spenders(GammaGamma(4.0, 3.5, 20.0), 300, np.random.default_rng(3))
    plain = fit_spend(orders, spend)
    more = fit_spend([*orders, 0, 2, 3, 4], [*spend, 5.0, 0.0, np.nan, -3.0])
    assert (more.model, more.customers) == (plain.model, 300)


def test_spend_without_spenders():
    with pytest.raises(TooLittleData, match="there are 2"):
        fit_spend([1, 2, 0], [5.0, 6.0, 7.0])
    with pytest.raises(TooLittleData, match="the same"):
        fit_spend(np.ones(50), np.full(50, 20.0))


def test_prospects_are_fitted_in_weeks(worlds):
    days = Customers(*(column[:600] for column in worlds["bgnbd"])).scaled(1 / 7)
    rng = np.random.default_rng(4)
    prospects, fits = fit_prospects(days, 28, 7, rng.gamma(3, 10, 600), ["bgnbd", "mbgnbd"])
    assert (prospects.horizon_days, prospects.lead_days, prospects.unit_days) == (28, 7, 7)
    assert list(prospects.orders) == ["bgnbd", "mbgnbd"]
    assert fits["bgnbd"].model == prospects.orders["bgnbd"]
    assert prospects.orders["bgnbd"].alpha == pytest.approx(TRUTHS["bgnbd"].alpha, rel=0.6)
    columns = btyd_features(prospects, *days)
    assert all(np.isfinite(column).all() for column in columns.values())
    assert abs(columns["bgnbd_inactive"] - columns["mbgnbd_inactive"]).max() < 0.5


def test_without_value_there_is_no_model_of_it(worlds):
    days = Customers(*(column[:300] for column in worlds["bgnbd"])).scaled(1 / 7)
    for spend in (None, np.full(300, 5.0), np.zeros(300)):
        prospects, fits = fit_prospects(days, 28, 0, spend, ["bgnbd"])
        assert prospects.spend is None
        assert list(fits) == ["bgnbd"]


def test_too_few_have_no_prospects():
    with pytest.raises(TooLittleData):
        fit_prospects(make(30, 20), 28)
