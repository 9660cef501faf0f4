"""The quick way and the domain's own check give the same events and the same refusals."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import BadField
from domain.events import FUTURE_TOLERANCE_MS, Event, Kind, check_event
from service.routes.event_rows import EventIn, event_of

NOW = 1_760_000_000_000

TEXTS = st.none() | st.sampled_from(
    ["", "a", "a b", " a", "a ", "|", "a|b", "a| b", "é", "\x00", "a\x7f", "x" * 256, "x" * 257,
     "x" * 60, "\N{ZERO WIDTH JOINER}"]
)  # fmt: skip
TIMES = st.none() | st.sampled_from(
    [0, 1, -1, 10**11 - 1, 10**11, NOW // 1000, NOW, NOW + FUTURE_TOLERANCE_MS,
     NOW + FUTURE_TOLERANCE_MS + 1, 10**13, 10**400, 1.5, NOW + 0.5, "2025-01-01",
     "2025-01-01T10:00:00+02:00", "1700000000", "soon", "3000-01-01"]
)  # fmt: skip
ROWS = st.fixed_dictionaries(
    {"kind": st.sampled_from([*[kind.name for kind in Kind], "clic"]), "user": TEXTS},
    optional={
        "event_id": TEXTS, "session": TEXTS, "item": TEXTS, "channel": TEXTS, "campaign": TEXTS,
        "decision_id": TEXTS, "at": TIMES,
        "value": st.none() | st.sampled_from([0, 1, -2, 10**9, 10**9 + 1, 0.1, 1e300, "0.30"]),
        "currency": st.none() | st.sampled_from(["", "EUR", "eur", "EURO"]),
        "quantity": st.none() | st.sampled_from([1.0, 0.0, -1.0, 1e9, 1.1e9]),
        "properties": st.none() | st.sampled_from(
            [{}, {"a": 1}, {"refunds": "p"}, {"refunds": " p"}, {"refunds": None},
             {"a": "x" * 8_191}]
        ),
    },
)  # fmt: skip


def naive(row: dict[str, Any]) -> Event | BadField:
    """Check a row with the domain alone."""
    properties = row.get("properties") or {}
    refunds = properties.get("refunds") if row["kind"] == "refund" else None
    texts = {str({}): ""}
    text = texts.get(str(properties)) if not properties else _json(properties)
    others = {name: value for name, value in row.items() if name != "properties"}
    try:
        return check_event(now_ms=NOW, **others, refunds=refunds, properties=text or "")
    except BadField as error:
        return error
    except OverflowError:
        return BadField("", field="at")


def _json(value: dict[str, Any]) -> str:
    name, inner = next(iter(value.items()))
    shown = "null" if inner is None else f'"{inner}"' if isinstance(inner, str) else str(inner)
    return f'{{"{name}":{shown}}}'


@given(ROWS)
def test_both_ways_agree(row: dict[str, Any]) -> None:
    wanted = naive(row)
    if isinstance(wanted, BadField):
        with pytest.raises(BadField) as caught:
            event_of(EventIn(**row), NOW)
        assert (caught.value.field, caught.value.code) == (wanted.field, wanted.code)
        return
    event = event_of(EventIn(**row), NOW)
    assert type(event) is Event
    if not row.get("event_id"):
        assert len(event.event_id) == 22
        wanted = wanted._replace(event_id=event.event_id)
    assert event == wanted
    assert [type(value) for value in event] == [type(value) for value in wanted]


def test_nesting_is_measured_not_guessed() -> None:
    wide = {str(n): [] for n in range(50)}
    assert event_of(EventIn(kind="click", user="u", properties=wide), NOW).properties
    deep: dict[str, Any] = {}
    for _ in range(20):
        deep = {"a": deep}
    with pytest.raises(BadField, match="deep"):
        event_of(EventIn(kind="click", user="u", properties=deep), NOW)
