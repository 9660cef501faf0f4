import time

import numpy as np
import pytest

from models.recommend.factors import Factors, fold_in
from tests.models.recommend.small import past_of


def random_factors(n=50, d=16, seed=0):
    return np.random.default_rng(seed).normal(0, 0.3, (n, d)).astype(np.float32)


def naive_vector(y, past, regularisation, confidence, decay):
    """Solve the normal equations in double precision, one event at a time."""
    y = y.astype(float)
    matrix = y.T @ y + regularisation * np.eye(y.shape[1])
    right = np.zeros(y.shape[1])
    for age, j in enumerate(reversed(range(len(past.indices)))):
        c = confidence * decay**age * past.weights[j]
        row = y[past.indices[j]]
        matrix += c * np.outer(row, row)
        right += c * row
    return np.linalg.solve(matrix, right)


@pytest.mark.parametrize("d", [1, 8, 13, 64])
@pytest.mark.parametrize("decay", [0.7, 1.0])
def test_the_user_vector_solves_the_normal_equations(d, decay):
    y = random_factors(d=d)
    past = past_of([3, 7, 7, 20, 49], weights=[1, 0.5, 1, 1, 0.2])
    member = Factors(y, 0.5, 10.0, decay)
    wanted = naive_vector(y, past, 0.5, 10.0, decay)
    np.testing.assert_allclose(member.vector(past)[:d], wanted, rtol=1e-3, atol=1e-5)
    assert not member.vector(past)[d:].any()


def test_scores_are_the_standardised_products():
    y = random_factors()
    past = past_of([3, 7, 20])
    out = np.empty(50, np.float32)
    Factors(y, 0.5, 10.0, 0.9).score(past, out)
    products = y @ naive_vector(y, past, 0.5, 10.0, 0.9)
    wanted = (products - products.mean()) / products.std()
    np.testing.assert_allclose(out, wanted, atol=2e-3)


@pytest.mark.parametrize("n", [1, 7, 1_024, 1_025, 3_000])
def test_every_stretch_of_items_is_scored(n):
    y = random_factors(n=n, d=24, seed=n)
    member = Factors(y, 0.1, 5.0, 1.0)
    out = np.full(n, np.nan, np.float32)
    member.score(past_of([0]), out)
    products = y @ member.vector(past_of([0]))[:24]
    assert np.isfinite(out).all()
    if n > 1:
        assert np.corrcoef(out, products)[0, 1] > 0.99999


@pytest.mark.parametrize("targets", [[30], [30, 1, 7], list(range(50))])
def test_influences_add_up_to_the_scores(targets):
    """Whether the system is solved for the targets or, when fewer, for the events."""
    y = random_factors()
    past = past_of([3, 7, 7, 20])
    member = Factors(y, 0.5, 10.0, 0.9)
    found = member.influences(np.array(targets, np.int32), past)
    assert found.shape == (len(targets), 4)
    scores = y[targets] @ naive_vector(y, past, 0.5, 10.0, 0.9)
    np.testing.assert_allclose(found.sum(axis=1), scores, rtol=1e-3, atol=1e-4)


def test_the_influence_of_each_event_is_its_term_of_the_score():
    y = random_factors()
    past = past_of([3, 7, 20])
    found = Factors(y, 0.5, 10.0, 0.9).influences(np.array([30, 4], np.int32), past)
    wide, c = y.astype(float), 10.0 * 0.9 ** np.array([2, 1, 0])
    history = wide[[3, 7, 20]]
    matrix = wide.T @ wide + 0.5 * np.eye(16) + (history.T * c) @ history
    wanted = wide[[30, 4]] @ np.linalg.solve(matrix, history.T) * c
    np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-5)


def test_similar_is_the_cosine():
    y = random_factors()
    y[9] = 0
    out = np.empty(50, np.float32)
    Factors(y, 0.5, 10.0, 0.9).similar(4, out)
    cosine = y @ y[4] / np.maximum(np.linalg.norm(y, axis=1) * np.linalg.norm(y[4]), 1e-9)
    assert out.argmax() == 4
    assert np.corrcoef(out, cosine)[0, 1] > 0.9999


def test_an_empty_past_says_nothing():
    out = np.ones(50, np.float32)
    Factors(random_factors(), 0.5, 10.0, 0.9).score(past_of([]), out)
    assert not out.any()


def test_vectors_of_nothing_but_zeros_are_harmless():
    out = np.ones(5, np.float32)
    member = Factors(np.zeros((5, 8), np.float32), 0.0, 1.0, 1.0)
    member.score(past_of([1, 2]), out)
    assert not out.any()
    member.similar(1, out)
    assert not out.any()


def test_survives_its_parts():
    member = Factors(random_factors(d=10), 0.5, 10.0, 0.9)
    again = Factors.from_parts(member.arrays(), member.params())
    past = past_of([1, 2, 3])
    assert (again.vector(past) == member.vector(past)).all()


def test_folding_in_takes_microseconds_not_milliseconds():
    """At 64 dimensions and 50 events; a loose bound, so that a busy machine passes."""
    y = random_factors(n=2_000, d=64)
    gram = (y.T @ y + np.eye(64)).astype(np.float32)
    indices = np.arange(50, dtype=np.int32)
    confidences = np.ones(50, np.float32)
    fold_in(y, gram, indices, confidences)
    taken = []
    for _ in range(200):
        start = time.perf_counter()
        fold_in(y, gram, indices, confidences)
        taken.append(time.perf_counter() - start)
    assert min(taken) < 300e-6
