import json

import numpy as np
import pytest

from models.forest import forest_from_dump
from models.forest.trees import CATEGORICAL, NUMERIC, ZERO, ZERO_WIDTH
from tests.models.forest.growing import asked_rows, dump_of, grow, grown, leaf, split


def one_split(**changed):
    return forest_from_dump(dump_of(split(0, 0.5, leaf(1.0, 3), leaf(2.0, 1)) | changed))


def leads(forest, values):
    rows = np.zeros((len(values), 6))
    rows[:, 0] = values
    return ["left" if out == 1.0 else "right" for out in forest.raw(rows)]


def test_a_threshold_belongs_to_its_left():
    assert leads(one_split(), [0.5, np.nextafter(0.5, 1), -np.inf, np.inf]) == [
        "left",
        "right",
        "left",
        "right",
    ]


@pytest.mark.parametrize("default_left", [True, False])
def test_missing_values_go_where_the_split_says(default_left):
    side = "left" if default_left else "right"
    assert leads(one_split(default_left=default_left), [np.nan]) == [side]
    zero = one_split(missing_type="Zero", default_left=default_left)
    assert leads(zero, [np.nan, 0.0, -0.0, 1e-36, 1e-34]) == [side] * 4 + ["left"]


@pytest.mark.parametrize(("threshold", "side"), [(0.5, "left"), (0.0, "left"), (-0.1, "right")])
def test_where_training_saw_none_missing_it_is_a_zero(threshold, side):
    forest = one_split(missing_type="None", threshold=threshold, default_left=False)
    assert leads(forest, [np.nan, 0.0]) == [side, side]


@pytest.mark.parametrize(
    ("threshold", "default_left", "kind"),
    [
        (ZERO_WIDTH, True, NUMERIC),
        (0.0, True, ZERO),
        (-ZERO_WIDTH, False, ZERO),
        (-1.0, False, NUMERIC),
        (1.0, False, ZERO),
    ],
)
def test_zeros_are_looked_at_only_where_the_threshold_does_not_decide(
    threshold, default_left, kind
):
    forest = one_split(missing_type="Zero", threshold=threshold, default_left=default_left)
    assert forest.trees.kind.tolist() == [kind]


def test_categories_are_sets():
    forest = one_split(decision_type="==", threshold="0||3||31||32||70")
    assert forest.trees.kind.tolist() == [CATEGORICAL]
    left = [0, 3, 31, 32, 70, 3.9, -0.5, 0.2]
    right = [1, 33, 71, 500, -1, np.nan, np.inf, -np.inf, 2.0**31, 2.0**40, 2.0**32 + 3]
    assert set(leads(forest, left)) == {"left"}
    assert set(leads(forest, right)) == {"right"}


def test_an_empty_set_of_categories_sends_all_right():
    assert leads(one_split(decision_type="==", threshold=""), [0, 1]) == ["right", "right"]


def test_endless_thresholds_part_the_present_from_the_missing():
    forest = one_split(threshold=1e300, default_left=False)
    assert leads(forest, [np.inf, 1e308, np.nan]) == ["left", "left", "right"]
    assert leads(one_split(threshold=-1e300), [-np.inf, -1e308]) == ["left", "right"]


def test_a_dump_may_have_been_json_in_between():
    forest, booster = grown(4)
    again = forest_from_dump(json.loads(json.dumps(booster.dump_model())))
    rows = asked_rows(np.random.default_rng(0), 30)
    np.testing.assert_array_equal(again.contributions(rows), forest.contributions(rows))


def test_the_rounds_of_early_stopping_are_the_ones_read():
    _, booster = grown(4, rounds=9)
    booster.best_iteration = 4
    forest = forest_from_dump(booster.dump_model())
    assert len(forest) == 4
    rows = asked_rows(np.random.default_rng(0), 30)
    np.testing.assert_array_equal(forest.raw(rows), booster.predict(rows, raw_score=True))


def test_several_classes_are_refused():
    rows = np.random.default_rng(0).normal(size=(90, 6))
    params = {"num_class": 3}
    booster = grow(rows, np.arange(90) % 3, 2, (), "multiclass", **params)
    with pytest.raises(ValueError, match="several classes"):
        forest_from_dump(booster.dump_model())


def test_averaged_forests_are_refused():
    rows = np.random.default_rng(0).normal(size=(300, 6))
    params = {"boosting": "rf", "bagging_fraction": 0.5, "bagging_freq": 1}
    booster = grow(rows, np.arange(300) % 2, 3, (), **params)
    with pytest.raises(ValueError, match="averaged"):
        forest_from_dump(booster.dump_model())


def test_linear_leaves_are_refused():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(300, 6))
    booster = grow(rows, rows @ np.arange(6.0), 2, (), "regression", linear_tree=True)
    with pytest.raises(ValueError, match="linear"):
        forest_from_dump(booster.dump_model())


@pytest.mark.parametrize("changed", [{"decision_type": "!="}, {"missing_type": "Some"}])
def test_unknown_splits_are_refused(changed):
    with pytest.raises(ValueError, match="unknown kind"):
        one_split(**changed)


def test_something_else_is_no_dump():
    with pytest.raises(KeyError):
        forest_from_dump({"trees": []})
