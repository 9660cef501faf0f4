"""A share of the last places is filled to learn; every probability told is that of the draw."""

from collections import Counter
from dataclasses import replace
from math import ceil, log, log1p

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.events import KINDS, Kind
from domain.ids import hash64
from domain.items import Item
from domain.slates import Fallback
from models.recommend.ask import NOBODY, Ask, Asker, Origin
from models.recommend.catalogue import Catalogue
from models.recommend.controls import Controls, Pin
from models.recommend.desk import Desk
from models.recommend.exploring import (
    NEAR,
    NEW_SHARE,
    NO_NEWCOMERS,
    Dice,
    Newcomers,
    Question,
    explore,
    planned,
    room_for,
)
from models.recommend.filters import NEVER, Filter, Rule
from models.recommend.model import RecommendModel
from models.recommend.policy import recommend
from models.recommend.popularity import Popularity
from tests.models.recommend.small import AS_OF

N, NEW = 40, 6
OLD_IDS = tuple(f"old{number}" for number in range(N))
NEW_IDS = tuple(f"new{number}" for number in range(NEW))


@pytest.fixture(scope="module")
def desk() -> Desk:
    hashes = np.array([hash64(name) for name in OLD_IDS], np.uint64)
    wanted = Popularity(np.arange(N, 0, -1) ** 2.0, None)
    model = RecommendModel(
        OLD_IDS, hashes, ("popularity",), (wanted,), np.ones(1, np.float32),
        np.ones(KINDS, np.float32),
    )  # fmt: skip
    catalogue = Catalogue(model.items, model.hashes)
    for name in NEW_IDS:
        catalogue.put(Item(name, categories=("fresh",), created_at=AS_OF - 5))
    return Desk(catalogue, model, "m")


NEWCOMERS = Newcomers(np.arange(N, N + NEW, dtype=np.int32))


def draw(desk: Desk, seed: int, k: int = 10, share: float = 0.05, newcomers=NEWCOMERS, **asked):
    ask, dice = Ask(k=k, **asked), Dice(seed)
    plan = planned(share, ask, dice)
    slate = recommend(desk, replace(ask, k=k + room_for(plan, ask)), NOBODY, AS_OF)
    return explore(Question(desk, ask, NOBODY, AS_OF), slate, newcomers, plan, dice)


def test_dice_are_even_and_the_same_for_the_same_seed():
    rolls = np.array([Dice(seed).roll() for seed in range(20_000)])
    counts = np.histogram(rolls, 10, (0.0, 1.0))[0]
    assert np.abs(counts - 2_000).max() < 200
    one, two = Dice(7), Dice(7)
    assert [one.roll() for _ in range(5)] == [two.roll() for _ in range(5)]


def test_the_share_holds_on_average_and_the_last_places_are_taken(desk):
    for k, share in ((10, 0.05), (20, 0.05), (20, 0.13), (4, 0.5)):
        places = [draw(desk, seed, k, share).places for seed in range(2_000)]
        assert np.mean([len(one) for one in places]) == pytest.approx(share * k, abs=0.04)
        for one in places:
            assert one == tuple(range(k - len(one), k))


def test_places_are_drawn_with_the_probabilities_that_are_told(desk):
    drawn, told = Counter(), {}
    tries = 12_000
    for seed in range(tries):
        found = draw(desk, seed)
        last, chance = found.slate.ids[-1], found.propensities[-1]
        assert found.propensities[:-1] == (1.0,) * 9
        drawn[last] += 1
        assert told.setdefault(last, chance) == pytest.approx(chance), "one probability an item"
    assert set(drawn) == {"old9", *OLD_IDS[10 : 10 + NEAR], *NEW_IDS}
    assert sum(told.values()) == pytest.approx(1.0)
    for name, count in drawn.items():
        error = 4 * np.sqrt(told[name] * (1 - told[name]) / tries)
        assert count / tries == pytest.approx(told[name], abs=error), name


def test_every_new_item_has_its_floor(desk):
    """The rule: at an explored place at least NEW_SHARE over the new items that may be shown."""
    found = [draw(desk, seed, 20) for seed in range(600)]
    for one in found:
        if one.slate.ids[-1] in NEW_IDS:
            assert one.propensities[-1] >= NEW_SHARE / NEW - 1e-12
    assert {one.slate.ids[-1] for one in found} >= set(NEW_IDS)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, NEW), st.integers(4, 20), st.floats(0.02, 0.5), st.integers(0, 2**63))
def test_every_new_item_is_shown_within_so_many_answers(desk, count, k, share, start):
    """An answer shows one of f new items with chance at least q = share k NEW_SHARE / f where no
    more than one place is explored, so n answers miss some with chance at most f (1 - q)^n: n is
    chosen so that this happens once in a billion times."""
    places = min(share * k, 1.0)
    floor = places * NEW_SHARE / count
    bound = ceil((log(count) + log(1e9)) / -log1p(-floor))
    newcomers = Newcomers(np.arange(N, N + count, dtype=np.int32))
    left, answers = set(NEW_IDS[:count]), 0
    while left and answers <= bound:
        left -= set(draw(desk, start + answers, k, share, newcomers).slate.ids)
        answers += 1
    assert not left, f"{answers} answers did not show all"


