"""The board: changes are seen soon, what may not buy is hidden, the oracle agrees."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest

from domain.calendars import hour_of_week
from domain.campaigns import Campaign, Flight, LineItem
from domain.clock import HOUR_MS, FixedClock
from domain.targeting import Targeting, Traits, wants
from feature_store.memory import MemoryStore
from feature_store.switches import SWITCHES, Switches, put_switches
from service.live_campaigns import LiveCampaigns, compile_board
from service.openrtb.market import ListedMarket
from tests.service.campaigning import CAMPAIGN, many
from tests.service.serving import NOW, until


class Purses:
    """Knows which campaigns there are; those in `broke` have no money."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.broke: set[str] = set()

    def put(self, campaigns: Iterable[Campaign]) -> None:
        self.names = [one.campaign for one in campaigns]

    def funded(self, campaign: str) -> bool:
        return campaign not in self.broke


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def purses() -> Purses:
    return Purses()


@pytest.fixture
def live(store: MemoryStore, purses: Purses) -> LiveCampaigns:
    return LiveCampaigns(store, FixedClock(NOW), purses, poll_s=0.01)


def shown(live: LiveCampaigns, traits: Traits | None = None) -> set[str]:
    found = live.matching(traits or Traits(), NOW).numbers.tolist()
    return {live.board.lines[number].campaign.campaign for number in found}


async def put(store: MemoryStore, *campaigns: Campaign) -> None:
    for one in campaigns:
        await store.campaigns.edit(one.campaign, lambda _, one=one: one)


async def test_changes_are_seen(store: MemoryStore, live: LiveCampaigns) -> None:
    await live.look()
    assert shown(live) == set()
    await put(store, *many(3))
    await live.look()
    assert shown(live) == {"c0", "c1", "c2"}
    await store.campaigns.delete("c1")
    await put(store, replace(CAMPAIGN, campaign="c2", active=False))
    await live.look()
    assert shown(live) == {"c0"}
    assert set(live.by_name) == {"c0", "c2"}


async def test_a_started_board_sees_a_change_within_a_second(
    store: MemoryStore, live: LiveCampaigns
) -> None:
    await live.start()
    await put(store, CAMPAIGN)
    began = time.monotonic()
    await until(lambda: shown(live) == {"c1"})
    assert time.monotonic() - began < 1
    await live.stop()


async def test_who_missed_too_much_reads_everything(
    store: MemoryStore, live: LiveCampaigns
) -> None:
    await put(store, *many(2))
    await live.look()
    await store.campaigns.delete("c0")
    await put(store, *many(5)[2:])
    store.campaigns._changes = store.campaigns._changes[-1:]  # type: ignore[attr-defined]
    await live.look()
    assert shown(live) == {"c1", "c2", "c3", "c4"}


async def test_switches_stop_everything_a_campaign_or_an_exchange(
    store: MemoryStore, live: LiveCampaigns, purses: Purses
) -> None:
    await put(store, *many(2))
    await live.look()
    north, south = Traits(exchanges=("north",)), Traits(exchanges=("south",))
    await put_switches(store, Switches(campaigns=frozenset({"c0"})))
    await live.look()
    assert shown(live) == {"c1"}
    assert purses.names == ["c1"], "what is off gives its money back"
    await put_switches(store, Switches(exchanges=frozenset({"north"})))
    await live.look()
    assert (shown(live, north), shown(live, south)) == (set(), {"c0", "c1"})
    assert live.matching(north, NOW).why == "switched_off"
    await put_switches(store, Switches(everything=True))
    await live.look()
    assert shown(live) == set()
    assert live.matching(south, NOW).why == "switched_off"
    assert purses.names == []
    await put_switches(store, Switches())
    await live.look()
    assert shown(live) == {"c0", "c1"}


async def test_switches_that_cannot_be_read_leave_the_last_ones(
    store: MemoryStore, live: LiveCampaigns
) -> None:
    await put(store, CAMPAIGN)
    await put_switches(store, Switches(everything=True))
    await live.look()
    await store.put_blob(SWITCHES, b"{")
    await live.look()
    assert shown(live) == set()
    assert live.switches.everything


