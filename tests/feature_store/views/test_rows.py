"""Rows of states as they were read are those of the views, and what was read stays as it was."""

import numpy as np

from domain.events import Kind
from feature_store.records import RECORD
from feature_store.store import EntityState
from feature_store.views.catalogue import VIEWS
from feature_store.views.rows import owned, view_rows
from tests.feature_store.making import DAY, T0, event, state_of


def test_each_state_has_the_row_its_view_gives() -> None:
    views = [VIEWS["rfm"], VIEWS["rhythm"]]
    states = [
        EntityState(*state_of([event(f"e{n}", Kind.purchase, T0 + n * DAY) for n in range(size)]))
        for size in (0, 1, 3)
    ]
    for state in states:
        state.records.flags.writeable = False
    as_of = T0 + 9 * DAY
    rows = view_rows(views, states, [as_of] * 3, 512)
    for view in views:
        for place, state in enumerate(states):
            alone = np.zeros(1, view.dtype)
            view.fill(state.records.copy(), state.lifetime.copy(), as_of, 512, alone, 0)
            assert rows[view.name][place].tobytes() == alone[0].tobytes()
    assert view_rows(views, [], [], 512)["rfm"].shape == (0,)


def test_what_is_owned_may_be_written_and_what_was_read_is_not() -> None:
    read = np.zeros(2, RECORD)
    read.flags.writeable = False
    mine = owned(read)
    mine["at"] = 7
    assert read["at"].tolist() == [0, 0]
    assert mine.flags.c_contiguous
