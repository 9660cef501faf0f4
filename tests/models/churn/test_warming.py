"""The model that kernels are compiled with: it uses every part, and is one that loads."""

import numpy as np

from models.btyd.model import ORDER_MODELS
from models.churn.model import ChurnModel
from models.churn.warming import HORIZON_DAYS, sample


def test_every_part_is_in_use():
    model = sample()
    assert model.prospects is not None
    assert set(model.prospects.orders) == set(ORDER_MODELS)
    assert model.prospects.spend is not None
    assert None not in (model.hazard, model.repute)
    assert {"attribute.age", "attribute.plan=gold"} < set(model.names)
    assert model.horizon_days == HORIZON_DAYS


def test_it_comes_back_from_a_bundle_and_answers():
    model = sample()
    again = ChurnModel.from_parts(model.arrays(), model.params())
    row = {"features": [None] * len(model.names)}
    told = again.answer(row)
    assert told == model.answer(row)
    assert 0 < told["probability"] < 1
    assert np.isfinite(told["survival"]).all()