async def test_empty_purses_are_not_matched(
    store: MemoryStore, live: LiveCampaigns, purses: Purses
) -> None:
    await put(store, *many(2))
    purses.broke = {"c0"}
    await live.look()
    assert shown(live) == {"c1"}
    assert purses.names == ["c0", "c1"]


async def test_flights_and_hours_are_those_of_the_moment(store: MemoryStore) -> None:
    clock, hour = FixedClock(NOW), hour_of_week("Asia/Kolkata", NOW)
    live = LiveCampaigns(store, clock)
    at = Targeting(hours=(hour,))
    await put(
        store,
        replace(CAMPAIGN, campaign="now", flight=Flight(NOW, NOW + HOUR_MS)),
        replace(CAMPAIGN, campaign="later", flight=Flight(NOW + HOUR_MS)),
        replace(
            CAMPAIGN, campaign="hour", zone="Asia/Kolkata",
            lines=(LineItem("l", 1, targeting=at), LineItem("m", 1, active=False)),
        ),
    )  # fmt: skip
    await live.look()
    assert shown(live) == {"now", "hour"}
    clock.advance(HOUR_MS)
    live._masked_at = -1e9
    await live.look()
    assert shown(live) == {"later"}


def test_the_board_agrees_with_a_list_of_lines() -> None:
    wishes = [
        Targeting(geos=("DEU",)), Targeting(not_geos=("DEU",)), Targeting(hours=(5, 82)),
        Targeting(sites=("a.example",)), Targeting(),
    ]  # fmt: skip
    campaigns = [
        replace(
            one, zone=zone,
            lines=tuple(
                LineItem(f"l{place}", 1, targeting=wish, deals=(f"d{place}",))
                for place, wish in enumerate(wishes)
            ),
        )
        for one, zone in zip(many(3), ("UTC", "Europe/Berlin", "Asia/Kolkata"), strict=True)
    ]  # fmt: skip
    board, listed = compile_board(campaigns), ListedMarket(campaigns)
    assert board.deals == listed.deals
    for traits in (Traits(geos=("DEU",)), Traits(sites=("a.example",)), Traits()):
        flags = board.open_lines(NOW, Switches())
        numbers = [n for n in board.index.match(traits).tolist() if flags[n]]
        found = {(board.lines[n].campaign.campaign, board.lines[n].line.line) for n in numbers}
        wanted = [listed.gatherer.lines[n] for n in listed.matching(traits, NOW).numbers.tolist()]
        expected = {(r.campaign.campaign, r.line.line) for r in wanted}
        assert found == expected
    assert all(
        wants(ready.line.targeting, Traits(), hour_of_week(ready.campaign.zone, NOW))
        or not board.open_lines(NOW, Switches())[number]
        or ready.line.targeting.geos or ready.line.targeting.sites
        for number, ready in enumerate(board.lines)
    )  # fmt: skip


def test_what_did_not_change_is_not_made_ready_again() -> None:
    known: dict[str, object] = {}
    first, second = many(2)
    one = compile_board([first, second], known)
    two = compile_board([first, replace(second, title="new")], known)
    assert one.lines[0].creatives[0] is two.lines[0].creatives[0]
    assert one.lines[1].creatives[0] is not two.lines[1].creatives[0]
    compile_board([first], known)
    assert set(known) == {"c0"}


def test_an_empty_board_has_nothing_open() -> None:
    board = compile_board([])
    assert board.open_lines(NOW, Switches()).tolist() == []
    assert board.open_lines(NOW, Switches(everything=True)).dtype == np.bool_


async def test_a_board_goes_on_answering_while_a_large_one_is_compiled(
    store: MemoryStore, live: LiveCampaigns
) -> None:
    await put(store, CAMPAIGN)
    await live.look()
    lines = tuple(LineItem(f"l{number}", 1) for number in range(300))
    await put(store, *[replace(one, lines=lines) for one in many(5)])
    looking = asyncio.create_task(live.look())
    answers = 0
    while not looking.done():
        assert shown(live)
        answers += 1
        await asyncio.sleep(0)
    assert answers > 1
    assert len(live.board.lines) == 1_500
