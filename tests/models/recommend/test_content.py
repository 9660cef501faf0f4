"""Content scores against the naive formula, on random spaces and on two kinds of things."""

import numpy as np
import pytest

from models.recommend.content import Content
from tests.models.recommend.small import past_of
from tests.models.recommend.small_content import content_of, encoder_of, item_of


def random_content(n: int = 300, d: int = 8, decay: float = 0.8) -> Content:
    rng = np.random.default_rng(4)
    vectors = rng.normal(size=(n, d))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    encoder = encoder_of(kitchen=tuple(rng.normal(size=d)))
    parts = vectors, rng.normal(size=(n, d)), rng.normal(size=(d, d))
    return Content(encoder, *parts, (decay, 0.4))


def naive(content: Content, past) -> np.ndarray:
    taste = np.zeros(content.vectors.shape[1])
    for age, (item, weight) in enumerate(zip(past.indices[::-1], past.weights[::-1], strict=True)):
        taste += float(weight) * content.decay**age * content.profiles[item]
    return content.vectors @ taste


@pytest.mark.parametrize("h", [1, 3, 60])
def test_scores_are_those_of_the_formula(h):
    content, rng = random_content(), np.random.default_rng(h)
    past = past_of(rng.integers(0, 300, h), rng.random(h))
    out = np.empty(300, np.float32)
    content.score(past, out)
    wanted = naive(content, past)
    np.testing.assert_allclose(out, (wanted - wanted.mean()) / wanted.std(), atol=5e-3)


def test_mean_and_deviation_before_rounding():
    content = random_content()
    taste = content.profiles[7]
    wanted = content.vectors.astype(float) @ taste
    assert content.moments(taste) == pytest.approx((wanted.mean(), wanted.std()), rel=1e-4)


def test_influences_add_up_to_the_score():
    content = random_content()
    past = past_of([3, 9, 3, 200], [1, 0.3, 0.5, 1])
    targets = np.array([0, 3, 299], np.int32)
    found = content.influences(targets, past)
    assert found.shape == (3, 4)
    np.testing.assert_allclose(found.sum(axis=1), naive(content, past)[targets], rtol=1e-4)


def test_the_kitchen_calls_for_the_kitchen_and_the_last_event_loudest():
    content, out = content_of(), np.empty(6, np.float32)
    content.score(past_of([0]), out)
    assert out[:3].min() > out[3:].max()
    content.score(past_of([0, 4]), out)
    assert out[3:].min() > out[:3].max()
    content.similar(4, out)
    assert out[3:].min() > out[:3].max()


def test_any_item_has_an_entry_and_an_odd_one_an_empty_one():
    content = content_of()
    vector, profile = content.entry(item_of("new", "workshop"))
    assert (vector.tolist(), profile.tolist()) == ([0, 1], [0, 1])
    assert not any(part.any() for part in content.entry(item_of("odd", "garden")))


def test_without_anything_learned_it_says_nothing():
    nothing = np.zeros((5, 4), np.float32)
    encoder = encoder_of(kitchen=(0.0, 0.0, 0.0, 0.0))
    content = Content(encoder, nothing, nothing, np.zeros((4, 4)), (0.9, 0.4))
    assert not content.speaks
    out = np.full(5, np.nan, np.float32)
    assert content.raw(past_of([1, 2]), out) == (0.0, 0.0)
    content.score(past_of([1, 2]), out)
    assert not out.any()


def test_round_trip_and_parts_that_do_not_fit():
    content = random_content()
    again = Content.from_parts(content.arrays(), content.params())
    past, out, other = past_of([5, 6]), np.empty(300, np.float32), np.empty(300, np.float32)
    content.score(past, out)
    again.score(past, other)
    np.testing.assert_array_equal(out, other)
    assert again.params() == content.params()
    with pytest.raises(ValueError, match="do not fit"):
        Content.from_parts({**content.arrays(), "profiles": np.zeros((2, 8))}, content.params())
