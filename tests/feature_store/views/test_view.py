"""Every view against its oracle, its own defaults, and itself without the future."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.events import Event, Kind
from feature_store.records import EMPTY_LIFETIME, EMPTY_RECORDS
from feature_store.views import VIEWS
from feature_store.views.view import Field, View
from tests.feature_store.making import (
    AS_OFS,
    T0,
    assert_equals_oracle,
    event,
    events_of,
    row_of,
    state_of,
)

views = pytest.mark.parametrize("view", VIEWS.values(), ids=list(VIEWS))


@views
@given(events=events_of(["uada"]), as_of=AS_OFS, cap=st.sampled_from([1, 3, 7, 512]))
def test_a_row_equals_the_oracles(view: View, events: list[Event], as_of: int, cap: int) -> None:
    assert_equals_oracle(view, events, as_of, cap)


@views
@given(events=events_of(["uada"], most=20), place=st.integers(0, 19))
def test_a_row_at_an_events_own_time_does_not_see_it(
    view: View, events: list[Event], place: int
) -> None:
    if events:
        assert_equals_oracle(view, events, events[place % len(events)].at, 512)


@views
@given(events=events_of(["uada"]), as_of=AS_OFS)
def test_the_future_changes_no_byte(view: View, events: list[Event], as_of: int) -> None:
    # The future's repeats of earlier ids are not new events, so ids are made unique first.
    unique = [e._replace(event_id=f"{place}", refunds="") for place, e in enumerate(events)]
    past = [e for e in unique if e.at < as_of]
    assert row_of(view, unique, as_of).tobytes() == row_of(view, past, as_of).tobytes()


@views
def test_nothing_known_gives_the_defaults_and_says_so(view: View) -> None:
    row = view.row(EMPTY_LIFETIME, EMPTY_RECORDS, T0, 512)
    assert row["found"] == 0
    for field in view.fields:
        assert np.all(row[field.name] == field.default), field.name
    assert row.tobytes() == view.default_row().tobytes()


@views
def test_age_is_the_time_since_the_last_visible_event(view: View) -> None:
    events = [event("a", Kind.click, T0), event("b", Kind.click, T0 + 500)]
    assert row_of(view, events, T0 + 400)["age"] == 400
    assert row_of(view, events, T0 + 501)["age"] == 1


@views
def test_fill_writes_every_byte_of_a_dirty_row(view: View) -> None:
    lifetime, records = state_of([event("a", Kind.purchase, T0, item="tea", value=5)])
    for as_of in (T0 - 5, T0 + 5):
        dirty = np.frombuffer(bytearray(b"\xff" * view.dtype.itemsize), view.dtype)
        view.fill(records, lifetime, as_of, 512, dirty, 0)
        assert dirty[0].tobytes() == view.row(lifetime, records, as_of, 512).tobytes()


@views
def test_columns_name_every_number_and_flatten_lays_them_out(view: View) -> None:
    assert len(set(view.columns)) == len(view.columns)
    rows = np.zeros(3, view.dtype)
    rows["age"] = [5, 6, 7]
    flat = view.flatten(rows)
    assert flat.shape == (3, len(view.columns))
    assert flat[:, view.columns.index("age")].tolist() == [5, 6, 7]


def _with(view: View, version: int, fields: tuple[Field, ...]) -> View:
    return View(view.name, version, view.description, fields, view.fill, view.fill_all)


@views
def test_the_signature_changes_with_version_names_and_dtypes_only(view: View) -> None:
    fields = view.own_fields
    same = _with(
        view, view.version, tuple(Field(f.name, f.dtype, "", "", 9, f.labels) for f in fields)
    )
    assert same.signature == view.signature
    assert _with(view, view.version + 1, fields).signature != view.signature
    assert _with(view, view.version, fields[1:]).signature != view.signature
    wider = (Field(fields[0].name, "<f2", "", "", 0, fields[0].labels), *fields[1:])
    assert _with(view, view.version, wider).signature != view.signature
