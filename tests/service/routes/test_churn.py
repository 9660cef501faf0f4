"""/v1/churn/{user} and POST /v1/churn: golden answers, degraded answers, hostile questions."""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from domain.events import check_event
from domain.scores import Band, Score
from models.churn.attributes import Attributes
from service.routes.churn import FRESH_MS, MAX_USERS
from tests.feature_store.sweeps.making import put, scored
from tests.golden.leaving import BASE_RATE, leaving_model, release_contact, release_leaving
from tests.service.serving import NOW, App, app_in_memory

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "churn_now"
DAY = 86_400_000
BOUGHT = {"loyal": (10, 20, 40), "silent": (300, 310), "refuser": (300,), "gone": (380,)}


def buy(app: App, user: str, *days_ago: float) -> None:
    events = [
        check_event(
            now_ms=NOW, user=user, kind="purchase", item="tea", value=50, event_id=f"{user}{ago}",
            at=NOW - round(ago * DAY),
        )
        for ago in days_ago
    ]  # fmt: skip
    app.runner.run(app.store.append(events, NOW))


def until(app: App, holds: Any, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        app.runner.run(asyncio.sleep(0.001))


def cached(app: App, user: str) -> Score | None:
    return app.runner.run(app.store.read(["u" + user])).states[0].scores.get("churn")


@pytest.fixture(scope="module")
def _shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    home = tmp_path_factory.mktemp("shop")
    release_leaving(home)
    with app_in_memory(home) as app:
        for user, days in BOUGHT.items():
            buy(app, user, *days)
        app.send("PATCH", "/v1/users/refuser", {"consent": {"analytics": False}})
        app.send("PUT", "/v1/users/profiled", {"attributes": {"tier": "gold"}})
        yield app


@pytest.fixture
def shop(_shop: App) -> Iterator[App]:
    yield _shop
    _shop.store.down = _shop.store.broken = False
    _shop.context.watch.up = True


def rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items() if key != "decision_id"}
    if isinstance(value, list):
        return [rounded(each) for each in value]
    if isinstance(value, str) and value.startswith("churn/"):
        return "churn/made"
    return round(value, 6) if isinstance(value, float) else value


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_golden_answers(shop: App, path: Path) -> None:
    golden = json.loads(path.read_text())
    assert golden["about"]
    request = golden["request"]
    status, reply = shop.send(request["method"], request["path"], request.get("body"))
    assert {"status": status, "reply": rounded(reply)} == {
        "status": golden["status"],
        "reply": golden["reply"],
    }


def test_there_are_golden_answers() -> None:
    assert len(list(GOLDEN.glob("*.json"))) >= 6


@pytest.mark.parametrize(
    ("body", "status", "field", "code"),
    [
        (b"", 400, "body", "empty"),
        (b"{", 400, "body", "bad_json"),
        (b"NaN", 400, "body", "bad_json"),
        ([], 400, "", "bad_type"),
        ({}, 400, "users", "missing"),
        ({"users": []}, 400, "users", "bad_value"),
        ({"users": "ada"}, 400, "users", "bad_type"),
        ({"users": [7]}, 400, "users[0]", "bad_type"),
        ({"users": [None]}, 400, "users[0]", "bad_type"),
        ({"users": ["ada", ""]}, 400, "users[1]", "bad_field"),
        ({"users": ["ada", "a\u0000b"]}, 400, "users[1]", "bad_field"),
        ({"users": [" ada"]}, 400, "users[0]", "bad_field"),
        ({"users": ["x" * 257]}, 400, "users[0]", "bad_field"),
        ({"users": ["ada"], "horizon": 3}, 400, "horizon", "unknown_field"),
        ({"users": ["ada"] * (MAX_USERS + 1)}, 400, "users", "bad_value"),
        (b" " * (1 << 20), 413, "body", "body_too_large"),
    ],
)
def test_wrong_questions_are_refused(
    shop: App, body: Any, status: int, field: str, code: str
) -> None:
    found, reply = shop.send("POST", "/v1/churn", body)
    error = reply["error"]
    assert (found, error["code"]) == (status, code), reply
    assert error["field"].replace("body", "") == field.replace("body", ""), reply
    assert "a\u0000b" not in json.dumps(reply)
    assert "ada" not in json.dumps(reply)


@pytest.mark.parametrize("user", ["%00", "%20ada", "a%0Ab", "x" * 257, "%ff"])
def test_ids_in_the_path_are_checked(shop: App, user: str) -> None:
    status, reply = shop.send("GET", f"/v1/churn/{user}")
    assert status == 400
    assert reply["error"]["field"] in ("user", "path")


