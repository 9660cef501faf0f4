"""POST /v1/events and identify: good rows kept beside bad ones, hostile bodies refused."""

import gzip
import json
import time
from typing import Any

import pytest

from domain.errors import BadField
from domain.events import FUTURE_TOLERANCE_MS, Kind
from feature_store.records import unpack_payload
from service.codec import Rows
from service.routes.event_rows import EventIn, event_of
from service.routes.events import check_rows
from tests.service.campaigning import BODY
from tests.service.serving import NOW, App

CLICK = {"kind": "click", "user": "someone", "item": "thing"}


def events(app: App, body: Any, **headers: str) -> tuple[int, Any]:
    return app.send("POST", "/v1/events", body, **headers)


def kept(app: App, user: str) -> dict[str, int]:
    status, reply = app.send("GET", f"/v1/users/{user}")
    return reply["events"] if status == 200 else {}


def test_one_event(app: App) -> None:
    assert events(app, {**CLICK, "user": "one"}) == (
        202,
        {"accepted": 1, "duplicates": 0, "rejected": []},
    )
    assert kept(app, "one") == {"click": 1}


@pytest.mark.parametrize("kind", [kind.name for kind in Kind])
def test_every_kind_is_taken(app: App, kind: str) -> None:
    assert events(app, {"kind": kind, "user": "kinds"})[0] == 202
    assert kept(app, "kinds")[kind] == 1


def test_all_fields_reach_the_store(app: App) -> None:
    row = {
        "event_id": "full-1", "user": "full", "session": "s", "kind": "purchase", "item": "i",
        "at": NOW - 1, "value": "12.50", "currency": "EUR", "quantity": 2, "channel": "app",
        "campaign": "c", "decision_id": "d", "properties": {"a": [1, {"b": None}]},
    }  # fmt: skip
    assert events(app, row)[0] == 202
    payloads = [
        unpack_payload(payload)
        for stream in app.store.streams.values()
        for entry in stream
        for payload in entry.payloads
        if payload.startswith(b"full-1\x1f")
    ]
    assert payloads == [
        ["full-1", "ufull", "i", "app", "c", "d", "", "s", "EUR", '{"a":[1,{"b":null}]}']
    ]
    _, user = app.send("GET", "/v1/users/full")
    assert (user["first_seen"], user["last_seen"]) == (NOW - 1, NOW - 1)


def test_an_array_and_lines_and_gzip_mean_the_same(app: App) -> None:
    rows = [{**CLICK, "user": "forms", "event_id": str(n)} for n in range(5)]
    array = json.dumps(rows).encode()
    lines = "\r\n".join(json.dumps(row) for row in rows).encode() + b"\n\n"
    assert events(app, array)[1]["accepted"] == 5
    duplicates = {"accepted": 0, "duplicates": 5, "rejected": []}
    assert events(app, lines) == (202, duplicates)
    assert events(app, lines, content_type="application/x-ndjson") == (202, duplicates)
    assert events(app, gzip.compress(array), content_encoding="gzip") == (202, duplicates)
    assert events(app, b"\xef\xbb\xbf" + array, content_type="text/plain") == (202, duplicates)
    assert kept(app, "forms") == {"click": 5}


def test_a_pretty_printed_event_is_one_event(app: App) -> None:
    assert events(app, json.dumps({**CLICK, "user": "pretty"}, indent=2).encode())[0] == 202


def test_a_duplicate_within_a_batch_counts_once(app: App) -> None:
    row = {**CLICK, "user": "twice", "event_id": "same"}
    assert events(app, [row, row])[1] == {"accepted": 1, "duplicates": 1, "rejected": []}


