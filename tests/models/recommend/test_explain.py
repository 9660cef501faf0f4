import numpy as np
import pytest

from domain.events import Kind
from domain.slates import Fallback
from models.recommend.ask import Ask
from models.recommend.explain import and_list, personal_sources, plain_source, similar_source
from models.recommend.policy import recommend
from models.recommend.proposals import counted
from tests.golden.shop import NOW, asker, shop_desk, shop_model


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
    past = counted(desk, who, desk.catalogue.indices(who.items))
    assert past is not None
    parts = np.array([[0.25] * 8, [0.75] * 8], np.float32)
    found = personal_sources(model, desk.catalogue, parts, 1, past, NOW)
    assert [(one.member, one.share) for one in found] == [("graph", 0.75), ("popularity", 0.25)]
    parts[:] = -1
    assert personal_sources(model, desk.catalogue, parts, 1, past, NOW)[0].member == "blend"


def test_an_item_had_before_is_not_explained_by_its_own_name():
    desk = shop_desk(shop_model())
    model = desk.model
    assert model is not None
    who = asker("jam", "butter", "jam")
    past = counted(desk, who, desk.catalogue.indices(who.items))
    assert past is not None
    scored = model.score(*past, NOW)
    (source, *_) = personal_sources(model, desk.catalogue, scored.parts, 2, past, NOW)
    assert source.because[0] == "butter"


@pytest.mark.parametrize("fallback", [Fallback.trending, Fallback.popular, Fallback.newest])
def test_every_impersonal_place_has_a_reason(fallback):
    (source,) = plain_source(fallback)
    assert source.share == 1
    assert source.text


def test_likeness_names_what_it_is_like():
    (source,) = similar_source(shop_desk().catalogue, shop_desk().catalogue.index("tea"))
    assert source.because == ("tea",)
    assert source.text == "Goes with Tea"


@pytest.mark.parametrize(
    ("parts", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), ("abc", "a, b and c")]
)
def test_lists_read_as_people_write_them(parts, text):
    assert and_list(parts) == text
