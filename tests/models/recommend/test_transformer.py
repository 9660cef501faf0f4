"""The member: products with the last place's vector, silence, windows, reasons, likeness."""

import numpy as np
import pytest

from models.recommend.attention import pack
from models.recommend.transformer import Transformer
from tests.models.recommend.small import past_of
from tests.models.recommend.small_attention import (
    DIMS,
    every_place,
    random_parts,
    random_vectors,
)

N = 20


def member_of(vectors=None, **window):
    table = random_vectors() if vectors is None else vectors
    onnx = np.arange(7, dtype=np.uint8)
    return Transformer(table, pack(random_parts(), DIMS), onnx, DIMS, **window)


def naive_vector(past, table=None):
    table = random_vectors() if table is None else table
    return every_place(random_parts(), DIMS, table, past.indices, past.days, past.kinds)[-1]


def scored(member, past):
    out = np.full(N, np.nan, np.float32)
    member.score(past, out)
    return out


def test_scores_are_the_standardised_products():
    past = past_of([3, 7, 7, 19])
    products = random_vectors() @ naive_vector(past)
    wanted = (products - products.mean()) / products.std()
    np.testing.assert_allclose(scored(member_of(), past), wanted, atol=3e-3)


def test_raw_scores_come_with_their_mean_and_deviation():
    past, out = past_of([3, 7, 19]), np.empty(N, np.float32)
    mean, scale = member_of().raw(past, out)
    assert mean == pytest.approx(out.mean(), rel=1e-3, abs=1e-5 * float(abs(out).max()))
    assert 1 / scale == pytest.approx(out.std(), rel=1e-4)


def test_only_the_last_events_count():
    member = member_of(length=2)
    np.testing.assert_array_equal(
        member.vector(past_of([1, 2, 3, 4], days=[9, 8, 2, 1])),
        member.vector(past_of([3, 4], days=[2, 1])),
    )


def test_events_too_old_are_left_out():
    member = member_of(days=5.0)
    np.testing.assert_array_equal(
        member.vector(past_of([1, 2, 3, 4], days=[9, 6, 5, 1])),
        member.vector(past_of([3, 4], days=[5, 1])),
    )


def test_where_all_is_old_age_does_not_matter():
    past = past_of([1, 2, 3], days=[9, 8, 7])
    np.testing.assert_array_equal(
        member_of(days=5.0).vector(past), member_of(days=None).vector(past)
    )
    assert member_of(days=5.0).vector(past).any()


def test_no_history_is_silence():
    out = np.full(N, np.nan, np.float32)
    assert member_of().raw(past_of([]), out) == (0.0, 0.0)
    assert not out.any()
    assert not scored(member_of(), past_of([])).any()


def test_items_without_a_vector_are_not_there():
    vectors = random_vectors()
    vectors[5] = 0
    member = member_of(vectors)
    assert not scored(member, past_of([5, 5])).any()
    np.testing.assert_array_equal(
        member.vector(past_of([3, 5, 7], days=[3, 2, 1])),
        member.vector(past_of([3, 7], days=[3, 1])),
    )


def test_an_influence_is_what_the_score_loses_without_the_event():
    past, targets = past_of([3, 7, 9]), np.array([4, 11], np.int32)
    found = member_of().influences(targets, past)
    table = random_vectors()
    for j in range(3):
        rest = [k for k in range(3) if k != j]
        less = past_of(past.indices[rest], days=past.days[rest])
        wanted = table[targets] @ (naive_vector(past) - naive_vector(less))
        np.testing.assert_allclose(found[:, j], wanted, atol=1e-4)


def test_the_only_event_has_the_whole_score():
    past, targets = past_of([3]), np.array([4, 11], np.int32)
    wanted = random_vectors()[targets] @ naive_vector(past)
    np.testing.assert_allclose(member_of().influences(targets, past)[:, 0], wanted, atol=1e-4)


def test_what_is_not_looked_at_has_no_influence():
    member = member_of(length=2)
    found = member.influences(np.array([4], np.int32), past_of([1, 2, 3]))
    assert found[0, 0] == 0
    assert found[0, 1:].all()
    assert member.influences(np.array([4], np.int32), past_of([])).shape == (1, 0)


def test_likeness_is_the_cosine():
    table, out = random_vectors(), np.empty(N, np.float32)
    member_of().similar(4, out)
    cosines = table @ table[4] / np.linalg.norm(table, axis=1)
    np.testing.assert_allclose(out, (cosines - cosines.mean()) / cosines.std(), atol=3e-3)


def test_an_item_without_a_vector_is_like_nothing():
    vectors, out = random_vectors(), np.full(N, np.nan, np.float32)
    vectors[5] = 0
    member_of(vectors).similar(5, out)
    assert not out.any()


def test_it_comes_back_from_its_parts():
    member = member_of(length=7, days=None, epochs=2.5)
    again = Transformer.from_parts(member.arrays(), member.params())
    past = past_of([3, 7, 19])
    np.testing.assert_array_equal(scored(member, past), scored(again, past))
    assert again.params() == member.params()
    assert all(array.dtype != object for array in member.arrays().values())
    np.testing.assert_array_equal(again.onnx, member.onnx)


@pytest.mark.parametrize("change", [{"length": 0}, {"packed": np.zeros(3)}, {"cut": True}])
def test_parts_that_do_not_fit_together_are_refused(change):
    parts, numbers = member_of().arrays(), member_of().params()
    if "cut" in change:
        parts["vectors"] = parts["vectors"][:, :4]
    parts |= {key: value for key, value in change.items() if key in parts}
    numbers |= {key: value for key, value in change.items() if key in numbers}
    with pytest.raises(ValueError, match="do not fit"):
        Transformer.from_parts(parts, numbers)


def test_scores_depend_on_the_history():
    member = member_of()
    assert member.standing is None
    assert not np.allclose(scored(member, past_of([3])), scored(member, past_of([4])))
