"""The `goods` view by known answers, and against the plain oracle."""

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.events import Kind
from domain.ids import hash64
from feature_store.views.goods import GOODS, LENGTH
from tests.feature_store.making import T0, assert_equals_oracle, event, row_of


def test_latest_first_and_which_of_them_are_one_order() -> None:
    events = [
        event("a", Kind.purchase, T0, item="tea"),
        event("b", Kind.purchase, T0 + 5, item="pot"),
        event("c", Kind.purchase, T0 + 5, item="cup"),
        event("d", Kind.click, T0 + 6, item="jug"),
        event("e", Kind.purchase, T0 + 7),
    ]
    row = row_of(GOODS, events, T0 + 10)
    assert (row["length"], row["last"]) == (3, 2)
    assert set(row["items"][:2].tolist()) == {hash64("pot"), hash64("cup")}
    assert row["items"][2:4].tolist() == [hash64("tea"), 0]


def test_what_was_sent_back_is_not_theirs() -> None:
    events = [
        event("a", Kind.purchase, T0, item="tea", value=2_000_000),
        event("b", Kind.purchase, T0 + 5, item="pot", value=9_000_000),
        event("c", Kind.refund, T0 + 6, item="pot", value=9_000_000),
    ]
    row = row_of(GOODS, events, T0 + 10)
    assert row["items"][:2].tolist() == [hash64("tea"), 0]
    assert row["last"] == 1
    # As of before the refund it was.
    assert row_of(GOODS, events, T0 + 6)["length"] == 2


def test_no_more_than_there_is_room_for() -> None:
    events = [event(f"e{n}", Kind.purchase, T0 + n, item=f"i{n}") for n in range(LENGTH + 3)]
    row = row_of(GOODS, events, T0 + 1_000)
    assert (row["length"], row["last"]) == (LENGTH, 1)
    assert row["items"][0] == hash64(f"i{LENGTH + 2}")
    assert row_of(GOODS, events, T0 + 1_000, cap=2)["length"] == 2


def test_nobody() -> None:
    row = GOODS.default_row()
    assert (row["length"], row["last"]) == (0, 0)
    assert not row["items"].any()


_KINDS = st.sampled_from([Kind.purchase, Kind.purchase, Kind.refund, Kind.click])
_ROWS = st.lists(
    st.tuples(_KINDS, st.integers(0, 30), st.sampled_from(["", "a", "b", "c"])), max_size=60
)


@settings(max_examples=60, deadline=None)
@given(rows=_ROWS, as_of=st.integers(0, 32), cap=st.sampled_from([3, 512]))
def test_like_the_oracle(rows: list[tuple[Kind, int, str]], as_of: int, cap: int) -> None:
    events = [
        event(f"e{n}", kind, T0 + at, item=item, value=1_000_000)
        for n, (kind, at, item) in enumerate(rows)
    ]
    assert_equals_oracle(GOODS, events, T0 + as_of, cap)
