"""Settings of learning from recommendations: the usual ones, and what is not understood."""

import pytest

from models.bandits.policies import Epsilon, LinUCB
from service.recommend_settings import RecommendSettings, recommend_settings_from_env


def test_nothing_said_is_the_usual() -> None:
    assert recommend_settings_from_env({}) == RecommendSettings()
    assert RecommendSettings().share == 0.05


def test_everything_may_be_said() -> None:
    found = recommend_settings_from_env(
        {
            "SANDERLING_RECOMMEND_POLICY": "linucb alpha=0.3 floor=0.02",
            "SANDERLING_EXPLORE": "0.1",
            "SANDERLING_PURCHASE_REWARD": "8",
            "SANDERLING_REWARD_HOURS": "24",
            "SANDERLING_RECOMMEND_HALF_LIFE": "3",
        }
    )
    assert found.policy == LinUCB(0.3, 0.02)
    assert (found.share, found.purchase) == (0.1, 8.0)
    assert (found.window_ms, found.half_life_ms) == (86_400_000, 3 * 86_400_000)
    off = recommend_settings_from_env({"SANDERLING_RECOMMEND_POLICY": "off"})
    assert off.policy == Epsilon(0.0)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("SANDERLING_EXPLORE", "0.9"),
        ("SANDERLING_EXPLORE", "some"),
        ("SANDERLING_PURCHASE_REWARD", "-1"),
        ("SANDERLING_REWARD_HOURS", "nan"),
        ("SANDERLING_REWARD_HOURS", "0"),
        ("SANDERLING_RECOMMEND_POLICY", "luck"),
    ],
)
def test_what_cannot_be_understood_is_named(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=name):
        recommend_settings_from_env({name: text})
