"""The compiled block against plain attention in double precision."""

import numpy as np
import pytest

from models.recommend.attention import Dims, attend, layout, pack, size, time_class, time_classes
from tests.models.recommend.small_attention import (
    DIMS,
    every_place,
    random_parts,
    random_vectors,
)

MINUTE = 1 / (24 * 60)


def history(h, dims=DIMS, n=20, seed=2):
    rng = np.random.default_rng(seed + h)
    days = np.sort(rng.choice([0.0, MINUTE, 3 * MINUTE, 0.01, 0.02], h))[::-1]
    return (
        rng.integers(0, n, h).astype(np.int32),
        days.astype(np.float32),
        rng.integers(0, dims.kinds + 2, h).astype(np.uint8),
    )


@pytest.mark.parametrize("h", [1, 2, 5, 6, 33])
@pytest.mark.parametrize("dims", [DIMS, Dims(16, 4, 8, 3, 40, 2), Dims(6, 1, 20, 1, 1, 1)])
def test_the_last_place_is_that_of_plain_attention(h, dims):
    parts, table = random_parts(dims), random_vectors(dims=dims)
    events = history(h, dims)
    found = attend(pack(parts, dims), dims, table, *events)
    np.testing.assert_allclose(found, every_place(parts, dims, table, *events)[-1], atol=2e-5)


def test_a_history_cut_short_is_asked_as_it_was_then():
    """The vector after an event does not hear of later events, only of when they came."""
    parts, table = random_parts(), random_vectors()
    indices, days, kinds = history(9)
    whole = every_place(parts, DIMS, table, indices, days, kinds)
    packed = pack(parts, DIMS)
    for end in range(1, 9):
        then = days[:end] - days[end]
        found = attend(packed, DIMS, table, indices[:end], then, kinds[:end])
        np.testing.assert_allclose(found, whole[end - 1], atol=2e-5)


@pytest.mark.parametrize("part", ["gap", "kind", "age", "back"])
def test_times_kinds_and_places_are_heard(part):
    parts, table, events = random_parts(), random_vectors(), history(6)
    before = attend(pack(parts, DIMS), DIMS, table, *events)
    silent = {**parts, part: np.zeros_like(parts[part])}
    assert np.abs(before - attend(pack(silent, DIMS), DIMS, table, *events)).max() > 1e-2


def test_the_class_of_a_time_grows_with_each_doubling():
    minutes = np.array([0, 0.99, 1.01, 2.99, 3.01, 7.01, 1e9, np.inf])
    wanted = [0, 0, 1, 1, 2, 3, 9, 9]
    assert time_classes(minutes * MINUTE, 10).tolist() == wanted
    assert [time_class(one * MINUTE, 10) for one in minutes] == wanted


def test_a_time_that_is_none_is_no_time_at_all():
    assert time_class(-1.0, 10) == time_class(float("nan"), 10) == 0


def test_parts_of_the_wrong_shape_are_refused():
    parts = random_parts()
    parts["join"] = parts["join"][:-1]
    with pytest.raises(ValueError, match="join is"):
        pack(parts, DIMS)


def test_the_packed_row_has_every_part():
    parts = random_parts()
    packed = pack(parts, DIMS)
    assert packed.shape == (size(DIMS),)
    np.testing.assert_array_equal(packed, np.concatenate([parts[k].ravel() for k in layout(DIMS)]))
