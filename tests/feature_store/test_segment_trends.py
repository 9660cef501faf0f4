"""Trends by segment: counted as the whole is, packed, refused when broken."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.events import Kind
from feature_store.segment_trends import SegmentTally, pack, parse
from feature_store.trends import Tally
from tests.feature_store.making import DAY, T0


def _both(rows: list[tuple[str, int, int]], segments: dict[int, tuple[str, ...]]):
    """Count (item, person, day) for the whole and the segments of each person."""
    whole, parts = Tally(), SegmentTally({})
    for start in range(0, len(rows), 4):
        some = rows[start : start + 4]
        counted = whole.add(
            [item for item, _, _ in some],
            np.full(len(some), Kind.click, np.uint8),
            np.array([T0 + day * DAY for _, _, day in some]),
            np.array([person for _, person, _ in some], np.uint64),
        )
        assert counted is not None
        told = [segments.get(some[row][1], ()) for row in counted.rows]
        assert parts.add(counted, told) == any(told)
    return whole.snapshot(), parts.snapshot()


ROWS = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(1, 6), st.integers(0, 20)),
    min_size=1, max_size=30,
)  # fmt: skip


@given(rows=ROWS)
def test_a_segment_of_everybody_is_the_whole_and_parts_add_up(rows) -> None:
    who = {n: ("all", "odd" if n % 2 else "even") for n in range(1, 7)}
    whole, parts = _both(rows, who)
    assert parts["all"].items == whole.items
    np.testing.assert_allclose(parts["all"].trending, whole.trending, rtol=1e-9)
    np.testing.assert_allclose(parts["all"].rising, whole.rising, rtol=1e-6, atol=1e-9)
    sums = dict.fromkeys(whole.items, 0.0)
    for name in ("odd", "even"):
        if name in parts:
            # Each is as of its own last event.
            faded = 0.5 ** ((whole.as_of - parts[name].as_of) / DAY)
            for item, one in zip(parts[name].items, parts[name].trending[0], strict=True):
                sums[item] += one * faded
    assert list(sums.values()) == pytest.approx(whole.trending[0].tolist(), rel=1e-6)


def test_they_read_back_and_a_tally_goes_on_from_them() -> None:
    rows = [("a", 1, 0), ("a", 2, 0), ("b", 3, 1)]
    _, parts = _both(rows, {1: ("vip@1",), 2: ("vip@1", "ü@2"), 3: ("vip@1",)})
    back = parse(pack(parts))
    assert list(back) == ["vip@1", "ü@2"]
    for name, one in parts.items():
        assert back[name].items == one.items
        assert np.array_equal(back[name].trending, one.trending)
    again = SegmentTally(back)
    assert again.snapshot()["vip@1"].trending.tolist() == parts["vip@1"].trending.tolist()
    again.keep(["ü@2"])
    assert list(again.snapshot()) == ["ü@2"]


@given(st.data())
def test_bytes_cut_short_are_refused(data: st.DataObject) -> None:
    _, parts = _both([("a", 1, 0)], {1: ("vip@1",)})
    whole = pack(parts)
    cut = data.draw(st.integers(0, len(whole) - 1))
    for broken in (whole[:cut], whole + b"\0", b"JUNK" + whole[4:]):
        with pytest.raises(ValueError, match=r"."):
            parse(broken)
    assert parse(None) == {}
