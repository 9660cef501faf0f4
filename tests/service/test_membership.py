"""Segments in answers: whatever they name, of what is read of a user anyway; with consent only."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from domain.ids import user_entity
from domain.scores import Band, Score
from service import membership
from service.membership import segments_now
from tests.golden.leaving import release_contact, release_leaving
from tests.golden.visiting import release_visiting
from tests.service.routes.test_intent import visit
from tests.service.serving import NOW, App, app_in_memory, until

HOUR = 3_600_000


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[App]:
    release_leaving(tmp_path)
    release_contact(tmp_path, -0.3, 0.1)
    release_visiting(tmp_path)
    with app_in_memory(tmp_path) as app:
        app.runner.run(until(lambda: app.context.churn.current is not None))
        visit(app, "ann", "click", "add_to_cart", "purchase")
        app.send("PATCH", "/v1/users/ann", {"attributes": {"Plan": "Gold", "age": 31}})
        yield app


def save(app: App, **segments: str) -> None:
    for name, where in segments.items():
        status, reply = app.send("PUT", f"/v1/segments/{name}", {"where": where})
        assert status == 200, reply


def now(app: App, user: str = "ann", **more: Any) -> tuple[str, ...]:
    state = app.runner.run(app.store.read([user_entity(user)])).states[0]
    return segments_now(app.context, state, NOW, **more)


def test_everything_that_may_be_named_is_known_of_a_user(shop: App) -> None:
    save(
        shop,
        gold="attributes.plan = gold and attributes.age between 30 and 40",
        dogs="uplift.action = leave_alone and uplift.high < 0 and uplift.effect = -0.3",
        eager="intent.probability > 0.6 and intent.hours_ago < 24",
        fresh="recency < 1",
        loud="churn.band = high",
        tin="attributes.plan = tin",
    )
    assert now(shop) == ("dogs", "fresh", "gold")
    scores = {
        "intent": Score(0.7, 0.5, NOW - 2 * HOUR),
        "churn": Score(0.9, 0.5, NOW, "v", None, Band.high, 10.0, 9.0),
    }
    shop.runner.run(shop.store.put_scores({"uann": scores}))
    assert now(shop) == ("dogs", "eager", "fresh", "gold", "loud")
    # What was just said of the visit counts for more than what was kept of it.
    assert "eager" not in now(shop, intent=Score(0.5, 0.5, NOW))
    old = scores["intent"]._replace(as_of=NOW - 23 * HOUR)
    assert "eager" in now(shop, intent=old)
    assert "eager" not in now(shop, intent=old._replace(as_of=NOW - 25 * HOUR))


def test_without_consent_nothing_is_looked_at(shop: App) -> None:
    save(shop, gold="attributes.plan = gold", eager="intent.probability > 0.6")
    shop.runner.run(shop.store.put_scores({"uann": {"intent": Score(0.7, 0.5, NOW)}}))
    assert now(shop) == ("eager", "gold")
    shop.send("PATCH", "/v1/users/ann", {"consent": {"personalisation": False}})
    assert now(shop) == ("gold",)
    shop.send("PATCH", "/v1/users/ann", {"consent": {"analytics": False}})
    assert now(shop) == ()
    assert segments_now(shop.context, None, NOW) == ()


def test_no_view_is_filled_that_nobody_asks_for(shop: App, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(membership, "view_rows", refuse)
    assert now(shop) == ()
    save(shop, gold="attributes.plan = gold", loud="churn.band = high")
    assert now(shop) == ("gold",)
    save(shop, fresh="recency < 1")
    with pytest.raises(AssertionError):
        now(shop)


def test_answers_tell_of_them(shop: App) -> None:
    save(shop, gold="attributes.plan = gold", dogs="uplift.action = leave_alone")
    save(shop, eager="intent.probability > 0")
    told = shop.send("GET", "/v1/churn/ann")[1]
    assert (told["segments"], told["recommended_action"]) == (["dogs", "gold"], "leave_alone")
    # Intent said it just now; churn and the list of segments know it once it is kept.
    told = shop.send("POST", "/v1/intent", {"user": "ann"})[1]
    assert told["segments"] == ["dogs", "eager", "gold"]
    listed = shop.send("GET", "/v1/users/ann/segments")[1]["segments"]
    assert set(listed) >= {"dogs", "gold"}
    events = [{"kind": "click", "item": "tea"}]
    assert "segments" not in shop.send("POST", "/v1/intent", {"events": events})[1]
    assert "segments" not in shop.send("POST", "/v1/intent", {"user": "nobody"})[1]
    shop.send("PATCH", "/v1/users/ann", {"consent": {"analytics": False}})
    told = shop.send("POST", "/v1/intent", {"user": "ann"})[1]
    assert "segments" not in told
    assert told["probability"] is not None


def test_only_what_is_asked_about_is_looked_at(shop: App, monkeypatch: pytest.MonkeyPatch) -> None:
    filled: list[list[str]] = []
    plain = membership.view_rows

    def noted(views: list[Any], *rest: Any) -> Any:
        filled.append([view.name for view in views])
        return plain(views, *rest)

    monkeypatch.setattr(membership, "view_rows", noted)
    save(shop, gold="attributes.plan = gold", fresh="recency < 1", dogs="uplift.high < 0")
    assert now(shop, wanted=frozenset({"gold"})) == ("gold",)
    assert now(shop, wanted=frozenset({"unsaved"})) == ()
    assert filled == []
    assert now(shop, wanted=frozenset({"gold", "fresh"})) == ("fresh", "gold")
    assert now(shop, wanted=frozenset({"dogs"})) == ("dogs",)
    assert filled == [["rfm"], ["rfm", "rhythm", "breadth"]]
    assert now(shop) == ("dogs", "fresh", "gold")
