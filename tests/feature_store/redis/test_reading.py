import asyncio
from typing import Any

import pytest

from domain.errors import StoreMisconfigured, StoreUnavailable
from domain.events import Event, Kind
from domain.ids import bucket_of
from domain.scores import Score
from domain.users import Purpose, may_use
from feature_store import keys
from feature_store.opening import open_store
from feature_store.records import EMPTY_LIFETIME
from feature_store.redis.reading import state_of
from feature_store.store import StoreSettings
from tests.feature_store.servers import RunningServer

NOW = 1_700_000_000_000
SETTINGS = StoreSettings(buckets=8)


def mgets(server: RunningServer) -> int:
    client = server.client()
    stats = client.info("commandstats").get("cmdstat_mget", {"calls": 0})
    client.close()
    return int(stats["calls"])


async def test_reads_of_a_turn_share_one_mget(server: RunningServer) -> None:
    store = await open_store(SETTINGS, url=server.url)
    made = [Event(f"e{n}", f"u{n}", Kind.click, NOW) for n in range(60)]
    await store.append(made, NOW)
    before = await asyncio.to_thread(mgets, server)
    answers = await asyncio.gather(*[store.read([f"u{n}", "u0", "sx"]) for n in range(60)])
    assert await asyncio.to_thread(mgets, server) == before + 1
    assert [len(answer.states[0].records) for answer in answers] == [1] * 60
    assert all(answer.states[1].found and not answer.states[2].found for answer in answers)
    await store.close()


async def test_a_linked_session_costs_one_more(server: RunningServer) -> None:
    store = await open_store(SETTINGS, url=server.url)
    await store.append([Event("e1", "scart", Kind.click, NOW)], NOW)
    await store.identify("cart", "ada", NOW)
    before = await asyncio.to_thread(mgets, server)
    answers = await asyncio.gather(*[store.read(["scart"]) for _ in range(20)])
    assert await asyncio.to_thread(mgets, server) == before + 2
    assert all(len(answer.states[0].records) == 1 for answer in answers)
    # With its user asked for too, the first trip has it all.
    await store.read(["scart", "uada"])
    assert await asyncio.to_thread(mgets, server) == before + 3
    await store.close()


async def test_many_entities_are_read_in_pieces(server: RunningServer) -> None:
    store = await open_store(SETTINGS, url=server.url)
    made = [Event("e", f"u{n}", Kind.click, NOW) for n in range(1_500)]
    await store.append(made, NOW)
    before = await asyncio.to_thread(mgets, server)
    answer = await store.read([f"u{n}" for n in range(1_500)])
    assert sum(len(seen.records) for seen in answer.states) == 1_500
    assert await asyncio.to_thread(mgets, server) == before + 3
    await store.close()


async def test_a_cancelled_read_leaves_its_neighbours_theirs(server: RunningServer) -> None:
    store = await open_store(SETTINGS, url=server.url)
    one = asyncio.ensure_future(store.read(["uada"]))
    two = asyncio.ensure_future(store.read(["ubob"]))
    await asyncio.sleep(0)
    one.cancel()
    assert not (await two).states[0].found
    await store.close()


async def test_bytes_that_are_no_history_ask_the_operator(server: RunningServer) -> None:
    store = await open_store(SETTINGS, url=server.url)
    client = server.client()
    client.set(keys.history(bucket_of("uada", 8), "uada"), b"x" * 300)
    client.close()
    with pytest.raises(StoreMisconfigured):
        await store.read(["uada"])
    assert not (await store.read(["ubob"])).states[0].found
    await store.close()


async def test_scores_travel_in_the_same_mget(server: RunningServer) -> None:
    store = await open_store(SETTINGS, url=server.url)
    await store.append([Event("e1", "uada", Kind.click, NOW)], NOW)
    given = {f"u{n}": {"churn": Score(0.5, 1.0, n)} for n in range(40)}
    await store.put_scores({**given, "uada": {"churn": Score(0.25, 1.0, NOW)}})
    before = await asyncio.to_thread(mgets, server)
    answers = await asyncio.gather(*[store.read([f"u{n}", "uada", "sx"]) for n in range(40)])
    assert await asyncio.to_thread(mgets, server) == before + 1
    assert [answer.states[0].scores["churn"].as_of for answer in answers] == list(range(40))
    assert answers[0].states[1].scores["churn"].probability == 0.25
    assert not answers[0].states[2].scores
    await store.close()


async def test_scores_that_cannot_be_read_are_none(server: RunningServer) -> None:
    store = await open_store(SETTINGS, url=server.url)
    client = server.client()
    client.set(keys.scores(bucket_of("uada", 8), "uada"), b"x" * 300)
    client.close()
    assert (await store.read(["uada"])).states[0].scores == {}
    assert await store.put_scores({"uada": {"churn": Score(0.5, 1.0, NOW)}}) == 1
    assert (await store.read(["uada"])).states[0].scores["churn"].as_of == NOW
    await store.close()


