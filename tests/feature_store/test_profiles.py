from domain.users import Profile
from feature_store.profiles import merge_profile

BEFORE = Profile({"city": "Oslo", "age": 3.0}, {"analytics": True}, True, 5)


def test_nothing_given_changes_the_time_alone() -> None:
    assert merge_profile(BEFORE, 9) == Profile(BEFORE.attributes, BEFORE.consent, True, 9)


def test_values_are_set_and_none_removes() -> None:
    after = merge_profile(
        BEFORE, 9, {"city": None, "new": ["a"], "absent": None}, {"advertising": False}, False
    )
    assert after.attributes == {"age": 3.0, "new": ["a"]}
    assert after.consent == {"analytics": True, "advertising": False}
    assert (after.test, after.updated_at) == (False, 9)


def test_the_profile_before_is_left_alone() -> None:
    merge_profile(BEFORE, 9, {"city": None}, {"analytics": None})
    assert BEFORE.attributes["city"] == "Oslo"
    assert BEFORE.consent == {"analytics": True}
