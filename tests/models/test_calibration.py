import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.calibration import (
    CERTAIN,
    KINDS,
    BetaCurve,
    Isotonic,
    Platt,
    Uncalibrated,
    from_params,
    inside,
    logit,
    sigmoid,
)

chances = st.floats(0, 1)
slopes = st.floats(0, 50)
shifts = st.floats(-50, 50)


@st.composite
def isotonic(draw):
    points = sorted(draw(st.sets(chances, min_size=1, max_size=8)))
    heights = sorted(draw(st.lists(chances, min_size=len(points), max_size=len(points))))
    return Isotonic(tuple(points), tuple(heights))


calibrations = st.one_of(
    st.just(Uncalibrated()),
    st.builds(Platt, slopes, shifts),
    st.builds(BetaCurve, slopes, slopes, shifts),
    isotonic(),
)


@given(calibrations, st.lists(chances, min_size=1, max_size=20))
def test_order_is_kept_and_nothing_is_certain(calibration, values):
    out = calibration.apply(np.sort(values))
    assert np.all(np.diff(out) >= -1e-12)
    assert np.all((out > 0) & (out < 1))


@given(calibrations)
def test_comes_back_from_its_params_through_json(calibration):
    assert from_params(json.loads(json.dumps(calibration.params()))) == calibration


def test_every_kind_is_in_the_table():
    made = (Uncalibrated(), Platt(1, 0), BetaCurve(1, 1, 0), Isotonic((0.5,), (0.5,)))
    assert [one.params()["kind"] for one in made] == list(KINDS)


@given(st.lists(chances, min_size=1, max_size=20))
def test_neutral_numbers_change_nothing(values):
    for one in (
        Uncalibrated(),
        Platt(1.0, 0.0),
        BetaCurve(1.0, 1.0, 0.0),
        Isotonic((0, 1), (0, 1)),
    ):
        np.testing.assert_allclose(one.apply(values), inside(values), 1e-9, 1e-12)


@given(slopes, shifts, st.lists(chances, min_size=1, max_size=20))
def test_beta_with_one_slope_is_platt(slope, shift, values):
    np.testing.assert_allclose(
        BetaCurve(slope, slope, shift).apply(values), Platt(slope, shift).apply(values), 1e-9
    )


def test_known_answers():
    assert Platt(2.0, 0.0).apply([0.8])[0] == pytest.approx(16 / 17)
    assert Platt(1.0, np.log(3)).apply([0.25])[0] == pytest.approx(0.5)
    # p² / (p² + (1 - p)) at one half.
    assert BetaCurve(2.0, 1.0, 0.0).apply([0.5])[0] == pytest.approx(1 / 3)
    steps = Isotonic((0.2, 0.6), (0.1, 0.5))
    assert steps.apply([0.0, 0.2, 0.4, 0.6, 1.0]) == pytest.approx([0.1, 0.1, 0.3, 0.5, 0.5])


@given(st.floats(-25, 25))
def test_sigmoid_undoes_logit(odds):
    assert logit(sigmoid(odds)) == pytest.approx(odds, abs=1e-3)


def test_extremes_stay_finite():
    assert sigmoid([-1e9, 1e9, -np.inf, np.inf]).tolist() == [CERTAIN, 1 - CERTAIN] * 2
    assert np.isfinite(logit([0.0, 1.0])).all()


def test_missing_probabilities_stay_missing():
    for one in (Platt(2, 1), BetaCurve(1, 2, 0), Isotonic((0.1, 0.9), (0.2, 0.3)), Uncalibrated()):
        assert np.isnan(one.apply([np.nan, 0.5])).tolist() == [True, False]


def test_shape_is_kept():
    assert Platt(1, 0).apply(np.full((3, 2), 0.5)).shape == (3, 2)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"kind": "magic"},
        {"kind": "platt", "slope": -1.0, "intercept": 0.0},
        {"kind": "platt", "slope": float("nan"), "intercept": 0.0},
        {"kind": "platt", "slope": 1.0},
        {"kind": "beta", "a": 1.0, "b": -0.1, "c": 0.0},
        {"kind": "beta", "a": 1.0, "b": 1.0, "c": float("inf")},
        {"kind": "none", "slope": 1.0},
        {"kind": "isotonic", "points": [], "heights": []},
        {"kind": "isotonic", "points": [0.1, 0.1], "heights": [0.1, 0.2]},
        {"kind": "isotonic", "points": [0.1, 0.2], "heights": [0.2, 0.1]},
        {"kind": "isotonic", "points": [0.1], "heights": [1.1]},
        {"kind": "isotonic", "points": [0.1], "heights": [0.1, 0.2]},
    ],
)
def test_other_numbers_are_refused(params):
    with pytest.raises(ValueError, match=r"calibration|numbers"):
        from_params(params)


@given(calibrations, st.floats(-60, 60))
def test_one_number_is_calibrated_as_many_are(calibration, odds):
    wanted = float(calibration.apply(sigmoid(np.array([odds])))[0])
    found = calibration.at(odds)
    assert 0 < found < 1
    if isinstance(calibration, Isotonic):
        # Points may lie so close that the last bit of a probability decides between two heights.
        around = sigmoid(np.array([odds])) + np.array([-1e-14, 1e-14])
        low, high = calibration.apply(np.clip(around, 0, 1))
        assert low - 1e-9 <= found <= high + 1e-9
    else:
        assert found == pytest.approx(wanted, rel=1e-9)
