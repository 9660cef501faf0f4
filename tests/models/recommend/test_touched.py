"""What members say of few items must be what they say of all items."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.recommend.attention import pack
from models.recommend.content import Content
from models.recommend.touched import Asking, Touched, Touching, products_of
from models.recommend.transformer import Transformer
from tests.models.recommend.small import past_of
from tests.models.recommend.small_attention import DIMS, random_parts, random_vectors
from tests.models.recommend.small_content import encoder_of
from tests.models.recommend.small_index import clustered, indexed_model

N = 400
MODEL = indexed_model(N)
SPARSE = {
    name: member
    for name, member in zip(MODEL.members, MODEL.scorers, strict=True)
    if isinstance(member, Touching)
}
DENSE = {
    name: member
    for name, member in zip(MODEL.members, MODEL.scorers, strict=True)
    if isinstance(member, Asking)
}
histories = st.lists(st.integers(0, N - 1), min_size=1, max_size=40)


def test_every_sort_of_member_is_one_of_both():
    assert set(SPARSE) == {"graph", "repeats", "ease", "filter", "neighbours", "category"}
    assert set(DENSE) == {"factors", "content"}


@pytest.mark.parametrize("name", SPARSE)
@settings(max_examples=15, deadline=None)
@given(history=histories)
def test_what_is_touched_is_what_is_not_zero(name, history):
    past, raw = past_of(history), np.empty(N, np.float32)
    mean, scale = SPARSE[name].raw(past, raw)
    touched = SPARSE[name].touch(past)
    assert len(set(touched.names.tolist())) == len(touched.names)
    rows, told = np.arange(N, dtype=np.int32), np.empty(N, np.float32)
    touched.at(rows, told)
    # A product and a sum at once round once, not twice.
    np.testing.assert_allclose(told, raw, rtol=1e-6, atol=1e-7 * np.abs(raw).max())
    assert set(np.flatnonzero(raw).tolist()) <= set(touched.names.tolist())
    assert (touched.mean, touched.scale) == pytest.approx((mean, scale), rel=1e-5, abs=1e-12)


def transformer() -> Transformer:
    onnx = np.frombuffer(b"onnx", np.uint8)
    return Transformer(random_vectors(N), pack(random_parts(), DIMS), onnx, DIMS)


def content() -> Content:
    vectors, profiles = clustered(N, 4, seed=1)[0], clustered(N, 4, seed=2)[0]
    return Content(encoder_of(one=(1.0, 0.0)), vectors, profiles, np.eye(4), (0.7, 0.3))


@pytest.mark.parametrize("member", [*DENSE.values(), transformer(), content()])
@pytest.mark.parametrize("history", [[3], [5, 9, 5, 300], list(range(0, 400, 9))])
def test_products_of_what_is_asked_are_the_scores(member, history):
    past, raw = past_of(history, kinds=[1] * len(history)), np.empty(N, np.float32)
    mean, scale = member.raw(past, raw)
    asked, told = member.asked(past), np.empty(N, np.float32)
    products_of(member, asked.vector, np.arange(N, dtype=np.int32), told)
    np.testing.assert_allclose(told, raw, rtol=1e-5, atol=1e-5 * np.abs(raw).max())
    assert (asked.mean, asked.scale) == pytest.approx((mean, scale), rel=1e-4)


def test_adding_up_knows_every_item_once_and_others_not_at_all():
    items = np.array([7, 2, 7, 9, 2, 7], np.int32)
    values = np.array([1, 2, 4, 8, 16, -32], np.float32)
    touched = Touched.of(items, values, 10)
    assert dict(zip(touched.names.tolist(), touched.sums.tolist(), strict=True)) == {
        7: -27.0, 2: 18.0, 9: 8.0,
    }  # fmt: skip
    told = np.empty(3, np.float32)
    touched.at(np.array([9, 1, 2], np.int32), told)
    assert told.tolist() == [8, 0, 18]
    scores = np.array([0, 0, 18, 0, 0, 0, 0, -27, 0, 8])
    assert touched.mean == pytest.approx(scores.mean())
    assert touched.scale == pytest.approx(1 / scores.std())
    assert touched.best(2, None).tolist() == [2, 9]
    assert touched.best(2, np.arange(10) != 2).tolist() == [9, 7]


def test_nothing_touched_says_nothing():
    touched = Touched.of(np.zeros(0, np.int32), np.zeros(0, np.float32), 10)
    told = np.ones(2, np.float32)
    touched.at(np.array([0, 9], np.int32), told)
    assert (told.tolist(), touched.mean, touched.scale) == ([0, 0], 0, 0)
    assert not touched.best(5, None).size


def test_columns_are_factors_of_every_item():
    columns = np.arange(10, dtype=np.float32)
    touched = Touched.of(np.array([3, 3, 4], np.int32), np.ones(3, np.float32), 10, columns)
    assert dict(zip(touched.names.tolist(), touched.sums.tolist(), strict=True)) == {3: 6, 4: 4}
