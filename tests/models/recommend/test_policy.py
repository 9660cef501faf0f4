from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.events import Kind
from domain.items import Item
from domain.slates import Fallback
from models.recommend.ask import NOBODY, Ask, Origin
from models.recommend.catalogue import Catalogue
from models.recommend.desk import Desk
from models.recommend.filters import MUST, NEVER, Filter, Rule
from models.recommend.policy import recommend
from tests.golden.shop import ITEMS, LEARNED, NOW, asker, shop_desk, shop_model

LIVE = {item.item for item in ITEMS if item.is_live(NOW)} | {"candle"}


def names(slate) -> list[str]:
    return [place.item for place in slate.items]


@pytest.fixture
def desk() -> Desk:
    return shop_desk(shop_model())


def test_what_follows_the_last_purchase_comes_first(desk):
    slate = recommend(desk, Ask(k=2), asker("bread"), NOW)
    assert names(slate) == ["butter", "jam"]
    assert slate.fallback is None
    assert names(recommend(desk, Ask(k=1), asker("bread", "coffee"), NOW)) == ["milk"]


def test_a_session_is_answered_and_marked(desk):
    slate = recommend(desk, Ask(k=2), asker("bread", origin=Origin.session), NOW)
    assert names(slate) == ["butter", "jam"]
    assert slate.fallback is Fallback.session
    assert {place.fallback for place in slate.items} == {Fallback.session}


def test_nobody_gets_what_is_popular(desk):
    slate = recommend(desk, Ask(k=3), NOBODY, NOW)
    assert names(slate) == ["bread", "milk", "coffee"]
    assert slate.fallback is Fallback.popular