BAD_ROWS: list[tuple[bytes, str, str]] = [
    (b'{"kind":"clic","user":"u"}', "unknown_kind", "kind"),
    (b'{"user":"u"}', "missing", "kind"),
    (b'{"kind":"click"}', "missing", "user"),
    (b'{"kind":"click","user":""}', "missing", "user"),
    (b'{"kind":1,"user":"u"}', "bad_type", "kind"),
    (b'{"kind":"click","user":7}', "bad_type", "user"),
    (b'{"kind":"click","user":"u","itm":"x"}', "unknown_field", "itm"),
    (b'{"kind":"click","user":"a\\u0000b"}', "bad_field", "user"),
    (b'{"kind":"click","user":" u"}', "bad_field", "user"),
    (b'{"kind":"click","user":"' + b"u" * 257 + b'"}', "bad_field", "user"),
    (b'{"kind":"click","user":"u","item":"a\\u202eb"}', "bad_field", "item"),
    (b'{"kind":"click","user":"\\ud800"}', "bad_json", ""),
    (b'{"kind":"click","user":"\xff"}', "bad_json", ""),
    (b'{"kind":"click","user":"u","value":NaN}', "bad_json", ""),
    (b'{"kind":"click","user":"u","value":-Infinity}', "bad_json", ""),
    (b'{"kind":"click","user":"u","value":1e999}', "bad_value", "value"),
    (b'{"kind":"click","user":"u","value":1e12}', "bad_field", "value"),
    (b'{"kind":"click","user":"u","value":' + b"9" * 400 + b"}", "bad_field", "value"),
    (b'{"kind":"click","user":"u","value":"12,50"}', "bad_value", "value"),
    (b'{"kind":"click","user":"u","value":"nan"}', "bad_value", "value"),
    (b'{"kind":"click","user":"u","value":true}', "bad_type", "value"),
    (b'{"kind":"click","user":"u","currency":"euro"}', "bad_field", "currency"),
    (b'{"kind":"click","user":"u","quantity":0}', "bad_field", "quantity"),
    (b'{"kind":"click","user":"u","quantity":-1}', "bad_field", "quantity"),
    (b'{"kind":"click","user":"u","quantity":' + b"9" * 400 + b"}", "bad_value", "quantity"),
    (b'{"kind":"click","user":"u","at":"yesterday"}', "bad_field", "at"),
    (b'{"kind":"click","user":"u","at":' + b"9" * 400 + b"}", "bad_field", "at"),
    (b'{"kind":"click","user":"u","at":-1}', "bad_field", "at"),
    (b'{"kind":"click","user":"u","at":1e300}', "bad_field", "at"),
    (b'{"kind":"click","user":"u","at":4e9}', "in_future", "at"),
    (b'{"kind":"click","user":"u","properties":[]}', "bad_type", "properties"),
    (b'{"kind":"click","user":"u","properties":{"a":1e999}}', "bad_value", "properties[...]"),
    (b'{"kind":"click","user":"u","properties":{"a":' + b"9" * 5_000 + b"}}", "bad_value",
     "properties[...]"),
    (b'{"kind":"click","user":"u","properties":{"a":"' + b"x" * 9000 + b'"}}', "too_large",
     "properties"),
    (b'{"kind":"click","user":"u","properties":' + b'{"a":' * 20 + b"1" + b"}" * 21, "too_deep",
     "properties"),
    (b'{"kind":"refund","user":"u","properties":{"refunds":1}}', "bad_type",
     "properties.refunds"),
    (b'{"kind":"refund","user":"u","properties":{"refunds":"\\u0007"}}', "bad_field",
     "properties.refunds"),
    (b"7", "bad_type", ""),
    (b"null", "bad_type", ""),
    (b"[]", "bad_type", ""),
]  # fmt: skip


@pytest.mark.parametrize(("row", "code", "field"), BAD_ROWS)
def test_a_bad_row_costs_no_good_neighbour(app: App, row: bytes, code: str, field: str) -> None:
    user = f"neighbour-{BAD_ROWS.index((row, code, field))}"
    good = json.dumps({"kind": "click", "user": user}).encode()
    for body in (b"[" + good + b"," + row + b"," + good + b"]", good + b"\n" + row + b"\n" + good):
        status, reply = events(app, body)
        assert status == 202
        assert reply["accepted"] == 2
        [rejected] = reply["rejected"]
        assert (rejected["index"], rejected["code"], rejected["field"]) == (1, code, field)
        assert rejected["message"]
    assert kept(app, user) == {"click": 4}