def test_a_thousand_users_are_answered_in_their_order(shop: App) -> None:
    users = [("loyal", "silent", "nobody", "refuser")[n % 4] for n in range(MAX_USERS)]
    status, reply = shop.send("POST", "/v1/churn", {"users": users})
    assert status == 200
    assert [one["user"] for one in reply["users"]] == users
    assert len({one["decision_id"] for one in reply["users"]}) == MAX_USERS
    alone = {user: rounded(shop.send("GET", f"/v1/churn/{user}")[1]) for user in set(users)}
    assert [rounded(one) for one in reply["users"]] == [alone[user] for user in users]


def test_a_user_called_estimate_is_asked_for_by_post(shop: App) -> None:
    buy(shop, "estimate", 3)
    (answer,) = shop.send("POST", "/v1/churn", {"users": ["estimate"]})[1]["users"]
    assert (answer["user"], answer["fallback"]) == ("estimate", None)


def test_refused_consent_leaves_no_trace(shop: App) -> None:
    refused = rounded(shop.send("GET", "/v1/churn/refuser")[1])
    nobody = rounded(shop.send("GET", "/v1/churn/nobody")[1])
    assert refused.pop("reason") == "consent"
    assert nobody.pop("reason") == "unknown_user"
    assert {**refused, "user": ""} == {**nobody, "user": ""}
    assert cached(shop, "refuser") is None


def test_opt_in_needs_a_yes(shop: App) -> None:
    settings = shop.context.settings
    shop.context.settings = replace(settings, unanswered=False)
    try:
        assert shop.send("GET", "/v1/churn/loyal")[1]["reason"] == "consent"
        shop.send("PATCH", "/v1/users/loyal", {"consent": {"analytics": True}})
        assert shop.send("GET", "/v1/churn/loyal")[1]["fallback"] is None
        shop.send("PATCH", "/v1/users/loyal", {"consent": {"analytics": None}})
    finally:
        shop.context.settings = settings


@pytest.mark.parametrize("harm", ["down", "broken"])
def test_without_the_store_it_is_the_prevalence(shop: App, harm: str) -> None:
    setattr(shop.store, harm, True)
    status, one = shop.send("GET", "/v1/churn/silent")
    assert (status, one["probability"], one["fallback"], one["reason"]) == (
        *(200, BASE_RATE, "prevalence"),
        "store_unavailable",
    )
    status, many = shop.send("POST", "/v1/churn", {"users": ["silent", "loyal"]})
    assert status == 200
    assert {one["reason"] for one in many["users"]} == {"store_unavailable"}


