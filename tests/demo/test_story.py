"""The story checks what it claims: an answer that stays the same ends it with an error."""

import io
from collections.abc import Sequence
from typing import Any

import pytest

from demo.calls import Service
from demo.choosing import Someone
from demo.story import PATH, K, Story, Wide, changed
from demo.telling import DemoFailed, Teller

ANNA = Someone("user", "anna", 9)
ITEMS = [f"i{n}" for n in range(30)]


class Shop:
    """A service of sorts: the last click goes first, when it listens at all."""

    def __init__(self, listens: bool = True, filters: bool = True) -> None:
        self.listens = listens
        self.filters = filters
        self.clicked: list[str] = []

    def __call__(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        if path.startswith("/v1/items/"):
            item = path.removeprefix("/v1/items/")
            return 200, {"item": item, "title": f"T{item}", "categories": [f"C{int(item[1:]) % 3}"]}
        if path == "/metrics":
            return 200, f'sanderling_requests_total{{route="{PATH}"}} 3\n'
        if path == "/v1/events":
            self.clicked.append(body["item"])
            return 202, {"accepted": 1, "duplicates": 0, "rejected": []}
        return 200, self.answer(body)

    def answer(self, body: Any) -> dict[str, Any]:
        items = list(dict.fromkeys(self.clicked[::-1] + ITEMS)) if self.listens else ITEMS
        wanted = body.get("filter", {}).get("categories")
        if wanted and self.filters:
            items = [item for item in items if f"C{int(item[1:]) % 3}" in wanted]
        sources = [{"member": "graph", "share": 1.0, "because": ["i1"], "text": "Because"}]
        places = [{"item": item, "score": 1.0} for item in items[: body["k"]]]
        if body.get("explain"):
            places = [{**place, "sources": sources} for place in places]
        return {"items": places, "model": "recommend/v1", "fallback": "popular"}


def test_all_parts_of_a_service_that_listens(
    desk, service: Service, teller: Teller, out: io.StringIO
) -> None:
    desk.behaviour = shop = Shop()
    story = Story(service, teller)
    before = story.answer(ANNA)
    assert len(before) == K
    story.changed_by_click(ANNA, before)
    assert shop.clicked == ["i10"]
    visitor = story.anonymous()
    assert visitor.field == "session"
    story.filtered(ANNA, before)
    story.explained(visitor)
    story.measured()
    text = out.getvalue()
    assert "1 of 10 items are new, 9 others changed their place" in text
    assert "every item is of C0" in text
    assert "Because (graph, 100% of the score)" in text
    assert text.count("✓") == 9


def test_a_click_that_changes_nothing_ends_it(desk, service: Service, teller: Teller) -> None:
    desk.behaviour = Shop(listens=False)
    story = Story(service, teller)
    before = story.answer(ANNA)
    with pytest.raises(DemoFailed, match="the click changes the very next answer"):
        story.changed_by_click(ANNA, before)
    with pytest.raises(DemoFailed, match="the answer is about this visit"):
        story.anonymous()


def test_a_filter_that_lets_others_through_ends_it(desk, service: Service, teller: Teller) -> None:
    desk.behaviour = Shop(filters=False)
    story = Story(service, teller)
    with pytest.raises(DemoFailed, match="every item is of"):
        story.filtered(ANNA, story.answer(ANNA))


def places(items: str, score: float = 1.0) -> list[dict[str, Any]]:
    return [{"item": item, "score": score} for item in items]


def test_what_counts_as_a_change() -> None:
    def wide(after: Sequence[dict[str, Any]], drift: float = 0.0) -> Wide:
        return Wide(places("abx", 1 - drift), places("abx"), after)

    assert changed(places("abc"), places("xba"), wide(places("abx")), "x") == (
        "the very next answer is another one: 1 of 3 items are new, 1 others changed their place"
    )
    same = places("ab")
    moved = changed(same, same, wide(places("abx", 1.25)), "x")
    assert "the scores moved by up to 25.00% (without a click: 0.0000%)" in moved
    gone = changed(same, same, wide(places("abc")), "x")
    assert gone == "the first 2 stay; the clicked item, at 3, is not answered again"
    assert changed(same, same, wide(places("abx")), "x") == ""
    assert changed(same, same, wide(places("abx", 1.25), drift=0.2), "x") == ""