@pytest.mark.parametrize(("row", "code", "field"), [bad for bad in BAD_ROWS if bad[0][:1] == b"{"])
def test_a_bare_bad_event_answers_400(app: App, row: bytes, code: str, field: str) -> None:
    status, reply = events(app, row)
    assert status == 400
    assert reply["error"]["code"] == code
    assert reply["error"]["field"] == (field or "body")


BAD_BODIES: list[tuple[bytes, int, str]] = [
    (b"", 400, "empty"),
    (b" \n\t ", 400, "empty"),
    (b"{", 400, "bad_json"),
    (b"[{]", 400, "bad_json"),
    (b"hello\nworld", 400, "bad_json"),
    (b"kind=click&user=u", 400, "bad_json"),
    (b"\x1f\x8b\x08", 400, "bad_json"),
    (b'"text"', 400, "bad_type"),
    (b"[" * 100_000, 400, "too_deep"),
    (b"[" * 100_000 + b"]" * 100_000, 400, "too_deep"),
    (b'{"kind":"click","user":"u","properties":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001,
     400, "too_deep"),
    (b"[" + b",".join([b'{"kind":"login","user":"many"}'] * 1_001) + b"]", 413, "too_many_rows"),
    (b"\n".join([b'{"kind":"login","user":"many"}'] * 1_001), 413, "too_many_rows"),
    (b"[" + b",".join([b"{}"] * 1_001) + b"]", 413, "too_many_rows"),
    (b" " * ((1 << 20) + 1), 413, "body_too_large"),
    (b"x" * 10_000_000, 413, "body_too_large"),
]  # fmt: skip


@pytest.mark.parametrize("place", range(len(BAD_BODIES)))
def test_a_body_that_cannot_be_read_is_refused_whole(app: App, place: int) -> None:
    body, status, code = BAD_BODIES[place]
    got, reply = events(app, body)
    assert (got, reply["error"]["code"]) == (status, code)
    assert set(reply["error"]) == {"code", "field", "message"}
    assert kept(app, "many") == {}


def test_an_empty_array_is_a_readable_batch(app: App) -> None:
    assert events(app, []) == (202, {"accepted": 0, "duplicates": 0, "rejected": []})


def test_a_batch_without_one_good_row_still_answers_202(app: App) -> None:
    status, reply = events(app, [{"kind": "click"}, {"kind": "nothing", "user": "u"}])
    assert (status, reply["accepted"]) == (202, 0)
    assert [rejected["code"] for rejected in reply["rejected"]] == ["missing", "unknown_kind"]


def test_a_thousand_events_pass(app: App) -> None:
    assert events(app, [{"kind": "login", "user": "thousand"}] * 1_000)[1]["accepted"] == 1_000


def test_a_name_given_twice_counts_with_its_last_value(app: App) -> None:
    assert events(app, b'{"kind":"login","user":"first","user":"last"}')[0] == 202
    assert kept(app, "first") == {}
    assert kept(app, "last") == {"login": 1}


def test_a_bomb_is_cut_off(app: App) -> None:
    bomb = gzip.compress(b" " * 50_000_000, 9)
    assert len(bomb) < 60_000
    started = time.perf_counter()
    status, reply = events(app, bomb, content_encoding="gzip")
    assert (status, reply["error"]["code"]) == (413, "body_too_large")
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize("body", [b"plain", gzip.compress(b"[]", mtime=0)[:-5], b""])
def test_broken_gzip_is_refused(app: App, body: bytes) -> None:
    status, reply = events(app, body, content_encoding="gzip")
    assert status == 400
    assert reply["error"]["code"] in {"bad_gzip", "empty"}


