"""The line and its doubt, by hand."""

import json

import numpy as np
import pytest

from models.uplift.line import Line


def test_effects_lie_on_the_line():
    line = Line(0.5, 0.02, 2.0)
    assert line.effect(np.array([0.5, 0.6])) == pytest.approx([0.02, 0.22])


def test_the_variance_is_that_of_a_fitted_line():
    line = Line(1.0, 0.0, 3.0, (0.04, 0.01, 0.09))
    score = np.array([1.0, 3.0])
    # var(mean) + 2 away cov + away^2 var(slope) + slope^2 spread
    assert line.variance(score, np.array([0.0, 0.5])) == pytest.approx(
        [0.04, 0.04 + 2 * 2 * 0.01 + 4 * 0.09 + 9 * 0.5]
    )


def test_rounding_makes_no_negative_variance():
    line = Line(0.0, 0.0, 1.0, (1.0, -1.0 - 1e-12, 1.0))
    assert line.variance(np.array([1.0]), np.zeros(1))[0] == 0.0


def test_it_comes_back_from_json():
    line = Line(0.5, 0.02, 2.0, (0.1, -0.2, 0.3))
    assert Line.from_params(json.loads(json.dumps(line.params()))) == line
    for wrong in ({}, {**line.params(), "doubt": [1.0]}):
        with pytest.raises((KeyError, ValueError)):
            Line.from_params(wrong)
