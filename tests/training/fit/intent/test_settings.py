"""Settings of intent: what may be chosen, and what makes no sense."""

from dataclasses import replace
from typing import Any

import pytest

from domain.clock import DAY_MS
from domain.errors import ScientistError
from training.fit.intent.network import NetworkSettings
from training.fit.intent.settings import IntentSettings

NOW = 1_700_000_000_000


def test_the_networks_defaults_are_the_same_in_both_places() -> None:
    assert IntentSettings().network() == NetworkSettings()


def test_the_network_gets_what_was_chosen() -> None:
    assert replace(IntentSettings(), core="gru", width=16).network().core == "gru"
    assert replace(IntentSettings(), width=16).network().width == 16


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("target", "refund"),
        ("champion", "oracle"),
        ("core", "rnn"),
        ("horizon_hours", -1.0),
        ("horizon_hours", 1e9),
        ("test_share", 0.9),
        ("valid_share", 0.0),
        ("width", 30),
        ("width", 0),
        ("layers", 0),
        ("heads", 0),
        ("dropout", 1.0),
        ("rate", 0.0),
        ("decay", -0.1),
        ("patience", 0),
        ("epochs", 0),
        ("horizon_hours", float("nan")),
    ],
)
def test_what_makes_no_sense_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ScientistError, match=name):
        IntentSettings(**{name: value})


def test_without_as_of_everything_in_the_log_is_known() -> None:
    assert IntentSettings().until(NOW - DAY_MS, NOW) == NOW - DAY_MS + 1
    assert IntentSettings().until(NOW + DAY_MS, NOW) == NOW


def test_as_of_is_a_time() -> None:
    assert IntentSettings(as_of="2023-01-01").until(NOW, NOW) == 1_672_531_200_000


@pytest.mark.parametrize("text", ["2100-01-01", "soon"])
def test_a_time_to_come_or_no_time_is_refused(text: str) -> None:
    with pytest.raises(ScientistError, match="as_of"):
        IntentSettings(as_of=text).until(NOW, NOW)