def test_an_unknown_encoding_is_refused(app: App) -> None:
    status, reply = events(app, CLICK, content_encoding="br")
    assert (status, reply["error"]["code"]) == (415, "unsupported_encoding")


def test_without_the_store_nothing_is_acknowledged(app: App) -> None:
    row = {**CLICK, "user": "later", "event_id": "later-1"}
    app.store.down = True
    answer = app.ask("POST", "/v1/events", json.dumps(row).encode())
    assert answer.status == 503
    assert int(answer.headers["retry-after"]) >= 1
    assert json.loads(answer.body)["error"]["code"] == "store_unavailable"
    app.store.down = False
    assert events(app, row)[1] == {"accepted": 1, "duplicates": 0, "rejected": []}


def test_a_refund_names_what_it_undoes() -> None:
    row = EventIn(kind="refund", user="u", properties={"refunds": "p-1"})
    assert event_of(row, NOW).refunds == "p-1"
    other = EventIn(kind="click", user="u", properties={"refunds": 1})
    assert event_of(other, NOW).refunds == ""


def test_the_future_is_tolerated_a_little() -> None:
    row = EventIn(kind="click", user="u", at=NOW + FUTURE_TOLERANCE_MS)
    assert event_of(row, NOW).at == NOW + FUTURE_TOLERANCE_MS
    with pytest.raises(BadField, match="future"):
        event_of(row, NOW - 1)


def test_places_of_refused_rows_survive_earlier_refusals() -> None:
    good, bad = EventIn(kind="click", user="u"), EventIn(kind="clic", user="u")
    found = Rows([good, bad, good], [0, 4, 9])
    assert len(check_rows(found, NOW)) == 2
    assert [rejected.index for rejected in found.rejected] == [4]


def test_identify_carries_once(app: App) -> None:
    for n in range(3):
        events(app, {"kind": "click", "session": "walk", "event_id": f"w{n}"})
    path = "/v1/users/walker/identify"
    assert app.send("POST", path, {"session": "walk"}) == (200, {"carried": 3})
    assert app.send("POST", path, {"session": "walk"}) == (200, {"carried": 0})
    assert kept(app, "walker") == {"click": 3}
    events(app, {"kind": "click", "session": "walk"})
    assert kept(app, "walker") == {"click": 4}
    status, reply = app.send("POST", "/v1/users/other/identify", {"session": "walk"})
    assert (status, reply["error"]["code"]) == (409, "already_identified")


@pytest.mark.parametrize("body", [{}, {"session": ""}, {"session": 1}, {"session": "s", "x": 1}])
def test_identify_refuses_what_names_no_session(app: App, body: Any) -> None:
    assert app.send("POST", "/v1/users/u/identify", body)[0] == 400


def test_events_that_quote_a_bid_are_handed_on_and_others_are_not(app: App) -> None:
    assert app.send("PUT", "/v1/campaigns/quoting", BODY)[0] == 200
    app.runner.run(app.context.campaigns.look())
    outcomes = app.context.learning._outcomes
    before = outcomes.waiting
    rows = [
        CLICK | {"event_id": "q1", "decision_id": "some-bid"},
        CLICK | {"event_id": "q2"},
        {"kind": "login", "user": "someone", "decision_id": "some-bid"},
        {"kind": "nonsense", "user": "someone", "decision_id": "some-bid"},
    ]
    assert events(app, rows)[0] == 202
    assert outcomes.waiting == before + 1
    assert events(app, rows)[0] == 202
    assert outcomes.waiting == before + 2, "told again, for the first time may have been lost"


def test_what_is_learned_never_fails_an_event(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.context.learning._outcomes, "take", lambda _: 1 / 0)
    row = CLICK | {"event_id": "q9", "user": "unharmed", "decision_id": "some-bid"}
    assert events(app, row) == (202, {"accepted": 1, "duplicates": 0, "rejected": []})
    assert kept(app, "unharmed") == {"click": 1}
