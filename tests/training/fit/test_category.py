from itertools import pairwise

import numpy as np
import pytest

from domain.clock import DAY_MS
from domain.items import Item
from tests.models.recommend.small import past_of
from tests.training.worlds import START, full_of_rows
from training.fit.category import fit_category, kinds_of
from training.fit.facts import ItemFacts

PARAMS = {"half_life_days": None, "power": 1.0, "edges": 100, "decay": 0.9}
ROWS = [("a", "x", 0), ("a", "x", 10), ("a", "y", 10), ("b", "z", 10), ("b", "w", 0)]


def facts(**kinds):
    """Facts of x, y, z, w: a word a category, those not named are not in the catalogue."""
    return ItemFacts(
        tuple(
            Item(item, categories=tuple(kinds[item].split())) if item in kinds else None
            for item in "xyzw"
        )
    )


def fitted(about, **params):
    full, items = full_of_rows(ROWS)
    assert items == list("xyzw")
    return fit_category(full, about, START + 10 * DAY_MS, {**PARAMS, **params})


def shares(member):
    offsets, items, found = member.holds
    return [
        {"xyzw"[i]: pytest.approx(share) for i, share in zip(items[a:b], found[a:b], strict=True)}
        for a, b in pairwise(offsets)
    ]


def test_shares_are_of_what_is_wanted_within_a_category():
    member = fitted(facts(x="fruit red", y="fruit", z="fruit", w="red"))
    fruit, red = shares(member)
    assert fruit == {"x": 2.01 / 4.03, "y": 1.01 / 4.03, "z": 1.01 / 4.03}
    assert red == {"x": 2.01 / 3.02, "w": 1.01 / 3.02}
    assert member.belongs[0].tolist() == [0, 2, 3, 4, 5]
    assert member.belongs[1].tolist() == [0, 1, 0, 0, 1]


def test_what_was_wanted_long_ago_counts_less():
    (red,) = shares(fitted(facts(x="red", w="red"), half_life_days=10.0))
    assert red == {"x": 1.51 / 2.02, "w": 0.51 / 2.02}
    (flat,) = shares(fitted(facts(x="red", w="red"), power=0.0))
    assert flat == {"x": 0.5, "w": 0.5}


def test_only_the_most_wanted_are_listed_and_their_shares_stay():
    about = facts(x="fruit", y="fruit", z="fruit")
    (fruit,) = shares(fitted(about, edges=1))
    assert fruit == {"x": 2.01 / 4.03}
    (two,) = shares(fitted(about, edges=2))
    assert two.keys() == {"x", "y"}


def test_tags_take_the_place_of_categories_when_there_are_none():
    tagged = [
        Item(f"i{n}", attributes={"tags": ["all", f"t{n % 3}", f"own{n}"]}) for n in range(30)
    ]
    about = ItemFacts(tuple(tagged))
    # One tag is on all of them, one on each alone: neither tells items apart usefully.
    assert kinds_of(about, 30)[4] == ["tags=t:t1"]
    assert kinds_of(facts(x="fruit"), 4)[0] == ("fruit",)


@pytest.mark.parametrize("about", [None, ItemFacts((None,) * 4)])
def test_without_a_catalogue_the_member_is_silent(about):
    member = fitted(about)
    out = np.ones(4, np.float32)
    assert member.belongs[0].tolist() == [0] * 5
    member.score(past_of([0, 1]), out)
    assert not out.any()
