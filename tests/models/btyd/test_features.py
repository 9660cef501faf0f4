import json

import numpy as np
import pytest

from models.btyd import GammaGamma, Prospects, btyd_features
from models.btyd.features import foretell
from tests.models.btyd.oracle import MODELS, some

DAYS = some(50, seed=3, longest=300.0)
SPEND = GammaGamma(6.25, 3.74, 15.44)
PROSPECTS = Prospects(MODELS, horizon_days=28, lead_days=7, unit_days=7, spend=SPEND)


def test_a_column_each_in_the_order_of_the_names():
    columns = btyd_features(PROSPECTS, *DAYS)
    assert tuple(columns) == PROSPECTS.names()
    assert len(columns) == 10
    assert all(column.shape == (50,) and np.isfinite(column).all() for column in columns.values())


@pytest.mark.parametrize("name", list(MODELS))
def test_days_become_weeks(name):
    columns = btyd_features(PROSPECTS, *DAYS)
    weeks, model = DAYS.scaled(7), MODELS[name]
    assert columns[f"{name}_alive"] == pytest.approx(model.alive(weeks))
    assert columns[f"{name}_inactive"] == pytest.approx(model.inactive(weeks, 4.0, 1.0))
    wanted = model.expected(weeks, 5.0) - model.expected(weeks, 1.0)
    assert columns[f"{name}_expected"] == pytest.approx(wanted)


def test_without_a_lead():
    prospects = Prospects({"bgnbd": MODELS["bgnbd"]}, horizon_days=28)
    columns = btyd_features(prospects, *DAYS)
    assert tuple(columns) == ("bgnbd_expected", "bgnbd_alive", "bgnbd_inactive")
    wanted = MODELS["bgnbd"].expected(DAYS.scaled(7), 4.0)
    assert columns["bgnbd_expected"] == pytest.approx(wanted)


def test_who_is_no_customer_is_not_a_number():
    frequency, recency, age = [3, -1, np.nan, 2], [5, 0, 0, 9], [9, 9, 9, 3]
    columns = btyd_features(PROSPECTS, frequency, recency, age, [10, 10, 10, 10])
    for column in columns.values():
        assert np.isfinite(column).tolist() == [True, False, False, False]


def test_one_customer_by_numbers_alone():
    alone = btyd_features(PROSPECTS, 3, 20, 40, 25.0)
    many = btyd_features(PROSPECTS, [1, 3], [2, 20], [40, 40], [9.0, 25.0])
    assert {name: float(column[0]) for name, column in alone.items()} == {
        name: float(column[1]) for name, column in many.items()
    }


def test_an_unknown_value_is_everybody_s():
    columns = btyd_features(PROSPECTS, [2, 2], [5, 5], [9, 9], [np.nan, 40.0])
    values = columns["order_value_expected"]
    assert values[0] == SPEND.mean()
    assert values[1] == SPEND.expected([3], [40.0])[0]


def test_back_from_json():
    again = Prospects.from_params(json.loads(json.dumps(PROSPECTS.params())))
    assert again == PROSPECTS
    plain = Prospects({"pareto": MODELS["pareto"]}, 28)
    assert Prospects.from_params(plain.params()) == plain


def test_a_model_nobody_knows_is_named():
    params = PROSPECTS.params() | {"orders": {"oracle": {}}}
    with pytest.raises(KeyError, match="oracle"):
        Prospects.from_params(params)


def test_written_into_a_part_of_a_larger_table():
    frequency, recency, age = DAYS
    spend = np.linspace(1, 90, 50)
    table = np.full((50, 14), -7.0)
    foretell(PROSPECTS, frequency, recency, age, spend, table[:, 2:12])
    wanted = btyd_features(PROSPECTS, *DAYS, spend)
    assert table[:, 2:12].T.tolist() == [wanted[name].tolist() for name in PROSPECTS.names()]
    assert (table[:, [0, 1, 12, 13]] == -7.0).all()


def test_columns_of_other_lengths_are_refused():
    with pytest.raises(ValueError, match="spend"):
        btyd_features(PROSPECTS, *DAYS, np.ones(3))
    with pytest.raises(ValueError, match="one length"):
        btyd_features(PROSPECTS, [1, 2], [3], [4])
