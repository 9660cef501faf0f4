"""What an outcome is worth: the usual, what is said, and what cannot be understood."""

import pytest

from models.recommend.worth import Worth, number_from, worth_from_env


def test_nothing_said_is_the_usual() -> None:
    assert worth_from_env({}) == Worth() == Worth(1.0, 5.0, 7_200_000)
    assert worth_from_env({"SANDERLING_PURCHASE_REWARD": ""}) == Worth()


def test_both_may_be_said() -> None:
    env = {"SANDERLING_PURCHASE_REWARD": "8", "SANDERLING_REWARD_HOURS": "0.5"}
    assert worth_from_env(env) == Worth(1.0, 8.0, 1_800_000)


@pytest.mark.parametrize("text", ["nan", "inf", "-1", "1001", "five"])
def test_what_is_no_number_within_bounds_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="SANDERLING_PURCHASE_REWARD is a number from 0 to 1000"):
        worth_from_env({"SANDERLING_PURCHASE_REWARD": text})


def test_bounds_are_included() -> None:
    assert [number_from({"A": text}, "A", 2.0, 3.0, 1.0) for text in ("1", "3", "")] == [1, 3, 2]
