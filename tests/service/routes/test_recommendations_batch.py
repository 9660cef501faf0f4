"""Many questions at once: each answered as alone, refused alone, in one read and in time."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from models.recommend.ask import Ask
from models.recommend.controls import NO_CONTROLS
from service.routes import recommendations_batch
from service.routes.recommendations import answer_for
from service.routes.recommendations_batch import MAX_QUESTIONS, PATH
from tests.golden.shop import ITEMS
from tests.service.routes.test_recommendations import PAST, URL, names, release_shop, remember
from tests.service.serving import App, app_in_memory


@pytest.fixture(scope="module")
def _shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    home = tmp_path_factory.mktemp("shop")
    release_shop(home)
    with app_in_memory(home) as app:
        app.runner.run(app.store.put_items(list(ITEMS)))
        for user, past in PAST.items():
            remember(app, user, *past)
        app.send("PATCH", "/v1/users/refuser", {"consent": {"personalisation": False}})
        app.send("POST", URL, {})
        yield app


@pytest.fixture
def shop(_shop: App) -> Iterator[App]:
    yield _shop
    _shop.store.down = _shop.store.broken = False
    _shop.context.watch.up = True


QUESTIONS: list[Any] = [
    {"user": "baker", "k": 3},
    {"k": 0},
    {"session": "nobody", "explain": True},
    {"user": "refuser", "k": 2},
    "nonsense",
    {"history": [{"item": "tea"}], "k": 1},
    {"user": "baker", "task": "basket", "context": {"items": ["tea"]}},
    {"user": "a", "session": "b"},
    {"items": ["tea", "nowhere"], "user": "breakfast"},
    {},
]


def ask(app: App, *questions: Any) -> list[Any]:
    status, reply = app.send("POST", PATH, {"questions": list(questions)})
    assert status == 200, reply
    return reply["answers"]


def test_each_is_answered_or_refused_as_if_alone(shop: App) -> None:
    answers = ask(shop, *QUESTIONS)
    assert len(answers) == len(QUESTIONS)
    for question, answer in zip(QUESTIONS, answers, strict=True):
        status, alone = shop.send("POST", URL, question)
        if status != 200:
            assert answer == alone
            continue
        assert answer["answer"].pop("decision_id") != alone.pop("decision_id")
        assert answer == {"answer": alone}
    assert [answer.get("error", {}).get("field") for answer in answers if "error" in answer] == [
        "k", "", "session",
    ]  # fmt: skip


def test_all_histories_come_in_one_read(shop: App, monkeypatch: pytest.MonkeyPatch) -> None:
    read, asked = shop.store.read, []

    async def count(entities: Any, within_s: float | None = None) -> Any:
        asked.append(list(entities))
        return await read(entities, within_s)

    monkeypatch.setattr(shop.store, "read", count)
    ask(shop, *QUESTIONS)
    assert asked == [["ubaker", "snobody", "urefuser", "ubreakfast"]]


def test_past_its_time_the_rest_is_answered_without_histories(
    shop: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recommendations_batch, "WITHIN_S", -1.0)
    answers = ask(shop, {"user": "baker", "k": 2}, {"user": "refuser", "k": 2})
    assert [one["answer"]["reason"] for one in answers] == ["late", "consent"]
    assert [names(one["answer"]) for one in answers] == [["bread", "milk"]] * 2


@pytest.mark.parametrize("diversity", [1.0, "calibrated"])
def test_past_its_time_places_are_not_competed_for(
    shop: App, monkeypatch: pytest.MonkeyPatch, diversity: object
) -> None:
    monkeypatch.setattr(recommendations_batch, "WITHIN_S", -1.0)
    asked = list[Ask]()

    def listen(*given: Any) -> Any:
        asked.append(given[1])
        assert not given[2].entity, "it rests on nobody's history, and is logged as nobody's"
        return answer_for(*given)

    monkeypatch.setattr(recommendations_batch, "answer_for", listen)
    (answer,) = ask(shop, {"user": "baker", "k": 2, "diversity": diversity})
    assert names(answer["answer"]) == ["bread", "milk"]
    assert asked == [Ask(k=2)]
    assert asked[0].controls is NO_CONTROLS


def test_without_the_store_every_one_is_answered(shop: App) -> None:
    shop.store.down = True
    answers = ask(shop, {"user": "baker", "k": 1}, {"history": [{"item": "bread"}], "k": 1})
    assert [names(one["answer"]) for one in answers] == [["bread"], ["butter"]]
    assert {one["answer"]["reason"] for one in answers} == {"store_unavailable"}


def test_every_answer_is_logged(shop: App) -> None:
    answers = ask(shop, {"user": "baker", "k": 1}, {"k": 2})
    wanted = {one["answer"]["decision_id"] for one in answers}

    async def logged() -> None:
        async with asyncio.timeout(20):
            while True:
                entries = [e for stream in shop.store.decision_streams.values() for e in stream]
                found = {d.decision_id: d for e in entries for d in e.decisions}
                if wanted <= found.keys():
                    assert {found[one].entity for one in wanted} == {"ubaker", ""}
                    return
                await asyncio.sleep(0.001)

    shop.runner.run(logged())


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 400, "questions"),
        ({"questions": []}, 400, "questions"),
        ({"questions": {}}, 400, "questions"),
        ([], 400, ""),
        (b"", 400, "body"),
        (b'{"questions": [{"k": NaN}]}', 400, "body"),
        ({"questions": [{}], "more": 1}, 400, "more"),
        ({"questions": [{}] * (MAX_QUESTIONS + 1)}, 400, "questions"),
        (b'{"questions":[' + b" " * (1 << 22) + b"]}", 413, None),
    ],
)
def test_a_body_that_is_no_list_of_questions_is_refused(
    shop: App, body: Any, status: int, field: str | None
) -> None:
    found, reply = shop.send("POST", PATH, body)
    assert found == status, reply
    assert field is None or reply["error"]["field"] == field


def test_a_hundred_are_not_too_many(shop: App) -> None:
    answers = ask(shop, *[{"user": "baker", "k": 1}] * MAX_QUESTIONS)
    assert {json.dumps(names(one["answer"])) for one in answers} == {'["butter"]'}
