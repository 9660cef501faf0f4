"""Traits: what is shared, and by whom."""

import numpy as np

from domain.items import Item
from training.fit.facts import ItemFacts
from training.fit.sequence.traits import LEAST, bags_of


def facts(n=40):
    """Every other item in one category; a brand of three; a word in all titles, one in some."""
    return ItemFacts(
        tuple(
            Item(
                item=f"i{i}",
                title="shoe red" if i < 10 else "shoe",
                categories=("even",) if i % 2 == 0 else (),
                attributes={"brand": "rare"} if i < 3 else {"size": ["s", "m"][i % 2]},
            )
            for i in range(n)
        )
    )


def test_what_some_items_share_is_a_trait():
    bags = bags_of(facts())
    assert bags is not None
    # The category, the word of ten titles and the two sizes.
    assert bags.count == 4
    assert bags.offsets.tolist()[0] == 0
    assert len(bags.offsets) == 41
    sizes = np.diff(bags.offsets)
    assert sizes[0] == 2
    assert sizes[11] == 1


def test_the_bags_of_chosen_items_are_theirs():
    bags = bags_of(facts())
    assert bags is not None
    chosen = np.array([5, 0, 39, 5])
    ids, starts = bags.of(chosen)
    parts = np.split(ids, starts[1:])
    for item, part in zip(chosen, parts, strict=True):
        wanted = bags.ids[bags.offsets[item] : bags.offsets[item + 1]]
        assert part.tolist() == wanted.tolist()


def test_items_without_traits_have_empty_bags():
    nothing = (None,) * 5
    bags = bags_of(ItemFacts(facts().items + nothing))
    assert bags is not None
    ids, starts = bags.of(np.array([41, 0, 44]))
    assert starts.tolist() == [0, 0, 2]
    assert len(ids) == 2


def test_where_nothing_is_shared_there_are_no_bags():
    assert bags_of(ItemFacts((None,) * 20)) is None
    few = ItemFacts(facts().items[: LEAST - 1])
    assert bags_of(few) is None


def test_the_mean_of_a_trait_is_over_its_items_that_are_heard_of():
    bags = bags_of(facts())
    assert bags is not None
    vectors = np.random.default_rng(0).normal(0, 1, (40, 3)).astype(np.float32)
    heard = np.arange(40) < 30
    found = bags.means(vectors, heard)
    for trait in range(bags.count):
        mine = [i for i in range(30) if trait in bags.ids[bags.offsets[i] : bags.offsets[i + 1]]]
        np.testing.assert_allclose(found[trait], vectors[mine].mean(axis=0), atol=1e-5)
    assert not bags.means(vectors, np.zeros(40, bool)).any()
