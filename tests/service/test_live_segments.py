"""Segments as answers use them: polled, read once, asked of one user."""

from math import nan

import numpy as np
import pytest

from domain.scores import Band, Score
from feature_store import segments as saved
from feature_store.audiences import SHOWN
from feature_store.memory import MemoryStore
from feature_store.views.catalogue import VIEWS
from service.live_segments import LiveSegments, scores_of
from tests.service.serving import NOW, SwitchedStore, until

TOLD = Score(0.7, 0.5, NOW, "v1", None, Band.high, None, None)


def rows(recency: list[float]) -> dict[str, np.ndarray]:
    made = {name: np.zeros(len(recency), VIEWS[name].dtype) for name in SHOWN}
    made["rfm"]["recency"] = recency
    return made


async def test_users_are_told_their_segments() -> None:
    store = MemoryStore()
    await saved.put(store, "old", "rfm.recency > 30", NOW)
    await saved.put(store, "loud", "churn.band = high and rfm.recency is known", NOW)
    await saved.put(store, "worth", "not churn.value < 10", NOW)
    live = LiveSegments(store)
    await live.look()
    asked = rows([40.0, 3.0, -1.0])
    told = scores_of(TOLD)
    assert live.of(asked, 0, told, {}) == ("loud", "old")
    assert live.of(asked, 1, told, {}) == ("loud",)
    assert live.of(asked, 2, told, {}) == ()
    assert live.of(asked, 0, {}, {}) == ("old",)
    assert live.of(asked, 2, scores_of(TOLD._replace(value=20.0)), {}) == ("worth",)
    assert live.families == {"churn", "rfm"}


async def test_attributes_are_asked_of_the_profile() -> None:
    store = MemoryStore()
    await saved.put(store, "gold", "attributes.plan = gold and attributes.age > 30", NOW)
    await saved.put(store, "tin", "attributes.plan != gold", NOW)
    live = LiveSegments(store)
    await live.look()
    assert live.families == {"attributes"}
    for attributes, names in (
        ({"Plan": "GOLD", "age": 31}, ("gold",)),
        ({"plan": "gold", "age": "31"}, ("gold",)),
        ({"plan": "gold", "age": 30}, ()),
        ({"plan": "tin"}, ("tin",)),
        ({"plan": ["gold"], "age": 31}, ()),
        ({}, ()),
    ):
        assert live.of({}, 0, {}, attributes) == names, attributes


async def test_a_change_is_noticed_and_trouble_leaves_the_last_in_place() -> None:
    store = SwitchedStore()
    live = LiveSegments(store, poll_s=0.005)
    await live.start()
    try:
        assert live.current == ()
        assert live.of(rows([1.0]), 0, {}, {}) == ()
        await saved.put(store, "old", "rfm.recency > 30", NOW)
        await until(lambda: len(live.current) == 1)
        await store.put_blob(saved.BLOB_NAME, b"rubbish")
        await live.look()
        assert [one.name for one in live.current] == ["old"]
        await store.put_blob(saved.BLOB_NAME, saved.pack(saved.NO_SEGMENTS))
        await until(lambda: live.current == ())
    finally:
        await live.stop()
    await live.stop()


async def test_what_names_nothing_any_more_is_left_out() -> None:
    store = MemoryStore()
    await saved.put(store, "gone", "rfm.shoe_size > 30", NOW)
    await saved.put(store, "old", "rfm.recency > 30", NOW)
    live = LiveSegments(store)
    await live.look()
    assert [one.name for one in live.current] == ["old"]


def test_scores_are_called_as_conditions_call_them() -> None:
    assert scores_of(None) == {}
    found = scores_of(TOLD)
    assert found["churn.probability"] == 0.7
    assert found["churn.band"] == 2.0
    assert found["churn.value"] == pytest.approx(nan, nan_ok=True)
    assert scores_of(TOLD._replace(band=None))["churn.band"] != 0.0


async def test_only_the_segments_that_are_asked_for_are_judged() -> None:
    store = MemoryStore()
    await saved.put(store, "old", "rfm.recency > 30", NOW)
    await saved.put(store, "gold", "attributes.plan = gold", NOW)
    live = LiveSegments(store)
    await live.look()
    old = frozenset({"old", "gone"})
    assert live.picked(old).families == {"rfm"}
    assert live.picked(old) is live.picked(frozenset({"gone", "old"}))
    assert live.picked().families == live.families == {"rfm", "attributes"}
    asked = rows([40.0])
    assert live.of(asked, 0, {}, {"plan": "gold"}) == ("gold", "old")
    assert live.of(asked, 0, {}, {"plan": "gold"}, old) == ("old",)
    assert live.of({}, 0, {}, {"plan": "gold"}, frozenset()) == ()
    # What was picked is forgotten when the segments change.
    await saved.put(store, "gone", "attributes.plan = gold", NOW)
    await live.look()
    assert live.of(asked, 0, {}, {"plan": "gold"}, old) == ("gone", "old")
    for number in range(50):
        assert live.picked(frozenset({str(number)})).named == ()
    assert live.picked(old).families == {"rfm", "attributes"}