def test_what_is_trending_comes_before_what_is_popular(desk):
    desk.show_trends(["tea", "cocoa"], np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    slate = recommend(desk, Ask(k=3), NOBODY, NOW)
    assert names(slate) == ["cocoa", "tea", "bread"]
    assert [place.fallback for place in slate.items] == ["trending", "trending", "popular"]
    assert slate.fallback is Fallback.popular


def test_without_a_model_the_newest_come_first():
    slate = recommend(shop_desk(), Ask(k=3), NOBODY, NOW)
    assert names(slate) == ["cocoa", "honey", "tea"]
    assert slate.fallback is Fallback.newest


def test_without_a_model_categories_say_what_is_like_the_last_item():
    slate = recommend(shop_desk(), Ask(k=9), asker("bread"), NOW)
    # Equally alike: the newer first, whatever order somebody heard of them in.
    assert names(slate)[:3] == ["honey", "jam", "butter"]
    assert names(slate)[3:] == ["cocoa", "tea", "milk", "coffee"]
    assert [place.fallback for place in slate.items] == ["similar"] * 3 + ["newest"] * 4


def test_new_items_fill_the_last_places(desk):
    slate = recommend(desk, Ask(k=50), asker("bread"), NOW)
    assert set(names(slate)) == LIVE - {"bread"}
    assert names(slate)[-2:] == ["cocoa", "honey"]
    assert [place.fallback for place in slate.items][-3:] == [None, "newest", "newest"]
    assert {place.item for place in slate.items if not place.listed} == {"candle"}


def test_similar_items_go_with_the_item_in_view(desk):
    slate = recommend(desk, Ask(k=2, item="coffee"), NOBODY, NOW)
    assert names(slate) == ["milk", "bread"]
    assert [place.fallback for place in slate.items] == ["similar", "popular"]
    own = recommend(desk, Ask(k=3, item="coffee"), asker("bread"), NOW)
    assert names(own) == ["milk", "butter", "jam"]
    assert own.fallback is None
    scores = [place.score for place in own.items]
    assert scores == sorted(scores, reverse=True)


def test_a_new_item_in_view_is_compared_by_category(desk):
    slate = recommend(desk, Ask(k=1, item="honey"), NOBODY, NOW)
    assert names(slate) == ["jam"]
    assert slate.fallback is Fallback.similar


def test_unknown_items_are_counted_and_do_no_harm(desk):
    slate = recommend(desk, Ask(k=2, item="unheard-of"), asker("gone", "", "bread"), NOW)
    assert names(slate) == ["butter", "jam"]
    assert slate.unknown_items == 2


@pytest.mark.parametrize(
    ("repeats", "exclude", "shown"),
    [(False, None, False), (True, None, True), (False, False, True), (True, True, False)],
)
def test_seen_items_come_back_when_the_log_or_the_caller_says_so(repeats, exclude, shown):
    desk = shop_desk(shop_model(repeats))
    slate = recommend(desk, Ask(k=50, exclude_seen=exclude), asker("bread", "tea"), NOW)
    assert ("bread" in names(slate)) is shown
    assert ("tea" in names(slate)) is shown


def test_being_shown_an_item_is_not_having_seen_it(desk):
    slate = recommend(desk, Ask(k=50), asker("bread", kind=Kind.impression), NOW)
    assert "bread" in names(slate)


def test_one_who_has_seen_everything_still_gets_an_answer(desk):
    everything = asker(*LEARNED, "honey", "cocoa")
    slate = recommend(desk, Ask(k=50), everything, NOW)
    assert set(names(slate)) == LIVE
    refused = recommend(desk, Ask(k=50, exclude_seen=True), everything, NOW)
    assert refused.items == ()
    assert refused.fallback is Fallback.newest


def test_filters_reach_every_source(desk):
    for who in (NOBODY, asker("bread")):
        chosen = Filter(any_categories=("drink",), deny=("milk",))
        slate = recommend(desk, Ask(k=50, chosen=chosen), who, NOW)
        assert set(names(slate)) == {"coffee", "tea", "cocoa"}
        sold_out = recommend(desk, Ask(k=50, chosen=Filter(available=False)), who, NOW)
        assert names(sold_out) == ["soap"]


def test_boosts_lift_also_what_scores_below_zero(desk):
    plain = recommend(desk, Ask(k=50), asker("bread"), NOW)
    assert plain.items[4].item == "tea"
    assert plain.items[4].score < 0
    lifted = recommend(desk, Ask(k=50, rules=(Rule("item", ("tea",), 50.0),)), asker("bread"), NOW)
    assert lifted.items[0].item == "tea"
    same = recommend(
        desk, Ask(k=50, rules=(Rule("category", ("food",), 1.0),)), asker("bread"), NOW
    )
    assert names(same) == names(plain)
    sunk = recommend(desk, Ask(k=50, rules=(Rule("item", ("butter",), 0.01),)), asker("bread"), NOW)
    assert names(sunk).index("butter") > names(plain).index("butter")


def test_must_and_never(desk):
    rules = (Rule("category", ("food",), MUST), Rule("item", ("jam",), NEVER))
    slate = recommend(desk, Ask(k=50, rules=rules), asker("bread"), NOW)
    assert names(slate) == ["butter", "honey"]


def test_diversity_moves_like_items_apart(desk):
    close = recommend(desk, Ask(k=2), asker("bread"), NOW)
    assert names(close) == ["butter", "jam"]
    apart = recommend(desk, Ask(k=2, diversity=0.9), asker("bread"), NOW)
    assert apart.items[0].item == "butter"
    assert apart.items[1].item not in ("jam", "bread")


def test_nothing_at_all_is_an_empty_slate():
    slate = recommend(Desk(Catalogue()), Ask(), asker("bread"), NOW)
    assert slate.items == ()
    assert slate.fallback is Fallback.newest


ASKS = st.builds(
    Ask,
    k=st.integers(1, 12),
    item=st.sampled_from(["", "bread", "honey", "soap", "unheard-of"]),
    exclude_seen=st.none() | st.booleans(),
    chosen=st.builds(
        Filter,
        any_categories=st.sampled_from([(), ("food", "drink"), ("dairy",)]),
        low=st.none() | st.just(2_000_000),
        allow=st.none() | st.just(tuple(sorted(LIVE - {"bread"}))),
        deny=st.sampled_from([(), ("tea",), ("butter", "cocoa")]),
    ),
    rules=st.sampled_from(
        [(), (Rule("category", ("sweet",), 3.0),), (Rule("item", ("coffee", "jam"), NEVER),)]
    ),
    diversity=st.sampled_from([0.0, 0.5, 1.0]),
    explain=st.booleans(),
)
PASTS = st.lists(st.sampled_from([*LEARNED, "honey", "unheard-of", ""]), max_size=6)
HIDDEN = st.sets(st.sampled_from([item.item for item in ITEMS]), max_size=9)


@settings(deadline=None, max_examples=300)
@given(ask=ASKS, past=PASTS, hidden=HIDDEN, learned=st.booleans(), origin=st.sampled_from(Origin))
def test_answers_keep_their_promises(ask, past, hidden, learned, origin):
    items = tuple(
        replace(item, hidden=place % 2 == 0, expires_at=NOW if place % 2 else None)
        if item.item in hidden
        else item
        for place, item in enumerate(ITEMS)
    )
    desk = shop_desk(shop_model() if learned else None, items)
    slate = recommend(desk, ask, asker(*past, origin=origin), NOW)
    found = names(slate)
    held = {item.item: item for item in items}
    assert len(found) == len(set(found)) <= ask.k
    assert hidden.isdisjoint(found)
    assert set(ask.chosen.deny).isdisjoint(found)
    assert ask.item not in found
    may = {one for one in found if one == "candle" or held[one].is_live(NOW)}
    assert may == set(found)
    if ask.exclude_seen:
        assert set(past).isdisjoint(found)
    depth = [
        -1 if place.fallback is None else list(Fallback).index(place.fallback)
        for place in slate.items
    ]
    assert depth == sorted(depth)
    if found:
        assert slate.fallback == slate.items[-1].fallback
    for place in slate.items:
        assert 1 <= len(place.sources) <= 3
        assert {bool(source.text) for source in place.sources} == {ask.explain}
        assert 0 < sum(source.share for source in place.sources) <= 1.02
    assert all(np.isfinite(place.score) for place in slate.items)


@settings(deadline=None)
@given(ask=ASKS, past=PASTS)
def test_a_longer_slate_begins_with_the_shorter(ask, past):
    desk = shop_desk(shop_model())
    short = recommend(desk, replace(ask, diversity=0.0), asker(*past), NOW)
    long = recommend(desk, replace(ask, k=50, diversity=0.0), asker(*past), NOW)
    assert names(long)[: ask.k] == names(short)


@settings(deadline=None)
@given(past=PASTS, k=st.integers(1, 12))
def test_never_empty_while_something_may_be_shown(past, k):
    for desk in (shop_desk(shop_model()), shop_desk()):
        live = int(desk.catalogue.live(NOW).sum())
        for who in (asker(*past), NOBODY):
            slate = recommend(desk, Ask(k=k, exclude_seen=False), who, NOW)
            assert len(slate.items) == min(k, live)
            assert recommend(desk, Ask(k=k), who, NOW).items


def test_an_item_changed_shows_in_the_next_answer(desk):
    ask, who = Ask(k=1), asker("bread")
    desk.catalogue.put(Item("butter", hidden=True))
    assert names(recommend(desk, ask, who, NOW)) == ["jam"]
    desk.catalogue.put(Item("butter", expires_at=NOW + 1))
    assert names(recommend(desk, ask, who, NOW)) == ["butter"]
    assert names(recommend(desk, ask, who, NOW + 1)) == ["jam"]
    desk.catalogue.delete("jam")
    assert names(recommend(desk, ask, who, NOW + 1)) == ["milk"]
