"""What every store promises of cached scores, checked against each of them."""

import asyncio
import random

import pytest

from domain.events import Event, Kind
from domain.scores import Band, Score
from domain.users import Profile
from feature_store.memory import MemoryStore
from feature_store.store import Store, StoreSettings
from tests.feature_store.conftest import OpenStore

NOW = 1_700_000_000_000
CHURN = Score(0.625, 0.5, NOW, "20250101-000000-ab", None, Band.high, 120.0, 75.0)
INTENT = Score(0.1, 0.9, NOW + 5, "20250102-000000-cd", "prevalence")


async def scores(store: Store, entity: str = "uada") -> dict[str, Score]:
    return dict((await store.read([entity])).states[0].scores)


async def test_scores_are_read_with_the_rest(store: Store) -> None:
    await store.append([Event("e1", "uada", Kind.click, NOW)], NOW)
    await store.put_profile("ada", Profile({"tier": "gold"}))
    assert await store.put_scores({"uada": {"churn": CHURN, "intent": INTENT}}) == 2
    seen = (await store.read(["uada", "ubob"])).states
    assert (seen[0].scores, len(seen[0].records)) == ({"churn": CHURN, "intent": INTENT}, 1)
    assert seen[0].profile is not None
    assert seen[0].profile.attributes == {"tier": "gold"}
    assert seen[1].scores == {}


async def test_a_later_score_stays_whoever_comes_last(store: Store) -> None:
    await store.put_scores({"uada": {"churn": CHURN, "intent": INTENT}})
    early = CHURN._replace(as_of=NOW - 1, probability=0.0)
    late = INTENT._replace(as_of=NOW + 6, probability=1.0)
    assert await store.put_scores({"uada": {"churn": early, "intent": late}}) == 1
    assert await scores(store) == {"churn": CHURN, "intent": late}
    # As of the same moment another model's word counts.
    again = CHURN._replace(model="20250103-000000-ef")
    assert await store.put_scores({"uada": {"churn": again}}) == 1
    assert await scores(store) == {"churn": again, "intent": late}


async def test_scores_of_many_at_once_and_of_none(store: Store) -> None:
    many = {f"u{n}": {"churn": CHURN._replace(as_of=n)} for n in range(100)}
    assert await store.put_scores(many) == 100
    assert await store.put_scores({}) == 0
    assert await store.put_scores({"uada": {}}) == 0
    read = await store.read(list(many))
    assert [seen.scores["churn"].as_of for seen in read.states] == list(range(100))
    assert await scores(store) == {}


async def test_scores_alone_are_nobody(store: Store) -> None:
    await store.put_scores({"ughost": {"churn": CHURN}, "sghost": {"intent": INTENT}})
    user, session = (await store.read(["ughost", "sghost"])).states
    assert (user.found, user.profile, len(user.records)) == (False, None, 0)
    assert (user.scores, session.scores) == ({"churn": CHURN}, {"intent": INTENT})


async def test_profiles_and_scores_are_read_without_histories(store: Store) -> None:
    await store.append([Event("e1", "uada", Kind.click, NOW)], NOW)
    await store.patch_profile("ada", NOW, attributes={"tier": "gold"}, consent={"analytics": False})
    await store.put_profile("bob", Profile(test=True))
    await store.put_scores({"uada": {"churn": CHURN}, "ucem": {"intent": INTENT}})
    ada, bob, cem, nobody, again = await store.read_profiles(["ada", "bob", "cem", "dan", "ada"])
    assert ada.profile == (await store.read(["uada"])).states[0].profile
    assert ada.profile is not None
    assert ada.profile.consent == {"analytics": False}
    assert (ada.scores, again) == ({"churn": CHURN}, ada)
    assert (bob.profile, dict(bob.scores)) == (Profile(test=True), {})
    assert (cem.profile, cem.scores) == (None, {"intent": INTENT})
    assert (nobody.profile, dict(nobody.scores)) == (None, {})
    assert await store.read_profiles([]) == []


async def test_profiles_of_thousands_are_read_in_their_order(store: Store) -> None:
    users = [f"n{number}" for number in range(2_000)]
    for user in users[::100]:
        await store.put_profile(user, Profile({"name": user}))
    read = await store.read_profiles(users)
    found = [None if one.profile is None else one.profile.attributes["name"] for one in read]
    assert found == [user if place % 100 == 0 else None for place, user in enumerate(users)]


async def test_one_that_cannot_be_kept_keeps_all_out(store: Store) -> None:
    bad = CHURN._replace(probability=float("nan"))
    with pytest.raises(ValueError, match="finite"):
        await store.put_scores({"uada": {"churn": CHURN}, "ubob": {"churn": bad}})
    assert await scores(store) == {}


async def test_an_identified_session_has_its_users_scores(store: Store) -> None:
    await store.append([Event("e1", "scart", Kind.click, NOW)], NOW)
    await store.put_scores({"scart": {"intent": INTENT}, "uada": {"churn": CHURN}})
    await store.identify("cart", "ada", NOW)
    assert await scores(store, "scart") == {"churn": CHURN}
    assert await store.put_scores({"scart": {"intent": INTENT}}) == 0
    assert await scores(store, "scart") == {"churn": CHURN}


async def test_of_concurrent_writers_the_best_informed_wins(store: Store) -> None:
    order = list(range(60))
    random.Random(3).shuffle(order)
    await asyncio.gather(
        *[store.put_scores({"uada": {"churn": CHURN._replace(as_of=NOW + n)}}) for n in order],
        *[store.put_scores({"uada": {f"other{n}": INTENT}}) for n in range(5)],
    )
    held = await scores(store)
    assert held["churn"].as_of == NOW + 59
    assert len(held) == 6


async def test_every_store_agrees_with_the_plain_one(opening: OpenStore) -> None:
    settings = StoreSettings(buckets=4)
    store, plain = await opening(settings), MemoryStore(settings)
    rng = random.Random(5)
    names = ["churn", "intent", "uplift", "ö"]
    entities = ["uada", "ubob", "scart"]
    for step in range(60):
        given = {
            entity: {
                name: Score(rng.random(), rng.random(), rng.randrange(-20, 20), "m" * step)
                for name in rng.sample(names, rng.randrange(4))
            }
            for entity in rng.sample(entities, 2)
        }
        assert await store.put_scores(given) == await plain.put_scores(given), step
    ours, theirs = await store.read(entities), await plain.read(entities)
    assert [one.scores for one in ours.states] == [one.scores for one in theirs.states]
