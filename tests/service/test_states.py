"""States in time, and rows that are what a replay of the log would give."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from domain.errors import StoreMisconfigured, StoreUnavailable
from domain.events import Kind
from feature_store.store import Read
from feature_store.views.catalogue import VIEWS
from service.states import (
    DOWN_TIMEOUT_S,
    moments,
    owned,
    read_each,
    read_states,
    view_rows,
)
from tests.feature_store.making import DAY, T0, event
from tests.service.serving import App

ROUTE = "/v1/test"


def made(user: str, count: int) -> list:
    return [
        event(f"{user}{n}", Kind(2 + n % 4), T0 + n * DAY, "u" + user, item=f"i{n % 3}", value=n)
        for n in range(count)
    ]


def test_states_come_in_the_order_asked(app: App) -> None:
    app.runner.run(app.store.append([*made("one", 3), *made("two", 5)], T0 + 9 * DAY))
    states = app.runner.run(read_states(app.context, ["utwo", "unone", "uone"], ROUTE))
    assert states is not None
    assert [len(state.records) for state in states] == [5, 0, 3]


def test_a_store_out_of_reach_is_none(app: App) -> None:
    app.store.down = True
    assert app.runner.run(read_states(app.context, ["uone"], ROUTE)) is None
    app.store.down, app.store.broken = False, True
    assert app.runner.run(read_states(app.context, ["uone"], ROUTE)) is None
    assert b'unexpected_errors_total{route="/v1/test"} 1.0' in app.context.metrics.exposition()


def test_patience_grows_with_the_turns_and_ends_when_the_store_is_down(
    app: App, monkeypatch
) -> None:
    allowed: list[float] = []

    async def silent(entities: Sequence[str], within_s: float) -> Read:
        allowed.append(within_s)
        raise StoreUnavailable("the store did not answer in time")

    monkeypatch.setattr(app.store, "read", silent)
    for turns, up in ((1, True), (3, True), (3, False)):
        app.context.watch.up = up
        assert app.runner.run(read_states(app.context, ["uone"], ROUTE, turns=turns)) is None
    app.context.watch.up = True
    usual = app.context.settings.store_timeout_s
    assert allowed == [usual, 3 * usual, DOWN_TIMEOUT_S]
    assert usual > DOWN_TIMEOUT_S


def test_an_event_of_this_very_moment_counts(app: App) -> None:
    app.runner.run(app.store.append(made("fast", 2), T0))
    state, nobody = app.runner.run(app.store.read(["ufast", "unobody"])).states
    last = T0 + DAY
    assert moments([state, nobody], last + 5) == [last + 5] * 2
    assert moments([state, nobody], last) == [last + 1, last]
    assert moments([state], last - 3 * DAY) == [last + 1]


def test_rows_are_those_of_the_replay(app: App) -> None:
    events = [*made("ada", 40), *made("bob", 7)]
    app.runner.run(app.store.append(events, T0 + 50 * DAY))
    states = app.runner.run(app.store.read(["uada", "ubob", "unobody"])).states
    views, as_of = list(VIEWS.values()), T0 + 41 * DAY
    rows = view_rows(views, states, [as_of] * 3, 512)
    for view in views:
        assert rows[view.name].dtype == view.dtype
        for place, state in enumerate(states):
            own = view.row(state.lifetime.copy(), state.records.copy(), as_of, 512)
            assert rows[view.name][place].tobytes() == own.tobytes()
    assert rows["rfm"]["found"].tolist() == [1, 1, 0]


def test_nothing_that_was_read_is_written_to(app: App) -> None:
    app.runner.run(app.store.append(made("kept", 5), T0))
    (state,) = app.runner.run(app.store.read(["ukept"])).states
    before = state.records.tobytes(), state.lifetime.tobytes()
    view_rows(list(VIEWS.values()), [state], [T0 + DAY], 2)
    assert (state.records.tobytes(), state.lifetime.tobytes()) == before
    assert np.array_equal(state.records["at"], np.sort(state.records["at"]))


def test_no_states_make_no_rows(tmp_path: Path) -> None:
    assert {len(rows) for rows in view_rows(list(VIEWS.values()), [], [], 5).values()} == {0}


def test_an_owned_copy_is_the_same_records_and_may_be_written_to(app: App) -> None:
    app.runner.run(app.store.append(made("one", 5), T0 + 9 * DAY))
    states = app.runner.run(read_states(app.context, ["uone", "unone"], ROUTE))
    assert states is not None
    read = states[0].records
    for some in (read, read[-2:], states[1].records):
        mine = owned(some)
        assert mine.dtype == some.dtype
        assert mine.tobytes() == some.tobytes()
    mine = owned(read)
    before = read.tobytes()
    mine["at"] = 7
    assert read.tobytes() == before


def test_what_cannot_be_read_costs_nobody_else_their_state(app: App, monkeypatch) -> None:
    app.runner.run(app.store.append([*made("near", 3), *made("far", 5)], T0 + 9 * DAY))
    real, asked = app.store.read, []

    async def torn(entities: Sequence[str], within_s: float | None = None) -> Read:
        asked.append(list(entities))
        if "utorn" in entities:
            raise StoreMisconfigured("a history is not of this release's format")
        return await real(entities, within_s)

    monkeypatch.setattr(app.store, "read", torn)
    found = app.runner.run(read_each(app.context, ["ufar", "utorn", "unear"], ROUTE))
    assert [None if one is None else len(one.records) for one in found] == [5, None, 3]
    assert asked == [["ufar", "utorn", "unear"], ["ufar"], ["utorn"], ["unear"]]
    asked.clear()
    assert app.runner.run(read_each(app.context, ["utorn"], ROUTE)) == [None]
    assert asked == [["utorn"]]


def test_of_a_store_out_of_reach_or_broken_nobody_is_asked_for_again(app: App, monkeypatch) -> None:
    for error in (StoreUnavailable("out of reach"), RuntimeError("broken")):
        asked = []

        async def fail(entities: Sequence[str], within_s: float, error=error, asked=asked) -> Read:
            asked.append(entities)
            raise error

        monkeypatch.setattr(app.store, "read", fail)
        assert app.runner.run(read_each(app.context, ["ua", "ub"], ROUTE)) == [None, None]
        assert len(asked) == 1
