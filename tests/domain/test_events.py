import contextlib
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import BadField
from domain.events import (
    FUTURE_TOLERANCE_MS,
    KINDS,
    MAX_AT_MS,
    Event,
    Kind,
    check_event,
    parse_at,
    parse_kind,
)

NOW = 1_700_000_000_000


def checked(**fields: Any) -> Event:
    given_fields: dict[str, Any] = {"now_ms": NOW, "kind": "click", "user": "ada"} | fields
    return check_event(**given_fields)


def refused(**fields: Any) -> BadField:
    with pytest.raises(BadField) as caught:
        checked(**fields)
    return caught.value


def test_kinds_keep_their_numbers() -> None:
    names = ["impression", "seen", "click", "add_to_cart", "remove_from_cart", "purchase"]
    names += ["refund", "rating", "search", "login", "subscribe", "renew", "cancel", "support"]
    assert [(kind.value, kind.name) for kind in Kind] == list(enumerate([*names, "custom"]))
    assert KINDS == 15
    assert all(parse_kind(kind.name) is kind for kind in Kind)


@pytest.mark.parametrize("kind", ["", "Click", "buy", "0"])
def test_unknown_kinds(kind: str) -> None:
    error = refused(kind=kind)
    assert (error.code, error.field) == ("unknown_kind", "kind")
    assert "purchase" in error.message


def test_a_full_event() -> None:
    event = checked(
        session="s1",
        event_id="e1",
        kind="purchase",
        item="tea",
        at="2023-11-14T22:13:20Z",
        value=12.5,
        currency="SEK",
        quantity=2,
        channel="web",
        campaign="spring",
        decision_id="d1",
        properties='{"a":1}',
    )
    assert event == Event(
        *("e1", "uada", Kind.purchase, NOW, "tea", 12_500_000, "SEK", 2.0, "web", "spring"),
        *("d1", "", "s1", '{"a":1}'),
    )


def test_a_bare_event() -> None:
    event = checked()
    assert (event.entity, event.at, event.value, event.quantity) == ("uada", NOW, None, 1.0)
    assert len(event.event_id) == 22
    assert checked().event_id != event.event_id


def test_a_session_alone_is_the_entity() -> None:
    event = checked(user=None, session="cart")
    assert (event.entity, event.session) == ("scart", "")
    assert refused(user="", session="").code == "missing"


@pytest.mark.parametrize(
    "field", ["user", "session", "event_id", "item", "channel", "campaign", "decision_id"]
)
@pytest.mark.parametrize("text", ["a\nb", " qz", "x" * 257, "\x00"])
def test_bad_ids_name_their_field_and_not_their_text(field: str, text: str) -> None:
    error = refused(**{field: text})
    assert error.field == field
    assert text not in error.message


def test_a_bad_refunds_names_where_it_was() -> None:
    assert refused(kind="refund", refunds="a\tb").field == "properties.refunds"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e12, "x", 10**400])
def test_bad_values(value: Any) -> None:
    assert refused(value=value).field == "value"


@pytest.mark.parametrize("quantity", [0, -1, float("nan"), float("inf"), 1e10, 10**400])
def test_bad_quantities(quantity: float) -> None:
    assert refused(quantity=quantity).field == "quantity"


@pytest.mark.parametrize("currency", ["EURO", "eur", "€€€"])
def test_bad_currencies(currency: str) -> None:
    assert refused(currency=currency).field == "currency"


def test_properties_are_bounded() -> None:
    assert checked(properties="x" * 8_192).properties
    assert refused(properties="x" * 8_193).code == "too_large"


def test_the_future_is_tolerated_a_little() -> None:
    assert checked(at=NOW + FUTURE_TOLERANCE_MS).at == NOW + FUTURE_TOLERANCE_MS
    assert refused(at=NOW + FUTURE_TOLERANCE_MS + 1).code == "in_future"


@pytest.mark.parametrize(
    ("at", "ms"),
    [
        (None, NOW),
        (0, 0),
        (1_700_000_000, NOW),
        (1_700_000_000.5, NOW + 500),
        (1_700_000_000_000, NOW),
        ("1700000000", NOW),
        ("1700000000000", NOW),
        ("2023-11-14T22:13:20Z", NOW),
        ("2023-11-14T22:13:20", NOW),
        ("2023-11-14T23:13:20+01:00", NOW),
        ("2023-11-14T22:13:20.250Z", NOW + 250),
        ("2023-11-14", 1_699_920_000_000),
        ("19700101", 19_700_101_000),
    ],
)
def test_times(at: Any, ms: int) -> None:
    assert parse_at(at, NOW) == ms


@pytest.mark.parametrize(
    "at",
    [
        *(-1, float("nan"), float("inf"), -float("inf"), 10**400, -(10**400), MAX_AT_MS + 1),
        *("", "soon", "1e400", "nan", "1969-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00"),
        *("2023-13-01", "²", "9" * 400, True),
    ],
)
def test_what_is_no_time(at: Any) -> None:
    with pytest.raises(BadField) as caught:
        parse_at(at, NOW)
    assert caught.value.field == "at"


@given(
    st.datetimes(datetime(1973, 3, 4), datetime(2199, 12, 31)),  # noqa: DTZ001
    st.integers(-14 * 60, 14 * 60),
)
def test_iso_times_and_epochs_agree(moment: datetime, offset: int) -> None:
    aware = moment.replace(microsecond=0, tzinfo=UTC)
    ms = round(aware.timestamp() * 1000)
    elsewhere = aware.astimezone(timezone(timedelta(minutes=offset)))
    assert parse_at(elsewhere.isoformat(), 0) == ms
    assert parse_at(ms, 0) == ms
    assert parse_at(ms // 1000, 0) == ms


@given(st.text(max_size=40) | st.floats() | st.integers())
def test_any_time_is_read_or_refused(at: Any) -> None:
    # Anything but BadField would fail the test.
    with contextlib.suppress(BadField):
        assert 0 <= parse_at(at, NOW) <= MAX_AT_MS
