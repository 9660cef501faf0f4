"""Profiles for fits: attributes of those who may be asked about, nobody else's."""

import pytest

from domain.errors import OperatorError
from feature_store.memory import MemoryStore
from training.profiles import profiles_from_env, read_profiles, read_told

AT = 1_700_000_000_000


@pytest.fixture
async def store():
    made = MemoryStore()
    await made.patch_profile("ada", AT, attributes={"plan": "gold"})
    await made.patch_profile("bob", AT, attributes={"plan": "tin"}, consent={"analytics": False})
    await made.patch_profile("cyd", AT, attributes={"plan": "gold"}, consent={"analytics": True})
    await made.patch_profile("dan", AT, consent={"analytics": True})
    return made


async def test_who_refused_is_as_if_nothing_were_known(store) -> None:
    users = ["ada", "bob", "cyd", "dan", "eve"]
    assert await read_profiles(store, users, unanswered=True) == {
        "ada": {"plan": "gold"},
        "cyd": {"plan": "gold"},
    }


async def test_where_consent_is_required_silence_is_a_no(store) -> None:
    assert set(await read_profiles(store, ["ada", "cyd"], unanswered=False)) == {"cyd"}


async def test_refusing_another_purpose_refuses_nothing_here(store) -> None:
    await store.patch_profile("ada", AT, consent={"personalisation": False})
    assert set(await read_profiles(store, ["ada"], unanswered=True)) == {"ada"}


async def test_who_refused_is_named_apart_from_who_told_nothing(store) -> None:
    told = await read_told(store, ["ada", "bob", "dan", "eve"], unanswered=True)
    assert (set(told.people), told.refused) == ({"ada"}, {"bob"})
    told = await read_told(store, ["ada", "bob", "dan", "eve"], unanswered=False)
    assert (told.people, told.refused) == ({}, {"ada", "bob", "eve"})


async def test_nobody_asked_about_is_nobody(store) -> None:
    assert await read_profiles(store, [], unanswered=True) == {}


def test_an_unknown_rule_of_consent_is_refused(monkeypatch) -> None:
    monkeypatch.setenv("SANDERLING_CONSENT", "whatever")
    with pytest.raises(OperatorError, match="opt-out or opt-in"):
        profiles_from_env(["ada"])
