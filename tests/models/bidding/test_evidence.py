"""Confidence: none without evidence, more with more, and the numbers by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.bidding.evidence import PRIOR_VARIANCE, confidence_of, evidence_of, variance_of


def test_unseen_words_leave_the_prior_and_no_confidence():
    found = evidence_of(np.zeros((0, 3), np.int32), np.zeros(0), 12)
    assert found.variance.tolist() == [PRIOR_VARIANCE] * 12
    assert confidence_of(variance_of(found.variance, np.array([0, 4, 8], np.int32)), 3) == 0


def test_a_word_is_narrowed_by_what_its_rows_tell():
    places = np.array([[0, 4], [0, 5], [1, 4]], np.int32)
    chance = np.array([0.5, 0.1, 0.2])
    found = evidence_of(places, chance, 8).variance
    assert found[0] == pytest.approx(1 / (4 + 0.25 + 0.09))
    assert found[4] == pytest.approx(1 / (4 + 0.25 + 0.16))
    assert found[7] == PRIOR_VARIANCE
    twice = evidence_of(places, chance, 8, np.array([2.0, 1.0, 1.0])).variance
    assert twice[0] == pytest.approx(1 / (4 + 0.5 + 0.09))


def test_a_dozen_clicks_of_every_word_make_one_half():
    # A quarter of the prior's variance is half its width: 4 + 12 is four times 4.
    assert confidence_of(2 / 16, 2) == pytest.approx(0.5)


@given(st.floats(allow_nan=True), st.integers(1, 40))
def test_confidence_is_0_to_1_whatever_the_variance(variance, words):
    assert 0 <= confidence_of(variance, words) <= 1


@given(st.floats(0, 3), st.floats(0, 3))
def test_a_wider_posterior_is_never_trusted_more(one, other):
    low, high = sorted((one, other))
    assert confidence_of(low, 11) >= confidence_of(high, 11)


def test_the_width_is_that_of_a_posterior():
    # One word, a known rate: the posterior of its log-odds is about as wide as its information.
    rng = np.random.default_rng(0)
    n, p = 4000, 0.05
    width = math.sqrt(evidence_of(np.zeros((n, 1), np.int32), np.full(n, p), 1).variance[0])
    rates = rng.binomial(n, p, 4000) / n
    assert np.std(np.log(rates / (1 - rates))) == pytest.approx(width, rel=0.05)
