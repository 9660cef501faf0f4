"""A real store and a real service: an item put a moment ago is in the next answer of who likes
its kind, and a click on it moves the answer after that; nothing is fitted in between."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from domain.events import KINDS, Kind
from domain.ids import hash64
from models.bundle import Draft, write_bundle
from models.bundle_pointers import point
from models.recommend.model import RecommendModel
from models.recommend.popularity import Popularity
from tests.models.recommend.small_content import KNOWN, content_of
from tests.service.serving import Server, serving

NOW = 1_700_000_000_000


def release(home: Path) -> None:
    kinds = np.zeros(KINDS, np.float32)
    kinds[[Kind.click, Kind.purchase]] = 1.0
    members = {
        "popularity": Popularity(np.array([9, 5, 3, 8, 6, 2]), None),
        "content": content_of(trust=0.9),
    }
    model = RecommendModel(
        KNOWN,
        np.array([hash64(item) for item in KNOWN], np.uint64),
        tuple(members),
        tuple(members.values()),
        np.array([0.2, 1.0], np.float32),
        kinds,
    )
    bundle = write_bundle(home / "bundles", Draft("recommend", NOW, model.arrays(), model.params()))
    point(home / "bundles" / "recommend", bundle.version, NOW)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("arrivals")
    release(home)
    with serving(home, "--no-log-writer") as one:
        one.until(lambda: bool(slate(one, "nobody").get("model")), 30)
        yield one


def send(server: Server, method: str, path: str, body: Any) -> None:
    status, told, _ = server.request(method, path, json.dumps(body).encode())
    assert status in (200, 202), told


def slate(server: Server, user: str, k: int = 3) -> dict[str, Any]:
    status, told, _ = server.request(
        "POST", "/v1/recommendations", json.dumps({"user": user, "k": k, "explain": True}).encode()
    )
    assert status == 200, told
    return json.loads(told)


def names(server: Server, user: str, k: int = 3) -> list[str]:
    return [place["item"] for place in slate(server, user, k)["items"]]


def did(server: Server, user: str, kind: str, item: str) -> None:
    event = {"event_id": f"{user}-{kind}-{item}", "user": user, "kind": kind, "item": item}
    send(server, "POST", "/v1/events", [event])


def test_an_item_put_now_is_in_the_next_answer_and_tells_why(server: Server) -> None:
    did(server, "cook", "purchase", "tea")
    did(server, "smith", "purchase", "bolt")
    assert set(names(server, "cook", 2)) == {"mug", "pot"}
    send(server, "PUT", "/v1/items/kettle", {"title": "Kettle", "categories": ["kitchen"]})
    answer = slate(server, "cook")
    places = {place["item"]: place for place in answer["items"]}
    assert set(places) == {"mug", "pot", "kettle"}
    assert answer.get("fallback") is None
    (source,) = places["kettle"]["sources"]
    assert (source["member"], source["because"]) == ("content", ["tea"])
    assert source["text"] == "Of the same kind: you bought tea"
    assert "kettle" not in names(server, "smith", 2)


def test_a_change_of_the_item_changes_the_next_answer(server: Server) -> None:
    did(server, "cook2", "purchase", "tea")
    did(server, "smith2", "purchase", "bolt")
    send(server, "PUT", "/v1/items/gadget", {"title": "Gadget", "categories": ["kitchen"]})
    assert "gadget" in names(server, "cook2", 4)
    send(server, "PATCH", "/v1/items/gadget", {"categories": ["workshop"]})
    assert "gadget" in names(server, "smith2", 4)
    assert "gadget" not in names(server, "cook2", 3)
    assert server.request("DELETE", "/v1/items/gadget", b"")[0] in (200, 204)
    assert "gadget" not in names(server, "smith2", 6)


def test_a_click_on_a_new_item_moves_the_next_answer(server: Server) -> None:
    send(server, "PUT", "/v1/items/lathe", {"title": "Lathe", "categories": ["workshop"]})
    did(server, "turner", "click", "tea")
    assert set(names(server, "turner", 2)) <= {"mug", "pot", "kettle"}
    did(server, "turner", "click", "lathe")
    assert set(names(server, "turner", 2)) <= {"bolt", "nut", "saw"}
    # One whose whole history is new items is answered for it all the same.
    did(server, "beginner", "click", "lathe")
    answer = slate(server, "beginner", 2)
    assert {place["item"] for place in answer["items"]} <= {"bolt", "nut", "saw"}
    assert answer["items"][0]["sources"][0]["because"] == ["lathe"]
