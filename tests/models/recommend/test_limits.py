from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from domain.items import Item
from models.recommend.catalogue import Catalogue
from models.recommend.controls import Cap
from models.recommend.limits import Limits


def catalogue_of(*items: Item) -> Catalogue:
    catalogue = Catalogue(("unlisted",))
    for item in items:
        catalogue.put(item)
    return catalogue


SHOP = catalogue_of(
    Item("a", categories=("x",), attributes={"seller": "s", "tags": ["p", "q"]}),
    Item("b", categories=("x", "y"), attributes={"seller": "s"}),
    Item("c", categories=("y",), attributes={"seller": "t", "tags": ["q"]}),
    Item("d", attributes={"seller": True}),
    Item("e", categories=("x", "x")),
)


def admitted(caps: tuple[Cap, ...], ids: str, need: int = 9) -> tuple[str, bool]:
    rows = np.array([SHOP.index(one) for one in ids], np.int32)
    kept, passed = Limits(SHOP, caps).admit(rows, need)
    return "".join(ids[place] for place in kept), passed


def test_the_best_come_first_and_a_full_value_passes_over():
    assert admitted((Cap("category", 1),), "abcde") == ("acd", True)
    assert admitted((Cap("category", 1),), "bacde") == ("bd", True)
    assert admitted((Cap("attributes.seller", 1),), "abcde") == ("acde", True)
    assert admitted((Cap("attributes.tags", 1),), "abc") == ("ab", True)
    assert admitted((Cap("category", 2), Cap("attributes.seller", 1)), "abcde") == ("acde", True)
    assert admitted((Cap("attributes.size", 1),), "abcde") == ("abcde", False)


def test_a_category_named_twice_counts_once():
    assert admitted((Cap("category", 2),), "ea") == ("ea", False)


def test_no_more_than_needed():
    assert admitted((Cap("category", 2),), "abcde", need=2) == ("ab", False)


def test_an_item_the_catalogue_does_not_list_is_never_passed_over():
    limits = Limits(SHOP, (Cap("category", 1),))
    rows = np.array([SHOP.index("unlisted")] * 3, np.int32)
    assert limits.admit(rows, 9) == ([0, 1, 2], False)


def test_what_is_full_is_no_longer_allowed():
    limits = Limits(SHOP, (Cap("category", 2), Cap("attributes.seller", 2)))
    allowed = np.ones(SHOP.size, np.bool_)
    limits.place(SHOP.index("a"))
    limits.close(allowed)
    assert allowed.all()
    limits.place(SHOP.index("b"))
    limits.close(allowed)
    assert {SHOP.ids[row] for row in np.flatnonzero(allowed)} == {"unlisted", "c", "d"}
    assert limits.passed_over == 0


@given(
    st.lists(st.tuples(st.lists(st.sampled_from("xyz"), max_size=3), st.sampled_from("st"))),
    st.integers(1, 4), st.integers(1, 4),
)  # fmt: skip
def test_no_value_holds_more_than_its_cap_and_none_is_passed_over_for_nothing(kinds, most, few):
    items = [
        Item(str(n), categories=tuple(dict.fromkeys(held)), attributes={"seller": seller})
        for n, (held, seller) in enumerate(kinds)
    ]
    catalogue = catalogue_of(*items)
    caps = (Cap("category", most), Cap("attributes.seller", few))
    rows = np.array([catalogue.index(item.item) for item in items], np.int32)
    kept, passed = Limits(catalogue, caps).admit(rows, len(items))
    assert passed == (len(kept) < len(items))
    counts: Counter[str] = Counter()
    for place, item in enumerate(items):
        values = [*item.categories, item.attributes["seller"]]
        room = all(counts[value] < (few if value in "st" else most) for value in values)
        assert (place in kept) == room
        if room:
            counts.update(values)
