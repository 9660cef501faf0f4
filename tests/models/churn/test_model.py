"""The model as a formula, its bundle, its refusals; without any training library's model."""

import json
from dataclasses import replace

import lightgbm as lgb
import numpy as np
import pytest

from domain.errors import BundleRefused
from feature_store.views.catalogue import views_named
from models.bundle import Draft, Golden, open_bundle, write_bundle
from models.calibration import Platt, logit, sigmoid
from models.churn.attributes import Attributes
from models.churn.features import NAMES, VIEWS
from models.churn.hazard import Hazard
from models.churn.linear import Linear
from models.churn.model import ChurnModel
from models.forest.dump import forest_from_dump

WORDS = {"definition": "contractual", "horizon_days": 30.0, "lead_days": 0.0}
PEOPLE = Attributes(("age",), {"plan": ("gold",)})


def _forest(x, y):
    params = {"objective": "binary", "num_leaves": 4, "verbosity": -1, "min_data_in_leaf": 5}
    return forest_from_dump(lgb.train(params, lgb.Dataset(x, y), 20).dump_model())


@pytest.fixture(scope="module")
def model() -> ChurnModel:
    rng = np.random.default_rng(2)
    x = np.stack([rng.normal(40, 10, 600), rng.integers(0, 2, 600).astype(float)], axis=1)
    y = (rng.random(600) < sigmoid((x[:, 0] - 40) / 10 - x[:, 1])).astype(float)
    wide = np.column_stack([x, rng.integers(0, 2, 600)])
    return ChurnModel(
        forest=_forest(x, y),
        linear=Linear(np.array([3.7, 0.3]), np.ones(2), np.arange(4) / 4, np.zeros(4), -0.5),
        blend=0.25,
        calibration=Platt(0.8, 0.1),
        definition=WORDS,
        low=np.array([20.0, 0.0]),
        high=np.array([60.0, 1.0]),
        reference=np.array([40.0, 0.0]),
        attributes=PEOPLE,
        hazard=Hazard(_forest(wide, y), 2, 15.0),
        events=False,
    )


X = np.array([[30.0, 1.0], [55.0, 0.0], [np.nan, np.nan], [90.0, 1.0]])


def test_the_score_is_its_formula(model) -> None:
    odds = 0.75 * model.forest.raw(X) + 0.25 * model.linear.raw(X)
    scored = model.score_many(X)
    assert scored.log_odds == pytest.approx(odds, abs=1e-12)
    assert logit(scored.probability) == pytest.approx(0.8 * odds + 0.1, abs=1e-9)


def test_shares_and_base_add_up(model) -> None:
    scored = model.score_many(X)
    assert scored.contributions.shape == (4, 3)
    assert scored.contributions.sum(axis=1) == pytest.approx(scored.log_odds, abs=1e-12)
    assert np.ptp(scored.contributions[:, -1]) == 0


def test_a_teller_can_be_made_of_it(model) -> None:
    from models.churn.reasons import Teller

    teller = Teller(model.names, model.groups, model.units, model.typical)
    scored = model.score_many(X)
    told = teller.reasons(scored.contributions[0], X[0])
    total = sum(reason.contribution for reason in told) + scored.contributions[0, -1]
    assert total == pytest.approx(scored.log_odds[0], abs=1e-9)
    assert model.typical["attribute.age"] == 40.0


def test_shares_are_left_out_when_not_asked_for(model) -> None:
    assert model.score_many(X, explain=False).contributions is None


def test_confidence_is_how_much_is_known_and_usual(model) -> None:
    assert model.score_many(X).confidence.tolist() == [1.0, 1.0, 0.0, 0.5]


def test_survival_of_a_contract_is_one_less_the_probability(model) -> None:
    p = model.score_many(X).probability
    curve = model.survival(X, [30.0], p)
    assert curve[:, 0] == pytest.approx(1 - p, abs=1e-9)
    silent = replace(model, definition={**WORDS, "definition": "inactivity"})
    assert silent.survival(X, [30.0], p)[:, 0] == pytest.approx(p, abs=1e-9)
    assert replace(model, hazard=None).survival(X, [30.0], p) is None


def test_attributes_become_the_matrix(model) -> None:
    people = [{"age": 30, "plan": "gold"}, {"age": "x", "plan": "new"}, {}]
    found = model.matrix({}, people)
    assert np.array_equal(found, [[30, 1], [np.nan, 0], [np.nan, np.nan]], equal_nan=True)
    with pytest.raises(ValueError, match="needs attributes"):
        replace(model, attributes=Attributes()).matrix({})


def test_events_come_first_and_unknown_people_are_missing(model) -> None:
    both = replace(model, events=True)
    rows = {view.name: np.array([view.default_row()], view.dtype) for view in views_named(VIEWS)}
    found = both.matrix(rows)
    assert found.shape == (1, len(NAMES) + 2)
    assert both.names[-2:] == ("attribute.age", "attribute.plan=gold")
    assert both.groups[-1] == "attribute.plan"
    assert np.isnan(found[0, -2:]).all()


def _draft(model: ChurnModel, **changes) -> Draft:
    row = {"features": [30.0, None]}
    golden = Golden([{"input": row, "output": model.answer(row)}], 1e-9)
    return replace(Draft("churn", 0, model.arrays(), model.params(), golden=golden), **changes)


def test_it_comes_back_from_its_bundle_to_the_bit(model, tmp_path) -> None:
    bundle = write_bundle(tmp_path, _draft(model))
    again = ChurnModel.from_bundle(open_bundle(bundle.path))
    first, second = model.score_many(X), again.score_many(X)
    for one, other in zip(first, second, strict=True):
        assert np.array_equal(one, other)
    assert again.definition == WORDS
    days = [5.0, 30.0, 99.0]
    assert np.array_equal(
        again.survival(X, days, first.probability), model.survival(X, days, first.probability)
    )


def test_a_golden_answer_is_json(model) -> None:
    answer = json.loads(json.dumps(model.answer({"features": [None, 1.0]})))
    assert set(answer) == {"probability", "log_odds", "confidence", "contributions", "survival"}
    with pytest.raises(ValueError, match="width"):
        model.answer({"features": [1.0]})


@pytest.mark.parametrize(
    "spoil",
    [
        lambda params: params.pop("blend"),
        lambda params: params.update(names=["age"]),
        lambda params: params.update(calibration={"kind": "magic"}),
        lambda params: params.update(attributes={"numbers": ["income"], "words": {}}),
    ],
)
def test_a_bundle_that_is_no_such_model_is_refused(model, tmp_path, spoil) -> None:
    params = json.loads(json.dumps(model.params()))
    spoil(params)
    bundle = write_bundle(tmp_path, _draft(model, params=params))
    with pytest.raises(BundleRefused, match="fit again"):
        ChurnModel.from_bundle(bundle)


def test_scoring_needs_no_training_library() -> None:
    import subprocess
    import sys

    code = (
        "import sys, models.churn.model; "
        "assert not {'lightgbm', 'sklearn', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
