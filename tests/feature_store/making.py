"""Made-up events for the tests of views, history and log; hypothesis strategies of them."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from domain.events import Event, Kind
from feature_store.records import (
    EMPTY_LIFETIME,
    H_COUNT,
    H_FIRST,
    H_LAST,
    H_VALUE,
    RECORD,
    Lifetime,
    Records,
    pack_record,
)
from feature_store.views.view import View
from tests.feature_store.oracle import ORACLES, accepted

T0 = 1_700_000_000_000
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


def event(event_id: str, kind: Kind, at: int, entity: str = "uada", **fields: Any) -> Event:
    """Make one event; `value` is micros."""
    return Event(event_id, entity, kind, at, **fields)


def state_of(events: Iterable[Event]) -> tuple[Lifetime, Records]:
    """Answer what a store that forgets nothing would hold of one entity's events."""
    kept = accepted(events)
    lifetime = EMPTY_LIFETIME.copy()
    for held in kept:
        lifetime[H_FIRST] = min(lifetime[H_FIRST], held.at)
        lifetime[H_LAST] = max(lifetime[H_LAST], held.at)
        lifetime[H_COUNT + held.kind] += 1
        if not held.currency:
            lifetime[H_VALUE + held.kind] += held.value or 0
    return lifetime, np.frombuffer(b"".join(map(pack_record, kept)), RECORD)


def row_of(view: View, events: Iterable[Event], as_of: int, cap: int = 512) -> Any:
    """Answer a view's row over one entity's events."""
    lifetime, records = state_of(events)
    return view.row(lifetime, records, as_of, cap)


def assert_equals_oracle(view: View, events: list[Event], as_of: int, cap: int) -> None:
    """Compare a row with the oracle's: whole numbers exactly, fractions to rounding."""
    row = row_of(view, events, as_of, cap)
    expected = ORACLES[view.name](events, as_of, cap)
    before = [held for held in accepted(events) if held.at < as_of]
    expected |= {
        "found": int(bool(before)),
        "age": as_of - before[-1].at if before else -1,
    }
    assert set(row.dtype.names) == set(expected)
    for name, value in expected.items():
        got = row[name]
        if got.dtype.kind in "iu":
            assert np.array_equal(got, np.array(value, got.dtype)), (name, got, value)
        else:
            close = 1e-6 if got.dtype.itemsize == 4 else 1e-12
            assert np.allclose(got, value, rtol=close, atol=close), (name, got, value)


IDS = [f"e{number}" for number in range(40)]
ENTITIES = ["uada", "ubob", "scart"]
SPAN = 400 * DAY
_KINDS = [*Kind, *[Kind.purchase, Kind.refund, Kind.add_to_cart, Kind.remove_from_cart] * 4]
_STEPS = [0, 0, 1, 5 * MINUTE, 29 * MINUTE, 31 * MINUTE, 5 * HOUR, DAY, 9 * DAY]
_SHIFTS = [0, 0, 0, -3 * DAY, -40 * MINUTE, 50 * DAY]
_ITEMS = ["", "tea", "pot", "cup"]
_VALUES = [None, None, 0, 1, 2_500_000, -1_000_000, 10_000_000]
_BYTES = 7


def _decoded(code: bytes, entities: list[str]) -> list[Event]:
    """Read seven bytes an event: cheap to draw, and shrinks to fewer and plainer events."""
    made: list[Event] = []
    at = T0
    for start in range(0, len(code) - _BYTES + 1, _BYTES):
        name, kind, step, shift, item, value, rest = code[start : start + _BYTES]
        at += _STEPS[step % len(_STEPS)]
        what = _KINDS[kind % len(_KINDS)]
        named = what == Kind.refund and rest & 4
        made.append(
            Event(
                event_id=IDS[name % len(IDS)],
                entity=entities[rest // 16 % len(entities)],
                kind=what,
                at=at + _SHIFTS[shift % len(_SHIFTS)],
                item=_ITEMS[item % len(_ITEMS)],
                value=_VALUES[value % len(_VALUES)],
                currency="SEK" if rest & 3 == 3 else "",
                refunds=IDS[step % len(IDS)] if named else "",
                quantity=1.0 + shift % 3,
                channel=("", "web", "app")[shift % 3],
                campaign="spring" if value & 8 else "",
            )
        )
    return made


def events_of(entities: Sequence[str] = ENTITIES, most: int = 40) -> st.SearchStrategy[list[Event]]:
    """Draw events in order of arrival: repeated ids, ties, late ones, refunds, currencies."""
    return st.binary(max_size=most * _BYTES).map(lambda code: _decoded(code, list(entities)))


AS_OFS = st.integers(0, SPAN // MINUTE).map(lambda minutes: T0 + minutes * MINUTE)
"""Times among the events of events_of, on and between them."""
