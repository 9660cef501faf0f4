"""Packed arrays come back as they were, each at the beginning of a line."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.intent.packing import LINE, pack, part

some = st.sampled_from([np.uint8, np.bool_, np.int32, np.float32, np.int64, np.float64, np.uint64])


@given(st.lists(some.flatmap(lambda dtype: arrays(dtype, st.integers(0, 40))), max_size=8))
def test_what_is_packed_comes_back(given_arrays):
    packed = pack(given_arrays)
    assert packed.bounds.shape == (len(given_arrays), 2)
    for place, one in enumerate(given_arrays):
        held = part(packed.blob, packed.bounds, place)
        assert held.tobytes() == one.tobytes()
        assert held.view(one.dtype).shape == one.shape
        assert packed.bounds[place, 0] % LINE == 0


def test_arrays_of_more_dimensions_lie_flat_and_aligned():
    table = np.arange(12, dtype=np.float32).reshape(3, 4).T
    packed = pack([np.ones(3, np.uint8), table])
    flat = part(packed.blob, packed.bounds, 1).view(np.float32)
    assert (flat.reshape(4, 3) == table).all()
    assert packed.blob.ctypes.data % LINE == 0
    assert packed.blob.flags.writeable
