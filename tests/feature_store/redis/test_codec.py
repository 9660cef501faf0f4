import json

from hypothesis import given
from hypothesis import strategies as st

from domain.decisions import Decision
from domain.items import Item
from domain.users import Profile
from feature_store.redis.codec import (
    decisions_from_json,
    decisions_to_json,
    item_from_json,
    item_to_json,
    profile_from_json,
    profile_to_json,
)

texts = st.text(max_size=8)
values = texts | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.lists(texts)
attributes = st.dictionaries(texts, values, max_size=4)
times = st.integers(0, 2**45)


@given(
    st.builds(
        Item,
        item=texts,
        title=texts,
        categories=st.lists(texts, max_size=3).map(tuple),
        attributes=attributes,
        price=st.none() | st.integers(0, 10**15),
        available=st.booleans(),
        hidden=st.booleans(),
        expires_at=st.none() | times,
        created_at=times,
    )
)
def test_items_survive(item: Item) -> None:
    assert item_from_json(item.item, item_to_json(item)) == item


def test_a_bare_item_is_two_bytes() -> None:
    assert item_to_json(Item("a")) == b"{}"


@given(
    st.builds(
        Profile,
        attributes=attributes,
        consent=st.dictionaries(texts, st.booleans()),
        test=st.booleans(),
        updated_at=times,
    )
)
def test_profiles_survive(profile: Profile) -> None:
    assert profile_from_json(profile_to_json(profile)) == profile


def test_decisions_survive() -> None:
    made = [
        Decision(
            "d", 1, "recommend", "uada", "m", 2, ("a", "ö"), (0.1, 0.25), (1.0, 1.0), "popular"
        ),
        Decision("e", 1, "recommend", "", "m", 2, (), (), ()),
    ]
    assert decisions_from_json(decisions_to_json(made)) == made
    assert isinstance(json.loads(decisions_to_json(made)), list)
