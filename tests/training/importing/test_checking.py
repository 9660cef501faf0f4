"""Fast and exact checks agree: a canonical row means what check_event says it means."""

import math
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import BadField
from domain.events import Event, check_event
from training.importing.canonical import CANONICAL
from training.importing.checking import Rejected, check_frame

NOW = 1_700_000_000_000
GOOD: dict[str, Any] = {"event_id": "e1", "user": "anna", "kind": "click", "at": NOW - 5}


def frame_of(*rows: dict[str, Any]) -> pl.DataFrame:
    empty = {name: "" if dtype == pl.String else None for name, dtype in CANONICAL.items()}
    whole = [{**empty, "row": place, **row} for place, row in enumerate(rows, 1)]
    return pl.DataFrame(whole, schema=dict(CANONICAL))


def exact(row: dict[str, Any]) -> Event | tuple[str, str]:
    given_row = {name: value for name, value in row.items() if name not in ("row", "fault", "at")}
    try:
        if row["at"] is None:
            raise BadField("no time", field="at", code="missing")
        at = row["at"] / 1000 if abs(row["at"]) < 100_000_000_000 else row["at"]
        return check_event(now_ms=NOW, at=at, **given_row)
    except BadField as error:
        return error.field, error.code


IDS = st.sampled_from(
    [
        "",
        "a",
        "u 1",
        " u",
        "u ",
        "é",
        "\t",
        "x" * 256,
        "x" * 257,
        "é" * 129,
        "a\u200bb",
        "~",
        "\x7f",
    ]
)
AMOUNTS = st.none() | st.floats() | st.sampled_from([0.0, -0.0, 0.1, 2.5, 1e-7, 5e-7, 1e9, 1e9 + 1])


@settings(max_examples=400)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "event_id": IDS.map(lambda name: name or "e"),
                "user": IDS,
                "session": IDS,
                "kind": st.sampled_from(["click", "purchase", "refund", "Click", "", "custom"]),
                "item": IDS,
                "at": st.none()
                | st.integers(-(10**12), 10**14)
                | st.sampled_from([0, -1, NOW + 300_000, NOW + 300_001, 10**11, 10**11 - 1]),
                "value": AMOUNTS,
                "currency": st.sampled_from(["", "EUR", "eur", "EURO", "ÄÖÜ"]),
                "quantity": AMOUNTS,
                "channel": IDS,
                "campaign": IDS,
                "refunds": IDS,
                "properties": st.sampled_from(["", "{}", "x" * 8_192, "x" * 8_193]),
            }
        ),
        max_size=5,
    )
)
def test_parity_with_check_event(rows: list[dict[str, Any]]) -> None:
    frame = frame_of(*rows)
    checked = check_frame(frame, NOW)
    expected = [exact(row) for row in frame.iter_rows(named=True)]
    events = [found for found in expected if isinstance(found, Event)]
    assert sorted(map(repr, checked.events)) == sorted(map(repr, events))
    refused = [found for found in expected if not isinstance(found, Event)]
    assert [(r.field, r.code) for r in checked.rejected] == refused


@given(st.decimals(-9_999, 9_999, places=6).map(float))
def test_amounts_are_rounded_as_money_is(value: float) -> None:
    (event,) = check_frame(frame_of({**GOOD, "value": value}), NOW).events
    expected = check_event(now_ms=NOW, kind="click", user="anna", value=value).value
    assert event.value == expected


def test_a_plain_row_needs_no_exact_check(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(**_: object) -> Event:
        raise AssertionError("a plain row took the slow path")

    monkeypatch.setattr("training.importing.checking.check_event", never)
    row = {**GOOD, "session": "s", "item": "i", "value": 2.5, "currency": "EUR", "quantity": 2}
    (event,) = check_frame(frame_of(row), NOW).events
    assert event.entity == "uanna"
    assert (event.value, event.quantity, event.session) == (2_500_000, 2.0, "s")


def test_a_session_alone_is_the_entity() -> None:
    (event,) = check_frame(frame_of({**GOOD, "user": "", "session": "s1"}), NOW).events
    assert (event.entity, event.session) == ("ss1", "")


def test_faults_keep_place_field_and_reason() -> None:
    rows = [
        GOOD,
        {**GOOD, "fault": "at: not a time that can be read"},
        {**GOOD, "fault": "3 fields where the first row has 2"},
        {**GOOD, "at": None},
        {**GOOD, "value": math.inf},
    ]
    checked = check_frame(frame_of(*rows), NOW)
    assert len(checked.events) == 1
    assert checked.rejected[:3] == [
        Rejected(2, "at", "unreadable", "not a time that can be read"),
        Rejected(3, "", "unreadable", "3 fields where the first row has 2"),
        Rejected(4, "at", "missing", "no time"),
    ]
    assert (checked.rejected[3].row, checked.rejected[3].field) == (5, "value")


def test_an_empty_frame_is_no_trouble() -> None:
    assert check_frame(frame_of(), NOW) == ([], [])
