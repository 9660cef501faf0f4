"""Settings come from the environment, or say which variable is wrong."""

import pytest

from service.settings import ServiceSettings, settings_from_env


def test_defaults() -> None:
    assert settings_from_env({}) == ServiceSettings(unanswered=True)


def test_consent_and_currency() -> None:
    settings = settings_from_env({"SANDERLING_CONSENT": "opt-in", "SANDERLING_CURRENCY": "EUR"})
    assert (settings.unanswered, settings.house_currency) == (False, "EUR")


def test_patience_is_a_sensible_number_of_seconds() -> None:
    assert settings_from_env({"SANDERLING_STORE_PATIENCE": "2.5"}).patience_s == 2.5
    assert settings_from_env({"SANDERLING_STORE_PATIENCE": ""}).patience_s == 0.75
    for wrong in ("soon", "0", "61", "nan", "-1", "1e9"):
        with pytest.raises(ValueError, match="SANDERLING_STORE_PATIENCE"):
            settings_from_env({"SANDERLING_STORE_PATIENCE": wrong})


def test_a_wrong_choice_is_named() -> None:
    with pytest.raises(ValueError, match="SANDERLING_CONSENT"):
        settings_from_env({"SANDERLING_CONSENT": "perhaps"})
