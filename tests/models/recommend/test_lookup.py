import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.recommend.lookup import Lookup

HASHES = st.lists(st.integers(1, 2**64 - 1), max_size=200, unique=True)


@settings(deadline=None)  # the first call compiles
@given(groups=st.lists(HASHES, max_size=5), asked=HASHES)
def test_finds_what_a_dict_finds(groups, asked):
    lookup, oracle, first = Lookup(), {}, 0
    for group in groups:
        lookup.add(np.array(group, np.uint64), first)
        oracle.update(zip(group, range(first, first + len(group)), strict=True))
        first += len(group)
    wanted = [*asked, *oracle, 0]
    found = lookup.find(np.array(wanted, np.uint64))
    assert found.dtype == np.int32
    assert found.tolist() == [oracle.get(one, -1) for one in wanted]


def test_hashes_that_share_their_low_bits_stay_apart():
    clashing = np.arange(1, 400, dtype=np.uint64) << np.uint64(32)
    lookup = Lookup()
    lookup.add(clashing, 7)
    assert lookup.find(clashing).tolist() == list(range(7, 406))


def test_reads_strided_columns():
    rows = np.zeros(3, np.dtype([("at", "<i8"), ("item", "<u8")]))
    rows["item"] = (5, 0, 9)
    lookup = Lookup(4)
    lookup.add(np.array([9, 5], np.uint64), 0)
    assert lookup.find(rows["item"]).tolist() == [1, -1, 0]
