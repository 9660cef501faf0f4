"""/v1/users: replace, merge, read; bounds on what is kept of a user."""

from typing import Any

import pytest

from domain.users import Profile, Purpose
from feature_store.store import EntityState
from service.routes.users import summary
from service.shapes import MAX_ATTRIBUTES
from tests.service.serving import NOW, App


def test_put_replaces_and_get_answers(app: App) -> None:
    profile = {"attributes": {"tier": "gold", "age": 41, "vip": True, "likes": ["a", "b"]},
               "consent": {"personalisation": True}, "test": True}  # fmt: skip
    assert app.send("PUT", "/v1/users/put", profile) == (200, {**profile, "updated_at": NOW})
    assert app.send("PUT", "/v1/users/put", {}) == (
        200,
        {"attributes": {}, "consent": {}, "test": False, "updated_at": NOW},
    )
    status, user = app.send("GET", "/v1/users/put")
    assert (status, user["attributes"], user["events"], user["kept"]) == (200, {}, {}, 0)
    assert user["first_seen"] is None


def test_patch_merges_and_nulls_remove(app: App) -> None:
    first = {"attributes": {"a": 1, "b": 2}, "consent": {"analytics": False}}
    app.send("PATCH", "/v1/users/patch", first)
    status, profile = app.send(
        "PATCH",
        "/v1/users/patch",
        {"attributes": {"a": None, "c": "x"}, "consent": {"advertising": True}, "test": True},
    )
    assert status == 200
    assert profile["attributes"] == {"b": 2, "c": "x"}
    assert profile["consent"] == {"analytics": False, "advertising": True}
    assert profile["test"] is True
    assert app.send("PATCH", "/v1/users/patch", {"consent": {"analytics": None}})[1]["consent"] == {
        "advertising": True
    }


def test_get_sums_up_the_history(app: App) -> None:
    for n, kind in enumerate(("click", "click", "purchase")):
        app.send("POST", "/v1/events", {"kind": kind, "user": "sum", "at": NOW - n, "value": 2.5})
    status, user = app.send("GET", "/v1/users/sum")
    assert status == 200
    assert user["events"] == {"click": 2, "purchase": 1}
    assert user["value"] == {"click": 5.0, "purchase": 2.5}
    assert (user["first_seen"], user["last_seen"], user["kept"]) == (NOW - 2, NOW, 3)


def test_an_unknown_user_is_not_found(app: App) -> None:
    status, reply = app.send("GET", "/v1/users/nobody")
    assert (status, reply["error"]["code"]) == (404, "not_found")
    assert "nobody" not in str(reply)


BAD: list[tuple[Any, str]] = [
    ({"attributes": []}, "bad_type"),
    ({"attributes": {"a": {"b": 1}}}, "bad_type"),
    ({"attributes": {"a": [1]}}, "bad_type"),
    ({"attributes": {"a": 1e16}}, "bad_value"),
    ({"attributes": {"": 1}}, "bad_value"),
    ({"attributes": {"a\x07": 1}}, "bad_field"),
    ({"attributes": {"a": "x\x00"}}, "bad_field"),
    ({"attributes": {"a": ["x\x7f"]}}, "bad_field"),
    ({"attributes": {"a": "x" * 1_025}}, "bad_value"),
    ({"attributes": {"a": ["x"] * 101}}, "bad_value"),
    ({"attributes": {str(n): 1 for n in range(MAX_ATTRIBUTES + 1)}}, "bad_value"),
    ({"consent": {"everything": True}}, "bad_value"),
    ({"consent": {"analytics": "yes"}}, "bad_type"),
    ({"test": 1}, "bad_type"),
    ({"attribute": {}}, "unknown_field"),
    ([], "bad_type"),
    (b"{", "bad_json"),
    (b"", "empty"),
]


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize(("body", "code"), BAD)
def test_bad_profiles_are_refused(app: App, method: str, body: Any, code: str) -> None:
    status, reply = app.send(method, "/v1/users/bad", body)
    assert (status, reply["error"]["code"]) == (400, code)
    assert app.send("GET", "/v1/users/bad")[0] == 404


def test_attributes_cannot_pile_up(app: App) -> None:
    def patch(names: range, value: Any) -> int:
        sent = {"attributes": {f"a{n}": value for n in names}}
        return app.send("PATCH", "/v1/users/pile", sent)[0]

    assert patch(range(40), 1) == 200
    assert patch(range(40, 80), 1) == 400
    assert patch(range(40), None) == 200
    assert patch(range(40, 80), 1) == 200


def test_a_large_body_is_refused(app: App) -> None:
    assert app.send("PUT", "/v1/users/u", b" " * (1 << 19))[0] == 413


@pytest.mark.parametrize("path", ["%00", "%20u", "u%0a", "%ff", "%ed%a0%80", "u" * 257])
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH"])
def test_bad_ids_in_the_path_are_refused(app: App, method: str, path: str) -> None:
    status, reply = app.send(method, f"/v1/users/{path}", {})
    assert (status, reply["error"]["code"]) == (400, "bad_field")


def test_ids_are_percent_decoded_once(app: App) -> None:
    app.send("PUT", "/v1/users/a%2Fb%2520%C3%A9", {"test": True})
    assert app.send("GET", "/v1/users/a%2fb%2520é")[0] == 200
    app.send("POST", "/v1/events", {"kind": "click", "user": "a/b%20é"})
    assert app.send("GET", "/v1/users/a%2Fb%2520%C3%A9")[1]["events"] == {"click": 1}


def test_without_the_store_a_profile_is_refused_with_retry(app: App) -> None:
    app.store.down = True
    assert app.send("PUT", "/v1/users/down", {})[0] == 503
    assert app.send("GET", "/v1/users/down")[0] == 503


def test_every_purpose_may_be_answered(app: App) -> None:
    for purpose in Purpose:
        assert app.send("PATCH", "/v1/users/p", {"consent": {purpose.value: False}})[0] == 200


def test_a_profile_without_history_sums_up_to_nothing(app: App) -> None:
    state: EntityState = app.runner.run(app.store.read(["unever"])).states[0]
    told = summary(state._replace(profile=Profile(test=True)))
    assert (told.events, told.value, told.last_seen, told.test) == ({}, {}, None, True)
