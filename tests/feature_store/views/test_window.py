"""What lies before as_of, and what counts as an act."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.events import Kind
from feature_store.views.window import is_act, visible_end
from tests.feature_store.making import T0, event, state_of


@given(st.lists(st.integers(0, 12), max_size=30), st.integers(0, 14))
def test_the_visible_are_those_strictly_before(offsets: list[int], as_of: int) -> None:
    events = [event(f"e{n}", Kind.click, T0 + at) for n, at in enumerate(offsets)]
    _, records = state_of(events)
    assert visible_end(records, T0 + as_of) == sum(at < as_of for at in offsets)


@pytest.mark.parametrize("kind", Kind)
def test_all_but_what_was_shown_is_an_act(kind: Kind) -> None:
    assert is_act(int(kind)) == (kind not in (Kind.impression, Kind.seen))
