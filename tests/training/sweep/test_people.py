"""The store's side: who may be scored, and what is cached of whom."""

from pathlib import Path

import numpy as np

from domain.ids import hash64, user_entity
from domain.scores import Band, Score
from domain.users import Profile, Purpose
from feature_store.memory import MemoryStore
from feature_store.sweeps.reading import Sweeps
from tests.feature_store.sweeps.making import AS_OF, put, scored
from training.sweep import people
from training.sweep.people import ask_people, cache_scores, scores_of


async def test_who_refused_is_not_scored_and_attributes_come_along(monkeypatch) -> None:
    monkeypatch.setattr(people, "READ", 2)
    store = MemoryStore()
    for user, answer in (("yes", True), ("no", False)):
        await store.put_profile(user, Profile({"plan": user}, {Purpose.analytics.value: answer}))
    await store.put_profile("silent", Profile({"plan": "gold"}))
    users = ["yes", "no", "silent", "unknown"]
    asked = await ask_people(store, users, unanswered=True)
    assert asked.allowed.tolist() == [True, False, True, True]
    assert asked.attributes[0] == {"plan": "yes"}
    assert asked.attributes[3] == {}
    asked = await ask_people(store, users, unanswered=False)
    assert asked.allowed.tolist() == [True, False, False, False]


async def test_no_history_is_read_and_intent_only_with_consent() -> None:
    class Guarded(MemoryStore):
        async def read(self, entities, within_s=None):
            raise AssertionError("a history was read")

    store = Guarded()
    told = Score(0.7, 0.5, AS_OF - 3_600_000)
    for user, consent in (("yes", {}), ("no", {Purpose.personalisation.value: False})):
        await store.put_profile(user, Profile({"Plan": "gold"}, consent))
        await store.put_scores({user_entity(user): {"intent": told, "churn": told}})
    asked = await ask_people(store, ["yes", "no", "unknown"], unanswered=True)
    assert asked.intent == [told, None, None]
    some = asked.of(np.array([2, 0]))
    assert (some.intent, some.attributes) == ([None, told], [{}, {"Plan": "gold"}])
    columns = some.columns(AS_OF)
    assert columns["words.plan"].tolist() == [0, hash64("gold")]
    assert columns["intent.hours_ago"][1] == 1.0
    # What was said after the time that is asked about was not known then.
    assert np.isnan(some.columns(AS_OF - 7_200_000)["intent.probability"]).all()


async def test_scores_are_cached_with_band_and_value(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(people, "READ", 2)
    table = scored(["a", "b", "c"], [0.9, 0.5, 0.1], [100.0, 40.0, float("nan")])
    summary = put(tmp_path, 1, table)
    sweep = Sweeps(tmp_path).current()
    assert sweep is not None
    assert scores_of(sweep, 0, 1) == {
        "ua": {"churn": Score(0.9, 0.75, AS_OF, summary.model, None, Band.high, 100.0, 90.0)}
    }
    store = MemoryStore()
    start = 0
    while start < 3:
        start = await cache_scores(store, sweep, start)
    states = (await store.read([user_entity(user) for user in "abc"])).states
    assert [state.scores["churn"].band for state in states] == ["high", "medium", "low"]
    assert states[2].scores["churn"].value is None


async def test_a_later_score_stays(tmp_path: Path) -> None:
    put(tmp_path, 1, scored(["a"], [0.9], [100.0]))
    sweep = Sweeps(tmp_path).current()
    assert sweep is not None
    store = MemoryStore()
    later = Score(0.2, 1.0, AS_OF + 1, "live")
    await store.put_scores({"ua": {"churn": later}})
    await cache_scores(store, sweep, 0)
    assert (await store.read(["ua"])).states[0].scores["churn"] == later
