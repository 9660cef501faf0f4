from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.events import Kind
from domain.slates import Fallback, Source
from models.recommend.ask import MAX_K, Ask, Asker, Origin
from models.recommend.catalogue import Catalogue
from models.recommend.desk import Desk
from models.recommend.explain import (
    BRIEFLY,
    RECENT,
    Past,
    and_list,
    brief_sources,
    personal_sources,
    plain_source,
    similar_source,
)
from models.recommend.policy import recommend
from tests.golden.shop import NOW, asker, shop_desk, shop_model
from tests.models.recommend.small import AS_OF, history, small_model


def sources_of(item: str, *past: str, kind: Kind = Kind.purchase):
    desk = shop_desk(shop_model())
    slate = recommend(
        desk, Ask(k=20, explain=True, exclude_seen=False), asker(*past, kind=kind), NOW
    )
    return {place.item: place.sources for place in slate.items}[item]


def test_names_the_member_and_the_items_it_rests_on():
    (source,) = sources_of("jam", "bread", "butter")
    assert source.member == "graph"
    assert source.because == ("butter", "bread")
    assert source.text == "Because you bought Butter and Bread"


def test_the_verb_is_what_was_done():
    (source,) = sources_of("jam", "bread", kind=Kind.click)
    assert source.text == "Because you viewed Bread"


def test_different_deeds_are_told_apart():
    desk = shop_desk(shop_model())
    who = asker("bread", "butter")
    who.kinds[0] = Kind.click
    slate = recommend(desk, Ask(k=1, explain=True), who, NOW)
    assert slate.items[0].sources[0].text == "Because you bought Butter and viewed Bread"


def test_what_everybody_wants_is_said_to_be_so():
    (source,) = sources_of("milk", "bread")
    assert (source.member, source.because) == ("popularity", ())


def test_shares_are_of_what_was_added():
    desk = shop_desk(shop_model())
    model = desk.model
    assert model is not None
    who = asker("bread")
    past = Past(desk.catalogue.indices(who.items), who.kinds, who.ats)
    parts = np.array([[0.25] * 8, [0.75] * 8], np.float32)
    rows = np.array([1, 2], np.int32)
    parts[:, 2] = -1
    found, none = personal_sources(model, desk.catalogue, parts[:, rows], rows, past, NOW)
    assert [(one.member, one.share) for one in found] == [("graph", 0.75), ("popularity", 0.25)]
    assert [(one.member, one.share) for one in none] == [("blend", 1.0)]
    brief = brief_sources(model.members, parts[:, rows])
    assert brief == [tuple(Source(*one[:2]) for one in row) for row in (found, none)]


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from([-2.0, 0.0, 0.01, 1.0, 5.0]), min_size=4, max_size=4)))
def test_the_strongest_members_are_named(columns):
    """At most three, each with a twentieth or more, ties in the order of the blend."""
    names = ("a", "b", "c", "d")
    parts = np.array([[0.0] * 4, *columns], np.float32).T.copy()
    found = brief_sources(names, parts)
    for column, named in zip(parts.T, found, strict=True):
        added = {name: max(float(x), 0) for name, x in zip(names, column, strict=True)}
        whole = sum(added.values())
        order = sorted(names, key=lambda name: -added[name])
        wanted = [(n, pytest.approx(added[n] / whole, abs=0.0051)) for n in order if added[n]][:3]
        wanted = [one for one in wanted if added[one[0]] >= 0.05 * whole]
        assert [one[:2] for one in named] == (wanted or [("blend", 1.0)])


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32), st.integers(1, 80))
def test_the_events_named_are_those_that_speak_most(seed, h):
    """Against a plain count: influence adds up by item, its loudest event gives the verb."""
    model = small_model(seed=seed % 7)
    indices, kinds, ats = history(np.random.default_rng(seed), 40, h)
    ids = [f"i{i}" for i in range(40)]
    catalogue, rows = Catalogue(ids), np.arange(40, dtype=np.int32)
    parts = model.score(indices, kinds, ats, AS_OF).parts(rows)
    found = personal_sources(model, catalogue, parts, rows, Past(indices, kinds, ats), AS_OF)
    last = slice(-RECENT, None)
    speaks = model.influences(rows, indices[last], kinds[last], ats[last], AS_OF)
    for row in range(40):
        weight: dict[int, float] = {}
        for item, said in zip(indices[last].tolist(), speaks[row].tolist(), strict=True):
            weight[item] = weight.get(item, 0.0) + said
        least = 0.05 * sum(weight.values())
        order = sorted(weight, key=lambda one: (-weight[one], one))
        wanted = tuple(ids[one] for one in order[:3] if weight[one] > 0 and weight[one] >= least)
        for source in found[row]:
            assert source.because in ((), wanted)
            assert source.text