async def test_what_cannot_be_read_costs_its_own_request_alone(server: RunningServer) -> None:
    """A garbled history, a garbled link, and a session linked to whoever has the former."""
    store = await open_store(SETTINGS, url=server.url)
    await store.append([Event("e", "uada", Kind.click, NOW)], NOW)
    for session in ("cart", "wheel"):
        await store.identify(session, "bad", NOW)
    await store.identify("good", "ada", NOW)
    client = server.client()
    client.set(keys.history(bucket_of("ubad", 8), "ubad"), b"x" * 300)
    client.set(keys.link(bucket_of("sodd", 8), "sodd"), b"1\xff\xfe")
    client.close()
    before = await asyncio.to_thread(mgets, server)
    asked = [["uada"], ["ubad"], ["ueve", "scart"], ["sodd"], ["sgood"], ["swheel", "ubad"], []]
    answers = await asyncio.gather(*map(store.read, asked), return_exceptions=True)
    assert await asyncio.to_thread(mgets, server) <= before + 2
    assert [type(one).__name__ for one in answers] == [
        "Read", *["StoreMisconfigured"] * 3, "Read", "StoreMisconfigured", "Read"
    ]  # fmt: skip
    assert [len(answers[place].states[0].records) for place in (0, 4)] == [1, 1]
    assert answers[4].states[0].linked_user == "ada"
    assert answers[1] is not answers[5]
    # Alone it is no different: a session of an unreadable user, its user not asked for.
    with pytest.raises(StoreMisconfigured):
        await store.read(["swheel"])
    await store.close()


async def test_a_link_that_cannot_be_finished_costs_its_own_request_alone(
    server: RunningServer,
) -> None:
    store = await open_store(SETTINGS, url=server.url)
    client = server.client()
    client.set(keys.link(bucket_of("scart", 8), "scart"), b"0uada")
    client.set(keys.intake(bucket_of("uada", 8)), b"no stream")
    client.close()
    broken, fine = await asyncio.gather(
        store.read(["scart"]), store.read(["ubob"]), return_exceptions=True
    )
    assert isinstance(broken, Exception)
    assert not fine.states[0].found
    await store.close()


def test_a_profile_alone_is_found() -> None:
    seen = state_of(None, b"{}")
    assert seen.found
    assert seen.profile is not None
    assert seen.lifetime is EMPTY_LIFETIME
    assert not state_of(None, None).found


@pytest.mark.parametrize("text", [b"{", b"[]", b"null", b"\xff", b'{"consent": 1}'])
async def test_a_profile_that_cannot_be_read_consents_to_nothing(
    server: RunningServer, text: bytes
) -> None:
    store = await open_store(SETTINGS, url=server.url)
    client = server.client()
    client.set(keys.profile(bucket_of("uada", SETTINGS.buckets), "uada"), text)
    client.close()
    profile = (await asyncio.wait_for(store.read(["uada"]), 5)).states[0].profile
    assert profile is not None
    assert not any(may_use(profile, purpose, unanswered=True) for purpose in Purpose)
    assert (await store.read_profiles(["ada"]))[0].profile == profile
    await store.close()


async def test_the_reads_of_a_turn_have_each_their_own_patience(server: RunningServer) -> None:
    store = await open_store(SETTINGS, url=server.url)
    await store.append([Event("e", "uada", Kind.click, NOW)], NOW)
    client = server.client()
    client.execute_command("CLIENT", "PAUSE", 400, "ALL")
    ended: list[str] = []

    async def read(name: str, within_s: float | None) -> Any:
        try:
            return await store.read(["uada"], within_s)
        except StoreUnavailable as error:
            return error
        finally:
            ended.append(name)

    told = await asyncio.gather(
        read("ever", None), read("second", 0.06), read("first", 0.02), read("third", 30.0)
    )
    assert ended[:2] == ["first", "second"]
    assert [type(one) for one in told[1:3]] == [StoreUnavailable] * 2
    assert told[1] is not told[2]
    for one in (told[0], told[3]):
        assert one.states[0].records["kind"].tolist() == [Kind.click]
    # The next turn finds the line's answers in order.
    assert (await store.read(["uada"], 30.0)).states[0].found
    client.close()
    await store.close()


async def test_a_turn_answered_in_time_is_not_given_up(server: RunningServer) -> None:
    store = await open_store(SETTINGS, url=server.url)
    await store.append([Event("e", "uada", Kind.click, NOW)], NOW)
    for within_s in (5.0, None):
        answers = await asyncio.gather(*[store.read(["uada"], within_s) for _ in range(5)])
        assert [answer.states[0].found for answer in answers] == [True] * 5
    await store.close()
