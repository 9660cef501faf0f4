"""What a deployment chooses about learning, and what cannot be understood."""

import numpy as np
import pytest

from domain.currencies import REFERENCE
from models.bandits.policies import Epsilon, LinUCB, SquareCB, Thompson
from service.learning_settings import LearningSettings, learning_settings_from_env


def test_what_is_chosen_without_a_word() -> None:
    settings = learning_settings_from_env({})
    assert settings == LearningSettings()
    assert settings.policy == Thompson()
    assert settings.currency == "USD"
    assert settings.allowance.share == 0.05


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("thompson", Thompson()),
        ("thompson width=1", Thompson(1.0)),
        (" squarecb  scale=5 exponent=0.25 ", SquareCB(5.0, 0.25)),
        ("linucb alpha=2", LinUCB(2.0)),
        ("epsilon share=0.1", Epsilon(0.1)),
        ("off", Epsilon(0.0)),
    ],
)
def test_policies_are_named_with_their_numbers(text: str, policy: object) -> None:
    settings = learning_settings_from_env({"SANDERLING_BID_POLICY": text})
    assert settings.policy == policy
    assert settings.policy.numbers.shape == (5,)
    assert np.isfinite(settings.policy.numbers).all()


@pytest.mark.parametrize(
    "text",
    ["greedy", "thompson width", "thompson width=x", "thompson breadth=1", "off 1", "thompson 1=2",
     "thompson width=-1", "thompson floor=0.5", "epsilon share=2", "linucb alpha=nan"],
)  # fmt: skip
def test_what_is_no_policy_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="SANDERLING_BID_POLICY"):
        learning_settings_from_env({"SANDERLING_BID_POLICY": text})


def test_prices_are_compared_in_one_currency() -> None:
    settings = learning_settings_from_env({"SANDERLING_CURRENCY": "EUR"})
    assert settings.scale_of("EUR") == 1.0
    per_euro = REFERENCE.per_euro
    assert settings.scale_of("USD") == pytest.approx(1e6 / per_euro["USD"])
    assert settings.scale_of("XYZ") == settings.scale_of("") == 0.0
    odd = LearningSettings(currency="ABC")
    assert (odd.scale_of("ABC"), odd.scale_of("USD")) == (1.0, 0.0)
    usual = LearningSettings()
    assert usual.scale_of("EUR") * settings.scale_of("USD") == pytest.approx(1.0)