def test_an_item_had_before_is_not_explained_by_its_own_name():
    desk = shop_desk(shop_model())
    model = desk.model
    assert model is not None
    who = asker("jam", "butter", "jam")
    past = Past(desk.catalogue.indices(who.items), who.kinds, who.ats)
    scored = model.score(*past, NOW)
    rows = np.array([2], np.int32)
    ((source, *_),) = personal_sources(model, desk.catalogue, scored.parts(rows), rows, past, NOW)
    assert source.because[0] == "butter"


def test_every_place_of_the_longest_answer_is_explained():
    model = small_model(n=MAX_K, again=True)
    desk = Desk(Catalogue(model.items, model.hashes), model, "recommend/small")
    indices, kinds, ats = history(np.random.default_rng(1), MAX_K, 512)
    who = Asker(Origin.user, model.hashes[indices], kinds, ats)
    slate = recommend(desk, Ask(k=MAX_K, explain=True), who, AS_OF)
    assert len(slate.items) == MAX_K
    assert all(place.sources and all(one.text for one in place.sources) for place in slate.items)


@pytest.mark.parametrize(
    ("kinds", "text"),
    [
        ([Kind.purchase], "Because you bought it before"),
        ([Kind.click, Kind.click], "Because you viewed it before"),
        ([Kind.purchase, Kind.click, Kind.impression], "Because you bought it before"),
        ([Kind.impression], "Because you were shown it before"),
        ([Kind.add_to_cart, Kind.impression], "Because you put it into your cart before"),
        ([Kind.custom], "Because you chose it before"),
        ([], "From your history as a whole"),
    ],
)
def test_an_item_to_have_again_is_told_by_what_was_done_with_it(kinds, text):
    """By the deed that weighs most, of however many, and however long ago."""
    model = small_model()
    weights = model.kind_weights.copy()
    weights[Kind.add_to_cart] = 0.75
    model = replace(model, kind_weights=weights)
    rows = np.array([7] * len(kinds) + [3] * RECENT, np.int32)
    told = np.array([*kinds, *[Kind.purchase] * RECENT], np.uint8)
    past = Past(rows, told, AS_OF - np.arange(rows.size, 0, -1, dtype=np.int64))
    parts = np.zeros((len(model.voices), 1), np.float32)
    parts[model.voices.index("repeats")] = 1.0
    ((source,),) = personal_sources(
        model, Catalogue([f"i{i}" for i in range(40)]), parts, np.array([7], np.int32), past, AS_OF
    )
    assert (source.member, source.text) == ("repeats", text)


def test_what_was_done_with_the_item_itself_is_told_beside_the_others():
    """The item's own events speak for it too, through whatever member."""
    model = small_model(repeats=5.0)
    rows = np.array([3, 7], np.int32)
    kinds = np.array([Kind.click, Kind.add_to_cart], np.uint8)
    weights = model.kind_weights.copy()
    weights[Kind.add_to_cart] = 1.0
    model = replace(model, kind_weights=weights)
    past = Past(rows, kinds, np.array([AS_OF - 2, AS_OF - 1], np.int64))
    parts = np.zeros((len(model.voices), 1), np.float32)
    parts[model.voices.index("factors")] = 1.0
    ((source,),) = personal_sources(
        model, Catalogue([f"i{i}" for i in range(40)]), parts, np.array([7], np.int32), past, AS_OF
    )
    assert source.text.startswith("Fits your taste: you put it into your cart before")


@pytest.mark.parametrize("fallback", [Fallback.trending, Fallback.popular, Fallback.newest])
def test_every_impersonal_place_has_a_reason(fallback):
    (source,) = plain_source(fallback)
    assert source.share == 1
    assert source.text
    assert BRIEFLY[fallback] == (Source(source.member, 1.0),)


def test_likeness_names_what_it_is_like():
    (source,) = similar_source(shop_desk().catalogue, shop_desk().catalogue.index("tea"))
    assert source.because == ("tea",)
    assert source.text == "Goes with Tea"


@pytest.mark.parametrize(
    ("parts", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), ("abc", "a, b and c")]
)
def test_lists_read_as_people_write_them(parts, text):
    assert and_list(parts) == text


@pytest.mark.parametrize(
    ("member", "text"),
    [
        ("graph", "Because you bought Butter and Bread"),
        ("factors", "Fits your taste: you bought Butter and Bread"),
        ("ease", "Goes with what you chose: you bought Butter and Bread"),
        ("filter", "Liked by those who chose the same: you bought Butter and Bread"),
        ("neighbours", "As in visits like yours: you bought Butter and Bread"),
        ("transformer", "The next step after yours: you bought Butter and Bread"),
        ("content", "Of the same kind: you bought Butter and Bread"),
        ("any other", "Because you bought Butter and Bread"),
    ],
)
def test_every_member_says_it_in_its_own_way(member: str, text: str):
    model = replace(shop_model(), members=("popularity", member))
    slate = recommend(shop_desk(model), Ask(k=20, explain=True), asker("bread", "butter"), NOW)
    (source,) = {place.item: place.sources for place in slate.items}["jam"]
    assert (source.member, source.text, source.because) == (member, text, ("butter", "bread"))