def test_a_store_that_hangs_is_not_waited_for(shop: App, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(entities: Any) -> Any:
        await asyncio.Event().wait()

    monkeypatch.setattr(shop.store, "read", hang)
    started = time.monotonic()
    assert shop.send("GET", "/v1/churn/loyal")[1]["reason"] == "store_unavailable"
    many = shop.send("POST", "/v1/churn", {"users": ["loyal"] * 100})[1]["users"]
    assert {one["reason"] for one in many} == {"store_unavailable"}
    assert time.monotonic() - started < 5


def test_the_answer_is_logged_and_cached(shop: App) -> None:
    buy(shop, "noted", 300)
    reply = shop.send("GET", "/v1/churn/noted")[1]

    def logged() -> list[Any]:
        entries = [entry for stream in shop.store.decision_streams.values() for entry in stream]
        found = [one for entry in entries for one in entry.decisions]
        return [one for one in found if one.decision_id == reply["decision_id"]]

    until(shop, logged)
    (decision,) = logged()
    assert (decision.family, decision.entity, decision.model) == ("churn", "unoted", reply["model"])
    assert (decision.scores, decision.items) == ((reply["probability"],), (reply["band"],))
    until(shop, lambda: cached(shop, "noted"))
    score = cached(shop, "noted")
    assert score is not None
    assert (score.probability, score.band) == (reply["probability"], reply["band"])
    assert f"churn/{score.model}" == reply["model"]
    assert (score.value, score.expected_loss) == (reply["value"], reply["expected_loss"])


def test_the_cached_band_holds_on(shop: App) -> None:
    # 0.18 is below where medium is entered (0.4) and below where it is left (0.34).
    buy(shop, "steady", 10, 20, 40)
    assert shop.send("GET", "/v1/churn/steady")[1]["band"] == "low"
    desk = shop.context.churn.current
    assert desk is not None
    near = desk.desk.limits._replace(medium_leave=0.1, high_leave=0.1)
    shop.context.churn.current = desk._replace(desk=replace(desk.desk, limits=near))
    try:
        for band in (Band.high, Band.medium):
            score = Score(0.9, 1.0, NOW + 1, desk.version, None, band)
            shop.runner.run(shop.store.put_scores({"usteady": {"churn": score}}))
            assert shop.send("GET", "/v1/churn/steady")[1]["band"] == band
    finally:
        shop.context.churn.current = desk


def test_the_same_is_not_cached_again_and_again(shop: App) -> None:
    buy(shop, "often", 10)
    shop.send("GET", "/v1/churn/often")
    until(shop, lambda: cached(shop, "often"))
    first = cached(shop, "often")
    assert first is not None
    shop.clock.now_ms = NOW + FRESH_MS - 1
    try:
        shop.send("GET", "/v1/churn/often")
        shop.runner.run(asyncio.sleep(0.1))
        assert cached(shop, "often") == first
        shop.clock.now_ms = NOW + FRESH_MS
        shop.send("GET", "/v1/churn/often")
        until(shop, lambda: cached(shop, "often") != first)
    finally:
        shop.clock.now_ms = NOW


def test_without_a_model_what_was_said_before_is_told(tmp_path: Path) -> None:
    score = Score(0.75, 0.5, NOW - DAY, "20250101-000000-ab", None, Band.high, 80.0, 60.0)
    with app_in_memory(tmp_path) as app:
        buy(app, "ada", 3)
        reply = app.send("GET", "/v1/churn/ada")[1]
        assert (reply["probability"], reply["fallback"], reply["reason"], reply["model"]) == (
            *(None, "none", "no_model"),
            None,
        )
        app.runner.run(app.store.put_scores({"uada": {"churn": score}}))
        reply = app.send("GET", "/v1/churn/ada")[1]
        assert (reply["probability"], reply["band"], reply["as_of"]) == (0.75, "high", NOW - DAY)
        assert (reply["fallback"], reply["model"]) == ("cached", "churn/20250101-000000-ab")
        assert (reply["value"], reply["expected_loss"]) == (80.0, 60.0)
        app.send("PATCH", "/v1/users/ada", {"consent": {"analytics": False}})
        reply = app.send("GET", "/v1/churn/ada")[1]
        assert (reply["probability"], reply["reason"]) == (None, "consent")


def test_a_contract_is_read_from_the_profile(tmp_path: Path) -> None:
    release_leaving(tmp_path, leaving_model(Attributes(("months",), {"plan": ("gold",)}),
                                            events=False))  # fmt: skip
    with app_in_memory(tmp_path) as app:
        app.send("PUT", "/v1/users/new", {"attributes": {"months": 3, "plan": "gold"}})
        app.send("PUT", "/v1/users/old", {"attributes": {"months": "30", "plan": "basic"}})
        new, old, nobody = (
            app.send("GET", f"/v1/churn/{user}")[1] for user in ("new", "old", "nobody")
        )
        assert new["probability"] > 0.6 > 0.4 > old["probability"]
        assert (new["definition"], new["value"], new["band"]) == ("contractual", None, "high")
        assert nobody["reason"] == "unknown_user"
        assert {reason["group"] for reason in new["reasons"]} <= {
            *("attribute.months", "attribute.plan"),
        }


def test_a_new_release_answers_next(tmp_path: Path) -> None:
    with app_in_memory(tmp_path) as app:
        buy(app, "ada", 300)
        assert app.send("GET", "/v1/churn/ada")[1]["fallback"] == "none"
        version = release_leaving(tmp_path)
        app.runner.run(app.context.bundles.look())
        app.runner.run(app.context.churn.look())
        reply = app.send("GET", "/v1/churn/ada")[1]
        assert (reply["model"], reply["fallback"]) == (f"churn/{version}", None)


@pytest.mark.parametrize(
    ("effect", "doubt", "action"),
    [(0.3, 0.1, "contact"), (-0.3, 0.1, "leave_alone"), (0.1, 0.3, "wait"), (0.015, 0.01, "wait")],
)
def test_contact_is_advised_only_when_the_least_effect_pays(
    tmp_path: Path, effect: float, doubt: float, action: str
) -> None:
    release_leaving(tmp_path)
    version = release_contact(tmp_path, effect, doubt)
    with app_in_memory(tmp_path) as app:
        buy(app, "silent", 300, 310)
        reply = app.send("GET", "/v1/churn/silent")[1]
        assert reply["uplift"] == {
            "effect": pytest.approx(effect),
            "low": pytest.approx(effect - doubt),
            "high": pytest.approx(effect + doubt),
            "model": f"uplift/{version}",
        }
        assert reply["recommended_action"] == action


def test_bands_are_those_of_the_last_sweep(tmp_path: Path) -> None:
    release_leaving(tmp_path)
    with app_in_memory(tmp_path) as app:
        buy(app, "loyal", 10, 20, 40)
        first = app.send("GET", "/v1/churn/loyal")[1]
        assert (first["basis"], first["band"]) == ("probability", "low")
        put(tmp_path / "sweeps" / "churn", 1, scored(["someone"], [0.5], [20.0]))
        app.runner.run(app.context.churn.look())
        reply = app.send("GET", "/v1/churn/loyal")[1]
        assert (reply["basis"], reply["band"]) == ("loss", "medium")
        assert reply["expected_loss"] == pytest.approx(27.36, abs=0.01)
