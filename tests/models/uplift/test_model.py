"""The model as a formula over its forests, its bundle, its refusals."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from domain.errors import BundleRefused
from models.bundle import Draft, Golden, write_bundle
from models.churn.attributes import Attributes
from models.families import load_scorer
from models.forest import forest_from_dump
from models.uplift.action import ACTIONS, Terms
from models.uplift.halves import Halves
from models.uplift.line import Line
from models.uplift.model import UpliftModel
from tests.models.forest.growing import dump_of, leaf, split

PEOPLE = Attributes(("age",), {"plan": ("gold",)})
X = np.array([[30.0, 1.0], [60.0, 0.0], [np.nan, np.nan], [np.inf, 1.0]])


def _forest(young, old):
    tree = split(0, 40.0, leaf(young, 50), leaf(old, 50), default_left=False)
    return forest_from_dump(dump_of(tree, features=2))


@pytest.fixture(scope="module")
def model() -> UpliftModel:
    return UpliftModel(
        halves=Halves.of([_forest(0.10, -0.20), _forest(0.14, -0.24)]),
        line=Line(-0.05, 0.01, 0.5, (1e-6, 0.0, 0.0)),
        deviations=2.0,
        definition={"treatment": "mail", "outcome": "stayed"},
        terms=Terms(100.0, 1.0),
        attributes=PEOPLE,
    )


def test_the_effect_is_the_mean_of_the_halves_on_the_line(model):
    effect = model.effects(X).effect
    young, old = 0.01 + 0.5 * (0.12 + 0.05), 0.01 + 0.5 * (-0.22 + 0.05)
    assert effect == pytest.approx([young, old, old, old])


def test_the_interval_takes_in_twice_the_spread_of_the_halves_and_the_doubt(model):
    found = model.effects(X)
    reach = 2.0 * np.sqrt(1e-6 + 0.25 * 2 * np.var([0.10, 0.14], ddof=1))
    assert found.high - found.effect == pytest.approx([reach] * 4)
    assert found.effect - found.low == pytest.approx([reach] * 4)


def test_advice_goes_by_what_is_at_stake_or_by_the_models_own_terms(model):
    people = [{"age": 30, "plan": "gold"}] * 4 + [{"age": 60}]
    # The least effect on the young is some 0.04; a contact costs 1.
    values = np.array([50.0, 10.0, np.nan, -50.0, 1e6])
    effects, actions = model.advice({}, people, values)
    assert 0.02 < effects.low[0] < 0.1
    assert [ACTIONS[one] for one in actions] == [
        "contact", "wait", "contact", "wait", "leave_alone",
    ]  # fmt: skip
    plain = model.effects(model.matrix({}, people))
    np.testing.assert_array_equal(effects.effect, plain.effect)


def test_effects_stay_what_a_chance_can_change(model):
    wild = replace(model, line=Line(0.0, 0.0, 1000.0)).effects(X)
    for one in wild:
        assert (np.abs(one) <= 1.0).all()
    assert (wild.low <= wild.effect).all()
    assert (wild.effect <= wild.high).all()


def test_contributions_add_up_to_the_effect(model):
    parts = model.contributions(X)
    assert parts.sum(axis=1) == pytest.approx(model.effects(X).effect)
    assert parts[:, 1].tolist() == [0.0] * 4
    assert parts[0, 0] > 0 > parts[1, 0]


def test_actions_follow_the_terms_unless_someone_says_otherwise(model):
    found = model.effects(X)
    assert model.actions(found).tolist() == [1, 2, 2, 2]
    assert model.actions(found, cost=50.0).tolist() == [0, 2, 2, 2]
    assert model.actions(found, value=np.array([0.0, 9.0, 9.0, 9.0])).tolist() == [0, 2, 2, 2]


def test_rows_of_another_width_are_refused(model):
    with pytest.raises(ValueError, match="2 features"):
        model.effects(X[:, :1])
    with pytest.raises(ValueError, match="width"):
        model.answer({"features": [1.0]})


def test_people_are_encoded_as_their_attributes(model):
    people = [{"age": "30", "plan": "gold"}, {"plan": "plain"}]
    np.testing.assert_array_equal(model.matrix({}, people), [[30.0, 1.0], [np.nan, 0.0]])
    with pytest.raises(ValueError, match="needs attributes"):
        model.matrix({"rfm": np.zeros(2), "rhythm": np.zeros(2), "breadth": np.zeros(2)})


def _draft(model, **changes):
    row = {"features": [30.0, None]}
    golden = Golden([{"input": row, "output": model.answer(row)}])
    return Draft("uplift", 0, model.arrays(), {**model.params(), **changes}, golden=golden)


def test_it_comes_back_from_its_bundle(model, tmp_path):
    bundle = write_bundle(tmp_path, _draft(model))
    loaded = load_scorer(bundle)
    for one, other in zip(model.effects(X), loaded.effects(X), strict=True):
        np.testing.assert_array_equal(one, other)
    assert loaded.definition == {"treatment": "mail", "outcome": "stayed"}
    assert loaded.terms == Terms(100.0, 1.0)
    assert loaded.answer({"features": [30.0, 1.0]})["action"] == "contact"
    assert json.loads(json.dumps(loaded.params())) == model.params()
    assert loaded.groups == ("attribute.age", "attribute.plan")


@pytest.mark.parametrize(
    "changes",
    [
        {"names": ["attribute.age", "attribute.height"]},
        {"attributes": {"numbers": [], "words": {}}, "names": []},
        {"terms": {"value": -1.0, "cost": 0.0}},
        {"line": {}},
        {"deviations": "many"},
    ],
)
def test_a_bundle_that_does_not_fit_is_refused(model, tmp_path, changes):
    with pytest.raises(BundleRefused, match="no uplift model this release can read"):
        load_scorer(write_bundle(tmp_path, _draft(model, **changes)))


def test_serving_loads_no_training_library():
    code = "import models.uplift.model, sys; print('lightgbm' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
