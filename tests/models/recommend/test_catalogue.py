import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.ids import hash64
from domain.items import Item
from models.recommend.catalogue import CODES, NO_PRICE, Catalogue, token

NOW = 1_000
NAMES = st.sampled_from([f"i{n}" for n in range(8)])
VALUES = st.sampled_from(["red", "1", 1, 1.5, True, False, ["red", "blue"], -3])
MADE = st.builds(
    Item,
    item=NAMES,
    categories=st.lists(st.sampled_from("abc"), unique=True).map(tuple),
    attributes=st.dictionaries(st.sampled_from(["colour", "size"]), VALUES, max_size=2),
    price=st.none() | st.integers(0, 5),
    available=st.booleans(),
    hidden=st.booleans(),
    expires_at=st.none() | st.integers(NOW - 2, NOW + 2),
    created_at=st.integers(0, 3),
)


def has_value(item: Item, name: str, key: str) -> bool:
    value = item.attributes.get(name)
    if value is None:
        return False
    return key in [token(one) for one in (value if isinstance(value, list) else [value])]


def number_within(item: Item, name: str, low: float, high: float) -> bool:
    value = item.attributes.get(name)
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


@settings(deadline=None)  # the first call compiles
@given(st.lists(MADE | NAMES, max_size=40), st.integers(0, 4))
def test_changes_one_by_one_give_what_the_items_say(changes, known):
    learned = [f"i{n}" for n in range(known)]
    catalogue, held, gone = Catalogue(learned), {}, set()
    for change in changes:
        if isinstance(change, str):
            gone.add(change)
            held.pop(change, None)
            catalogue.delete(change)
        else:
            catalogue.put(change)
            held[change.item] = change
            gone.discard(change.item)
    ids = catalogue.ids
    assert ids[:known] == learned
    assert catalogue.size == len(ids) == len(set(ids))
    assert catalogue.indices(np.array([hash64(i) for i in ids], np.uint64)).tolist() == list(
        range(len(ids))
    )
    assert set(catalogue.deleted()) == gone
    for moment in (NOW - 5, NOW, NOW + 1, NOW):
        live = {ids[row] for row in np.flatnonzero(catalogue.live(moment))}
        unlisted = set(learned) - set(held) - gone
        assert live == unlisted | {i for i, item in held.items() if item.is_live(moment)}
    sold_out = {ids[row] for row in np.flatnonzero(catalogue.live(NOW, available=False))}
    assert sold_out == {
        i
        for i, item in held.items()
        if not item.available
        and not item.hidden
        and (item.expires_at is None or item.expires_at > NOW)
    }
    check_indexes(catalogue, held)


def check_indexes(catalogue: Catalogue, held: dict[str, Item]) -> None:
    def names(rows) -> list[str]:
        return sorted(catalogue.ids[row] for row in rows)

    for category in "abc":
        assert names(catalogue.in_category(category)) == sorted(
            i for i, item in held.items() if category in item.categories
        )
    for name in ("colour", "size"):
        for key in ("t:red", "t:1", "n:1.0", "b:true", "b:false", "n:-3.0"):
            assert names(catalogue.with_value(name, key)) == sorted(
                i for i, item in held.items() if has_value(item, name, key)
            )
        assert names(catalogue.with_number(name, -3, 1.2)) == sorted(
            i for i, item in held.items() if number_within(item, name, -3, 1.2)
        )
    for row, one in enumerate(catalogue.ids):
        price = held[one].price if one in held else None
        assert catalogue.prices[row] == (NO_PRICE if price is None else price)
    listed = [row for row, one in enumerate(catalogue.ids) if one in held]
    listed.sort(key=lambda row: (-held[catalogue.ids[row]].created_at, row))
    unlisted = [row for row, one in enumerate(catalogue.ids) if one not in held]
    order = np.argsort(-catalogue.recency(), kind="stable").tolist()
    assert order == listed + unlisted


def test_true_one_and_the_text_one_are_three_values():
    assert len({token(True), token(1), token("1")}) == 3
    assert token(1) == token(1.0)


def test_what_is_kept_follows_the_clock_in_both_directions():
    catalogue = Catalogue()
    catalogue.put(Item("brief", expires_at=NOW))
    catalogue.put(Item("lasting"))
    assert catalogue.live(NOW - 1).tolist() == [True, True]
    assert catalogue.live(NOW).tolist() == [False, True]
    assert catalogue.live(NOW - 1).tolist() == [True, True]


def test_what_is_kept_is_kept_while_nothing_changes():
    catalogue = Catalogue(["a"])
    assert catalogue.live(NOW) is catalogue.live(NOW + 1)
    catalogue.put(Item("a", hidden=True))
    assert not catalogue.live(NOW).any()


def test_items_of_the_log_are_recommendable_and_unlisted():
    catalogue = Catalogue(["old"])
    catalogue.put(Item("gone"))
    catalogue.delete("gone")
    catalogue.note(["met", "old", "gone"])
    assert [catalogue.ids[row] for row in np.flatnonzero(catalogue.live(NOW))] == ["old", "met"]
    assert not catalogue.listed[catalogue.index("met")]
    assert catalogue.title(catalogue.index("met")) == "met"
    assert catalogue.retired == 1


def test_category_codes_are_shared_and_bounded():
    catalogue = Catalogue()
    catalogue.put(Item("a", categories=("x", "y")))
    catalogue.put(Item("b", categories=(*(f"c{n}" for n in range(20)), "x")))
    catalogue.put(Item("c", categories=("y",)))
    assert catalogue.codes.shape == (3, CODES)
    assert catalogue.codes[0, 1] == catalogue.codes[2, 0]
    assert (catalogue.codes[1] >= 0).all()


def test_a_hundred_thousand_items_and_one_more_change():
    catalogue = Catalogue()
    for number in range(100_000):
        catalogue.put(Item(f"i{number}", categories=(f"c{number % 50}",), price=number))
    assert catalogue.size == 100_000
    assert catalogue.in_category("c7").size == 2_000
    before = catalogue.live(NOW)
    catalogue.put(Item("i5", available=False))
    after = catalogue.live(NOW)
    assert np.flatnonzero(before != after).tolist() == [5]