def test_the_least_popular_near_misses_come_first(desk):
    counts = Counter(
        draw(desk, seed, 20, newcomers=NO_NEWCOMERS).slate.ids[-1] for seed in range(3_000)
    )
    assert counts[OLD_IDS[20 + NEAR - 1]] > 2 * counts[OLD_IDS[20]]


def test_two_places_never_hold_the_same_item(desk):
    for seed in range(500):
        found = draw(desk, seed, 8, 0.5)
        assert len(set(found.slate.ids)) == 8
        assert len(found.places) == 4
        assert found.slate.fallback is Fallback.popular


def test_the_answer_says_what_was_explored_and_keeps_its_mark(desk):
    plain = recommend(desk, Ask(k=20), NOBODY, AS_OF)
    for seed in range(50):
        found = draw(desk, seed, 20)
        assert found.slate.ids[:19] == plain.ids[:19]
        assert found.slate.sources[-1][0].member == "explored"
        assert found.slate.fallback is plain.fallback
    told = draw(desk, 1, 20, explain=True).slate.sources[-1][0]
    assert told.text


def test_filters_hold_for_explored_places_too(desk):
    allow = Filter(allow=OLD_IDS[:15])
    for seed in range(200):
        found = draw(desk, seed, 10, 0.5, chosen=allow)
        assert set(found.slate.ids) <= set(OLD_IDS[:15])
        rule = Rule("category", ("fresh",), NEVER)
        ruled = draw(desk, seed, 10, 0.5, rules=(rule,))
        assert not set(ruled.slate.ids) & set(NEW_IDS)


def test_what_was_steered_or_is_not_asked_for_is_not_explored(desk):
    steered = Ask(k=20, controls=Controls(pinned=(Pin("old3", 1),)))
    assert planned(0.5, steered, Dice(1)).count == 0
    found = draw(desk, 1, 20, 0.0)
    assert (found.places, found.propensities) == ((), (1.0,) * 20)
    assert found.slate == recommend(desk, Ask(k=20), NOBODY, AS_OF)


def test_a_list_that_is_not_full_is_not_explored(desk):
    found = draw(desk, 1, 200, 0.05)
    assert found.places == ()
    assert len(found.propensities) == len(found.slate.ids)


def test_diversity_leaves_near_misses_out(desk):
    assert room_for(planned(0.5, Ask(k=10), Dice(1)), Ask(k=10)) == NEAR
    assert room_for(planned(0.5, Ask(k=10), Dice(1)), Ask(k=10, diversity=0.5)) == 0
    assert set(draw(desk, 3, 10, 0.2, diversity=0.5).slate.ids[-2:]) <= set(NEW_IDS)


def test_the_same_seed_gives_the_same_answer(desk):
    assert draw(desk, 77, 20, 0.3) == draw(desk, 77, 20, 0.3)


def test_newcomers_are_those_not_placed_often_enough():
    hashes = np.array([hash64(name) for name in NEW_IDS], np.uint64)
    found = Newcomers.of(N, hashes, hashes[[0, 4]])
    assert found.rows.tolist() == [N + 1, N + 2, N + 3, N + 5]
    assert Newcomers.of(N, hashes[:0], hashes).rows.size == 0


def test_where_nothing_can_be_explored_the_answer_was_certain(desk):
    """No new item, and no list beyond the last place: what is told is 1, however the dice fall."""
    for seed in range(40):
        diverse = draw(desk, seed, 10, newcomers=NO_NEWCOMERS, diversity=0.5)
        whole = draw(desk, seed, 10, newcomers=NO_NEWCOMERS, chosen=Filter(allow=OLD_IDS[:10]))
        for found in (diverse, whole):
            assert (found.places, found.propensities) == ((), (1.0,) * 10)


def test_what_was_seen_or_stands_in_the_list_is_not_explored_again(desk):
    items = np.array([hash64(name) for name in ("old0", "new1", "unheard of", "new4")], np.uint64)
    asker = Asker(
        Origin.user, items, np.full(4, Kind.click, np.uint8), np.full(4, AS_OF - 9, np.int64)
    )
    question = Question(desk, Ask(k=10, item="new2"), asker, AS_OF)
    slate, found = recommend(desk, Ask(k=10), NOBODY, AS_OF), set[str]()
    for seed in range(200):
        dice = Dice(seed)
        found.add(
            explore(question, slate, NEWCOMERS, planned(0.1, Ask(k=10), dice), dice).slate.ids[-1]
        )
    assert found == {"new0", "new3", "new5"}
