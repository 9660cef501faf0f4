"""Evidence adds up in any order, fades by time, travels as bytes, and lies are left out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.bandits.evidence import (
    LARGEST_PRECISION,
    Dated,
    faded,
    fading,
    nothing,
    packed,
    sound,
    total,
    unpacked,
)
from tests.models.bandits.worlds import random_evidence


def same(one, two):
    for left, right in zip(one, two, strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-12, atol=1e-12)


def test_the_order_of_workers_does_not_matter():
    rng = np.random.default_rng(1)
    parts = [random_evidence(rng, 3, 4) for _ in range(4)]
    same(total(parts), total(parts[::-1]))
    same(total([total(parts[:2]), total(parts[2:])]), total(parts))
    same(total([parts[0], nothing(3, 4)]), parts[0])


def test_evidence_of_unlike_shapes_or_none_does_not_add_up():
    with pytest.raises(ValueError, match="unlike"):
        total([nothing(2, 3), nothing(3, 3)])
    with pytest.raises(ValueError, match="no evidence"):
        total([])


def test_a_half_life_halves_and_a_clock_that_went_back_does_not():
    assert fading(60.0, 60.0) == 0.5
    assert fading(180.0, 60.0) == 0.125
    assert fading(1e9, 0.0) == 1.0
    assert fading(-50.0, 60.0) == 1.0


def test_fading_and_adding_may_change_places():
    rng = np.random.default_rng(2)
    one, two = random_evidence(rng, 2, 3), random_evidence(rng, 2, 3)
    same(faded(total([one, two]), 0.3), total([faded(one, 0.3), faded(two, 0.3)]))
    with pytest.raises(ValueError, match="factor"):
        faded(one, 1.5)


def test_dated_evidence_is_what_is_left_of_it():
    one = random_evidence(np.random.default_rng(3), 2, 3)
    dated = Dated(one, as_of=100.0, half_life=10.0)
    same(dated.at(120.0), faded(one, 0.25))
    same(dated.at(90.0), one)


@given(arms=st.integers(1, 5), features=st.integers(1, 6), seed=st.integers(0, 1000))
def test_what_is_packed_comes_back(arms, features, seed):
    one = random_evidence(np.random.default_rng(seed), arms, features)
    back = unpacked(packed(one, 12.5, 3600.0))
    assert (back.as_of, back.half_life) == (12.5, 3600.0)
    same(back.evidence, one)


@given(st.binary(max_size=200))
def test_other_bytes_are_refused(blob):
    with pytest.raises(ValueError, match="no evidence"):
        unpacked(blob)


def test_a_blob_cut_short_or_without_a_time_is_refused():
    blob = packed(nothing(2, 3), 1.0, 0.0)
    with pytest.raises(ValueError, match="no evidence"):
        unpacked(blob[:-8])
    with pytest.raises(ValueError, match="half-life"):
        unpacked(packed(nothing(2, 3), float("nan"), 0.0))
    with pytest.raises(ValueError, match="half-life"):
        unpacked(packed(nothing(2, 3), 1.0, -5.0))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda e: e.precision[1].__setitem__((0, 0), np.nan),
        lambda e: e.precision[1].__setitem__((0, 0), -5.0),
        lambda e: e.precision[1].__setitem__((0, 0), 10 * LARGEST_PRECISION),
        lambda e: e.precision[1].__setitem__((0, 1), e.precision[1, 0, 1] + 1.0),
        lambda e: e.shift[1].__setitem__(0, np.inf),
        lambda e: e.tallies[1].__setitem__(0, -1.0),
        lambda e: e.tallies[1].__setitem__(2, np.nan),
    ],
)
def test_only_the_arm_that_lies_is_found_out(spoil):
    one = random_evidence(np.random.default_rng(4), 3, 4)
    assert sound(one).all()
    spoil(one)
    assert sound(one).tolist() == [True, False, True]


def test_a_lie_does_not_travel():
    one = random_evidence(np.random.default_rng(5), 3, 2)
    one.shift[2] = np.nan
    back = unpacked(packed(one, 0.0, 0.0)).evidence
    assert not back.precision[2].any()
    assert not back.tallies[2].any()
    same(back.rows([0, 1]), one.rows([0, 1]))


def test_evidence_knows_its_shape():
    one = nothing(7, 5)
    assert (one.arms, one.features) == (7, 5)
    assert one.rows([1, 1]).arms == 2
