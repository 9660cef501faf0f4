"""Settings come from the environment, or say which variable is wrong."""

import pytest

from service.settings import ServiceSettings, settings_from_env


def test_defaults() -> None:
    assert settings_from_env({}) == ServiceSettings(unanswered=True)


def test_consent_and_currency() -> None:
    settings = settings_from_env({"SANDERLING_CONSENT": "opt-in", "SANDERLING_CURRENCY": "EUR"})
    assert (settings.unanswered, settings.house_currency) == (False, "EUR")


def test_a_wrong_choice_is_named() -> None:
    with pytest.raises(ValueError, match="SANDERLING_CONSENT"):
        settings_from_env({"SANDERLING_CONSENT": "perhaps"})
