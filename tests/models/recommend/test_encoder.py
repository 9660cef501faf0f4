"""Weights and vectors of items against the textbook's formula and scikit-learn."""

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from domain.ids import hash64
from domain.items import Item
from models.recommend.encoder import Encoder, hashed
from models.recommend.words import words
from tests.models.recommend.small_content import encoder_of, item_of

TITLES = ["red tea red", "green tea", "red bolt long bolt bolt", "tea"]


def test_weights_are_those_of_scikit_learn():
    theirs = TfidfVectorizer(analyzer=lambda text: list(words(text)), sublinear_tf=True)
    wanted = theirs.fit_transform(TITLES).toarray()
    names = theirs.get_feature_names_out()
    order = np.argsort([hash64(f"w {name}") for name in names])
    hashes = np.array([hash64(f"w {name}") for name in names], np.uint64)[order]
    encoder = Encoder(hashes, theirs.idf_[order], np.zeros((len(names), 2)), {})
    for title, row in zip(TITLES, wanted, strict=True):
        places, weights = encoder.weights(Item("i", title))
        found = np.zeros(len(names))
        found[order[places]] = weights
        np.testing.assert_allclose(found, row, rtol=1e-6)


def test_vectors_have_length_one_and_the_unknown_none():
    encoder = encoder_of(kitchen=(3.0, 0.0), workshop=(0.0, 3.0))
    np.testing.assert_allclose(encoder.vector(item_of("x", "kitchen")), [1, 0])
    both = encoder.vector(item_of("x", "kitchen", "workshop", "unheard-of"))
    np.testing.assert_allclose(both, [0.5**0.5] * 2, rtol=1e-6)
    assert not encoder.vector(item_of("x", "unheard-of")).any()
    assert not encoder.vector(Item("x")).any()
    empty = Encoder(np.zeros(0), np.zeros(0), np.zeros((0, 2)), {})
    assert not empty.vector(item_of("x", "kitchen")).any()


def test_tokens_whose_directions_cancel_say_nothing():
    encoder = encoder_of(kitchen=(1.0, 0.0), workshop=(-1.0, 0.0))
    assert not encoder.vector(item_of("x", "kitchen", "workshop")).any()


def test_hashes_rise_and_keep_their_counts():
    hashes, counts = hashed({"a": 1, "b": 2, "c": 3})
    assert (np.diff(hashes.astype(object)) > 0).all()
    assert dict(zip(hashes.tolist(), counts.tolist(), strict=True)) == {
        hash64("a"): 1, hash64("b"): 2, hash64("c"): 3,
    }  # fmt: skip


def test_parts_that_do_not_fit_together_are_refused():
    with pytest.raises(ValueError, match="do not fit"):
        Encoder(np.zeros(2), np.zeros(1), np.zeros((2, 2)), {})


def test_round_trip():
    encoder = encoder_of(kitchen=(3.0, 1.0), workshop=(0.0, 3.0))
    again = Encoder.from_parts(encoder.arrays(), {"bands": {"price": [1.0]}})
    np.testing.assert_array_equal(
        again.vector(item_of("x", "kitchen")), encoder.vector(item_of("x", "kitchen"))
    )
    assert again.bands == {"price": [1.0]}
