"""/v1/intent: known answers, the trajectory, degraded answers, hostile questions, freshness."""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from domain.events import check_event
from domain.scores import Score
from models.calibration import sigmoid
from service.routes.intent import MAX_EVENTS
from tests.golden.visiting import GAP_MS, RATE, release_visiting
from tests.service.serving import NOW, App, app_in_memory

URL = "/v1/intent"
GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "intent"
NOTHING, ONE, MORE = (float(sigmoid(odds)) for odds in (-2.0, 1.0, 2.0))
MINUTE = 60_000


def visit(app: App, who: str, *kinds: str, ago: float = 1, session: bool = False) -> None:
    """Let events have happened a minute apart, the last `ago` minutes ago."""
    whose = {"session": who} if session else {"user": who}
    events = [
        check_event(
            now_ms=NOW, item="tea", kind=kind, event_id=f"{who}-{ago}-{place}",
            at=NOW - round((ago + len(kinds) - 1 - place) * MINUTE), **whose,
        )
        for place, kind in enumerate(kinds)
    ]  # fmt: skip
    app.runner.run(app.store.append(events, NOW))


def until(app: App, holds: Any, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        app.runner.run(asyncio.sleep(0.001))


def cached(app: App, entity: str) -> Score | None:
    return app.runner.run(app.store.read([entity])).states[0].scores.get("intent")


@pytest.fixture(scope="module")
def _shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    home = tmp_path_factory.mktemp("shop")
    release_visiting(home)
    with app_in_memory(home) as app:
        visit(app, "looker", "click", "click", "click")
        visit(app, "buyer", "click", "add_to_cart", "click", "add_to_cart")
        visit(app, "anon", "click", "add_to_cart", session=True)
        visit(app, "refuser", "click", "add_to_cart")
        visit(app, "old", "add_to_cart", ago=45)
        visit(app, "back", "add_to_cart", "add_to_cart", ago=500)
        visit(app, "back", "click")
        app.send("PATCH", "/v1/users/refuser", {"consent": {"personalisation": False}})
        app.send("PUT", "/v1/users/profiled", {})
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
    if isinstance(value, str) and value.startswith("intent/"):
        return "intent/made"
    return round(value, 6) if isinstance(value, float) else value


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_golden_answers(shop: App, path: Path) -> None:
    golden = json.loads(path.read_text())
    assert golden["about"]
    status, reply = shop.send("POST", URL, golden["request"])
    assert {"status": status, "reply": rounded(reply)} == {
        "status": golden["status"],
        "reply": golden["reply"],
    }


def test_there_are_golden_answers() -> None:
    assert len(list(GOLDEN.glob("*.json"))) >= 6


def test_the_cart_decides(shop: App) -> None:
    for who, wanted, events in (("looker", NOTHING, 3), ("buyer", MORE, 4), ("back", NOTHING, 1)):
        reply = shop.send("POST", URL, {"user": who})[1]
        assert reply["probability"] == pytest.approx(wanted), who
        assert (reply["events_seen"], reply["target"]) == (events, "purchase")
        assert "fallback" not in reply
    # One event is worth half; a minute of the half hour that is asked about has gone.
    assert reply["confidence"] == pytest.approx(0.5 * (1 - MINUTE / GAP_MS))
    anon = shop.send("POST", URL, {"session": "anon"})[1]
    assert anon["probability"] == pytest.approx(ONE)


def test_the_trajectory_never_looks_ahead(shop: App) -> None:
    reply = shop.send("POST", URL, {"user": "buyer", "trajectory": True})[1]
    steps = reply["trajectory"]
    assert [step["probability"] for step in steps] == pytest.approx([NOTHING, ONE, ONE, MORE])
    assert [step["at"] for step in steps] == [NOW - minutes * MINUTE for minutes in (4, 3, 2, 1)]
    assert reply["probability"] == steps[-1]["probability"]
    assert reply["confidence"] == steps[-1]["confidence"]
    kinds = ["click", "add_to_cart", "click", "add_to_cart"]
    for seen in range(1, 5):
        events = [
            {"kind": kind, "item": "tea", "at": NOW - (4 - place) * MINUTE}
            for place, kind in enumerate(kinds[:seen])
        ]
        alone = shop.send("POST", URL, {"events": events})[1]
        assert alone["probability"] == pytest.approx(steps[seen - 1]["probability"])
    assert "trajectory" not in shop.send("POST", URL, {"user": "buyer"})[1]


def test_events_sent_along_are_put_in_order_and_cut_at_the_pause(shop: App) -> None:
    events = [
        {"kind": "add_to_cart", "item": "jam", "at": NOW - MINUTE},
        {"kind": "add_to_cart", "item": "tea", "at": NOW - 10 * GAP_MS},
        {"kind": "click", "at": NOW - 2 * MINUTE},
    ]
    reply = shop.send("POST", URL, {"events": events, "trajectory": True})[1]
    assert (reply["events_seen"], reply["as_of"]) == (2, NOW - MINUTE + 1)
    assert [step["probability"] for step in reply["trajectory"]] == pytest.approx([NOTHING, ONE])
    now = shop.send("POST", URL, {"events": [{"kind": "click"}, {"kind": "add_to_cart"}]})[1]
    assert (now["probability"], now["as_of"]) == (pytest.approx(ONE), NOW + 1)


def test_an_event_changes_the_next_answer(shop: App) -> None:
    assert shop.send("POST", URL, {"user": "fresh"})[1]["reason"] == "unknown"
    for kind, wanted in (("click", NOTHING), ("add_to_cart", ONE), ("add_to_cart", MORE)):
        shop.send("POST", "/v1/events", {"user": "fresh", "kind": kind, "item": "tea"})
        reply = shop.send("POST", URL, {"user": "fresh"})[1]
        assert reply["probability"] == pytest.approx(wanted)


def test_the_score_is_cached_as_events_arrive(shop: App) -> None:
    shop.send("POST", "/v1/events", {"session": "live", "kind": "add_to_cart", "item": "tea"})
    until(shop, lambda: cached(shop, "slive"))
    score = cached(shop, "slive")
    assert score is not None
    assert score.probability == pytest.approx(ONE)
    assert score.as_of == NOW + 1
    # Whose session it turns out to be: from then on the score is theirs.
    shop.send("POST", "/v1/users/liver/identify", {"session": "live"})
    shop.send("POST", "/v1/events", {"session": "live", "kind": "add_to_cart", "item": "jam"})
    until(shop, lambda: cached(shop, "uliver"))
    score = cached(shop, "uliver")
    assert score is not None
    assert score.probability == pytest.approx(MORE)


def test_without_consent_nothing_is_scored(shop: App) -> None:
    event = {"user": "refuser", "kind": "add_to_cart", "item": "tea"}
    shop.send("POST", "/v1/events", event)
    shop.send("POST", "/v1/events", {**event, "user": "witness"})
    until(shop, lambda: cached(shop, "uwitness"))
    assert cached(shop, "urefuser") is None
    reply = shop.send("POST", URL, {"user": "refuser"})[1]
    assert (reply["probability"], reply["fallback"], reply["reason"]) == (
        *(RATE, "prevalence"),
        "consent",
    )
    assert reply["events_seen"] == 0


def test_opt_in_needs_a_yes(shop: App) -> None:
    settings = shop.context.settings
    shop.context.settings = replace(settings, unanswered=False)
    try:
        for question in ({"user": "buyer"}, {"session": "anon"}):
            assert shop.send("POST", URL, question)[1]["reason"] == "consent"
    finally:
        shop.context.settings = settings


@pytest.mark.parametrize("harm", ["down", "broken"])
def test_without_the_store_it_is_the_prevalence(shop: App, harm: str) -> None:
    setattr(shop.store, harm, True)
    status, reply = shop.send("POST", URL, {"user": "buyer", "trajectory": True})
    assert (status, reply["probability"], reply["reason"]) == (200, RATE, "store_unavailable")
    assert "trajectory" not in reply
    inline = shop.send("POST", URL, {"events": [{"kind": "click"}]})[1]
    assert inline["probability"] == pytest.approx(NOTHING)


def test_a_store_that_hangs_is_not_waited_for(shop: App, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(entities: Any) -> Any:
        await asyncio.Event().wait()

    monkeypatch.setattr(shop.store, "read", hang)
    started = time.monotonic()
    assert shop.send("POST", URL, {"user": "buyer"})[1]["reason"] == "store_unavailable"
    assert time.monotonic() - started < 5


def test_without_a_model_what_was_said_before_is_told(tmp_path: Path) -> None:
    with app_in_memory(tmp_path) as app:
        visit(app, "ada", "click")
        reply = app.send("POST", URL, {"user": "ada"})[1]
        assert (reply["probability"], reply["fallback"], reply["model"]) == (None, "none", None)
        inline = app.send("POST", URL, {"events": [{"kind": "click"}]})[1]
        assert (inline["fallback"], inline["reason"]) == ("none", "no_model")
        app.runner.run(app.store.put_scores({"uada": {"intent": Score(0.5, 0.25, NOW, "v1")}}))
        reply = app.send("POST", URL, {"user": "ada"})[1]
        assert (reply["probability"], reply["fallback"], reply["as_of"]) == (0.5, "cached", NOW)


def test_the_decision_is_logged(shop: App) -> None:
    reply = shop.send("POST", URL, {"session": "anon"})[1]

    def logged() -> list[Any]:
        entries = [entry for stream in shop.store.decision_streams.values() for entry in stream]
        found = [one for entry in entries for one in entry.decisions]
        return [one for one in found if one.decision_id == reply["decision_id"]]

    until(shop, logged)
    (decision,) = logged()
    assert (decision.family, decision.entity, decision.model) == ("intent", "sanon", reply["model"])
    assert decision.scores == (reply["probability"],)


def test_a_session_of_ten_thousand_events(shop: App) -> None:
    events = [{"kind": "click", "at": NOW - MAX_EVENTS + n} for n in range(MAX_EVENTS)]
    reply = shop.send("POST", URL, {"events": events, "trajectory": True})[1]
    assert reply["events_seen"] == MAX_EVENTS
    assert reply["probability"] == pytest.approx(NOTHING)
    for start in range(0, 10_000, 1_000):
        kinds = ["click"] * 1_000
        visit(shop, "busy", *kinds, ago=0.001 * start)
    assert shop.send("POST", URL, {"user": "busy"})[1]["probability"] == pytest.approx(NOTHING)


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        (b"", "body", "empty"),
        (b"{", "body", "bad_json"),
        (b'{"events":[{"kind":"click","value":NaN}]}', "body", "bad_json"),
        ({}, "user", "missing"),
        ({"user": ""}, "user", "missing"),
        ({"user": "a", "session": "b"}, "session", "contradiction"),
        ({"user": "a", "events": []}, "events", "contradiction"),
        ({"user": "a\u0000b"}, "user", "bad_field"),
        ({"session": " a"}, "session", "bad_field"),
        ({"user": "x" * 257}, "user", "bad_field"),
        ({"user": 7}, "user", "bad_type"),
        ({"user": "a", "trajectory": "yes"}, "trajectory", "bad_type"),
        ({"user": "a", "k": 1}, "k", "unknown_field"),
        ({"events": [{"item": "a"}]}, "events[0].kind", "missing"),
        ({"events": [{"kind": "nod"}]}, "events[0].kind", "unknown_kind"),
        ({"events": [{"kind": "click", "item": "a\nb"}]}, "events[0].item", "bad_field"),
        ({"events": [{"kind": "click", "at": "soon"}]}, "events[0].at", "bad_field"),
        ({"events": [{"kind": "click", "at": NOW + 3_600_000}]}, "events[0].at", "in_future"),
        ({"events": [{"kind": "click", "at": 10**30}]}, "events[0].at", None),
        ({"events": [{"kind": "click", "value": 1e300}]}, "events[0].value", "bad_field"),
        ({"events": [{"kind": "click"}] * (MAX_EVENTS + 1)}, "events", "bad_value"),
    ],
)
def test_wrong_questions_are_refused(shop: App, body: Any, field: str, code: str | None) -> None:
    status, reply = shop.send("POST", URL, body)
    assert status == 400, reply
    assert reply["error"]["field"] == field, reply
    assert code in (None, reply["error"]["code"]), reply
    assert "\u0000" not in json.dumps(reply)


def test_a_body_that_is_too_large_is_refused(shop: App) -> None:
    assert shop.send("POST", URL, b" " * (1 << 20))[0] == 413
