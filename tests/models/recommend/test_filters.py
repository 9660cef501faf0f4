import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import BadField
from domain.items import Item
from models.recommend.catalogue import Catalogue, token
from models.recommend.filters import (
    BOOST_CAP,
    MUST,
    NEVER,
    NO_FILTER,
    Condition,
    Filter,
    Masks,
    Rule,
    admit,
    check_filter,
    check_rules,
    choice,
)
from tests.golden.shop import ITEMS, shop_desk, shop_model


@pytest.fixture
def catalogue() -> Catalogue:
    return shop_desk(shop_model()).catalogue


def passing(catalogue: Catalogue, chosen: Filter, *rules: Rule) -> set[str]:
    allowed = choice(catalogue, chosen, rules).allowed.copy()
    admit(catalogue, chosen, allowed)
    return {catalogue.ids[row] for row in np.flatnonzero(allowed)}


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (Filter(any_categories=("dairy", "bakery")), {"bread", "butter", "milk"}),
        (Filter(all_categories=("drink", "dairy")), {"milk"}),
        (Filter(any_categories=("nothing",)), set()),
        (Filter(low=2_500_000, high=4_200_000), {"bread", "butter", "jam"}),
        (Filter(high=2_000_000), {"milk", "soap"}),
        (Filter(attributes=(Condition("organic", (token(True),)),)), {"bread", "coffee"}),
        (Filter(attributes=(Condition("organic", (token(1),)),)), set()),
        (Filter(attributes=(Condition("flavour", (token("fig"),)),)), {"jam"}),
        (Filter(attributes=(Condition("grams", (), 200, math.inf),)), {"butter", "coffee"}),
        (Filter(attributes=(Condition("grams", (token(250), token(100))),)), {"butter", "tea"}),
        (Filter(allow=("tea", "unheard-of")), {"tea"}),
        (Filter(any_categories=("dairy",), deny=("milk", "unheard-of")), {"butter"}),
    ],
)
def test_filters_admit_what_they_say(catalogue, chosen, expected):
    check_filter(chosen)
    assert passing(catalogue, chosen) == expected


def test_rules_keep_drop_and_multiply(catalogue):
    must = Rule("category", ("food",), MUST)
    never = Rule("item", ("jam", "unheard-of"), NEVER)
    boosts = (
        Rule("attributes.organic", (token(True),), 2.0),
        Rule("category", ("bakery", "dairy"), 0.5),
    )
    check_rules((must, never, *boosts))
    assert passing(catalogue, NO_FILTER, must, never) == {"bread", "butter", "honey"}
    found = choice(catalogue, NO_FILTER, boosts)
    assert found.allowed.all()
    assert found.boosts is not None
    lifted = dict(zip(catalogue.ids, found.boosts.tolist(), strict=True))
    assert lifted["coffee"] == 2
    assert lifted["milk"] == 0.5
    assert lifted["bread"] == 1.0  # doubled, then halved
    assert lifted["tea"] == 1


def test_many_boosts_stay_finite(catalogue):
    up = tuple(Rule("item", ("tea",), 1000.0) for _ in range(50))
    down = tuple(Rule("item", ("milk",), 1e-30) for _ in range(50))
    boosts = choice(catalogue, NO_FILTER, up + down).boosts
    assert boosts is not None
    assert boosts.max() == pytest.approx(BOOST_CAP)
    assert boosts.min() > 0


@pytest.mark.parametrize(
    ("chosen", "field", "code"),
    [
        (Filter(low=2, high=1), "filter.price", "contradiction"),
        (Filter(allow=()), "filter.allow", "contradiction"),
        (Filter(allow=("a", "b"), deny=("b",)), "filter.deny", "contradiction"),
        (Filter(deny=tuple(map(str, range(1001)))), "filter.deny", "too_many"),
        (
            Filter(attributes=(Condition("grams", (), 5, 1),)),
            "filter.attributes.grams",
            "contradiction",
        ),
        (
            Filter(attributes=(Condition("grams", (), math.nan, 1),)),
            "filter.attributes.grams",
            "contradiction",
        ),
        (
            Filter(attributes=tuple(Condition(f"a{n}", ("t:x",)) for n in range(21))),
            "filter.attributes",
            "too_many",
        ),
    ],
)
def test_filters_that_cannot_be_met_are_refused(chosen, field, code):
    with pytest.raises(BadField) as refused:
        check_filter(chosen)
    assert (refused.value.field, refused.value.code) == (field, code)


@pytest.mark.parametrize(
    ("rules", "field"),
    [
        ((Rule("colour", ("x",), 1.0),), "rules[0].field"),
        ((Rule("attributes.", ("x",), 1.0),), "rules[0].field"),
        ((Rule("item", (), 1.0),), "rules[0].value"),
        ((Rule("item", ("x",), -0.5),), "rules[0].bias"),
        ((Rule("item", ("x",), math.nan),), "rules[0].bias"),
        ((Rule("item", ("x",), 1e9),), "rules[0].bias"),
        ((Rule("item", ("x",), 0.0), Rule("item", ("x",), -1.0)), "rules[1]"),
        ((Rule("item", ("x",), -1.0), Rule("item", ("y", "x"), 0.0)), "rules[0]"),
        (tuple(Rule("item", ("x",), 1.0) for _ in range(101)), "rules"),
    ],
)
def test_rules_that_make_no_sense_are_refused(rules, field):
    with pytest.raises(BadField) as refused:
        check_rules(rules)
    assert refused.value.field == field


def test_must_with_another_way_out_is_no_contradiction():
    check_rules((Rule("item", ("x", "y"), MUST), Rule("item", ("x",), NEVER)))


def test_a_required_category_may_not_be_banned():
    with pytest.raises(BadField):
        check_rules((Rule("category", ("x",), NEVER),), Filter(all_categories=("x",)))


def test_masks_are_worked_out_once_a_revision(catalogue):
    masks = Masks(catalogue, room=2)
    chosen = Filter(any_categories=("sweet",))
    first = masks.choose(chosen, ())
    assert first is not None
    assert masks.choose(Filter(any_categories=("sweet",), deny=("jam",)), ()) is first
    catalogue.put(Item("tea", categories=("sweet",)))
    second = masks.choose(chosen, ())
    assert second is not None
    assert second.allowed[catalogue.index("tea")]
    for category in ("food", "drink"):
        masks.choose(Filter(any_categories=(category,)), ())
    assert masks.choose(chosen, ()) is not second
    assert masks.choose(Filter(deny=("jam",)), ()) is None


@settings(deadline=None)  # the first call compiles
@given(
    categories=st.lists(st.sampled_from(["food", "drink", "dairy", "sweet"]), max_size=3),
    required=st.lists(st.sampled_from(["food", "drink", "dairy", "sweet"]), max_size=2),
    low=st.none() | st.integers(0, 10_000_000),
    high=st.none() | st.integers(0, 10_000_000),
    deny=st.lists(st.sampled_from([item.item for item in ITEMS])),
)
def test_filters_agree_with_asking_every_item(categories, required, low, high, deny):
    chosen = Filter(tuple(categories), tuple(required), (), low, high, True, None, tuple(deny))

    def passes(item: Item) -> bool:
        priced = item.price is not None
        return (
            (not categories or any(one in item.categories for one in categories))
            and all(one in item.categories for one in required)
            and (low is None or (priced and item.price >= low))
            and (high is None or (priced and item.price <= high))
            and item.item not in deny
        )

    found = passing(shop_desk().catalogue, chosen)
    assert found == {item.item for item in ITEMS if passes(item)}
