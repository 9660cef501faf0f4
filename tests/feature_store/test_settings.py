from pathlib import Path

import pytest

from domain.errors import OperatorError
from feature_store.settings import Home, fsync_from_env, settings_from_env
from feature_store.store import StoreSettings


def test_an_empty_environment_gives_the_defaults() -> None:
    assert settings_from_env({}) == (StoreSettings(), Home(Path("var")), None)
    assert fsync_from_env({}) == "always"


def test_every_variable_is_read() -> None:
    settings, home, url = settings_from_env(
        {
            "SANDERLING_HOME": "/data/sd",
            "REDIS_URL": "redis://h",
            "SANDERLING_CURRENCY": "SEK",
            "SANDERLING_HISTORY_CAP": "100",
            "SANDERLING_BUCKETS": "8",
        }
    )
    assert settings == StoreSettings(buckets=8, history_cap=100, house_currency="SEK")
    assert (home.root, url) == (Path("/data/sd"), "redis://h")
    assert fsync_from_env({"SANDERLING_FSYNC": "everysec"}) == "everysec"


def test_blank_means_unset() -> None:
    blank = {"REDIS_URL": " ", "SANDERLING_BUCKETS": "", "SANDERLING_HOME": ""}
    assert settings_from_env(blank) == settings_from_env({})


def test_the_process_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANDERLING_BUCKETS", "16")
    monkeypatch.setenv("SANDERLING_FSYNC", "everysec")
    assert settings_from_env()[0].buckets == 16
    assert fsync_from_env() == "everysec"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("SANDERLING_BUCKETS", "0"),
        ("SANDERLING_BUCKETS", "many"),
        ("SANDERLING_BUCKETS", "5000"),
        ("SANDERLING_BUCKETS", "²"),
        ("SANDERLING_HISTORY_CAP", "-1"),
        ("SANDERLING_CURRENCY", "euro"),
    ],
)
def test_a_bad_value_is_refused_by_name(name: str, text: str) -> None:
    with pytest.raises(OperatorError, match=name):
        settings_from_env({name: text})


def test_a_bad_fsync_is_refused() -> None:
    with pytest.raises(OperatorError, match="SANDERLING_FSYNC"):
        fsync_from_env({"SANDERLING_FSYNC": "no"})


def test_everything_lives_under_one_directory() -> None:
    home = Home(Path("/h"))
    places = [home.valkey, home.log, home.decisions, home.bundles, home.mlflow]
    places += [home.sweeps, home.notices]
    assert len(set(places)) == 7
    assert all(place.parent == home.root for place in places)
