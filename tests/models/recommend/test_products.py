import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.recommend.products import arranged, multiply


def products(rows, vector):
    out = np.full(len(rows), np.nan, np.float32)
    multiply(arranged(rows), vector, out)
    return out


@pytest.mark.parametrize("n", [0, 1, 2, 127, 128, 129, 300])
@pytest.mark.parametrize("d", [2, 8, 64])
def test_products_are_those_of_whole_numbers(n, d):
    rng = np.random.default_rng(n * 100 + d)
    rows = rng.integers(-32767, 32768, (n, d)).astype(np.int16)
    vector = rng.integers(-(2**15) // d, 2**15 // d, d).astype(np.int16)
    wanted = rows.astype(np.int64) @ vector.astype(np.int64)
    assert np.array_equal(products(rows, vector), wanted.astype(np.float32))


@settings(deadline=None, max_examples=50)
@given(st.data())
def test_the_largest_products_do_not_overflow(data):
    size = st.integers(-32767, 32767)
    row = data.draw(st.lists(size, min_size=4, max_size=4))
    place = data.draw(st.integers(0, 3))
    vector = np.zeros(4, np.int16)
    vector[place] = data.draw(st.sampled_from([-32767, 32767]))
    (got,) = products(np.array([row], np.int16), vector)
    assert got == np.float32(row[place] * int(vector[place]))


def test_pairs_lie_side_by_side_from_a_cache_line_on_and_the_rest_is_zero():
    rows = np.arange(1, 13, dtype=np.int16).reshape(3, 4)
    blocks = arranged(rows)
    assert blocks.shape == (1, 2, 256)
    assert blocks.ctypes.data % 64 == 0
    assert blocks[0, 0, :6].tolist() == [1, 2, 5, 6, 9, 10]
    assert blocks[0, 1, :6].tolist() == [3, 4, 7, 8, 11, 12]
    assert not blocks[0, :, 6:].any()


def test_no_vectors_have_no_products():
    assert products(np.zeros((0, 8), np.int16), np.ones(8, np.int16)).shape == (0,)
