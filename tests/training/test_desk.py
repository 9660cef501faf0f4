"""Where things lie, as the environment says."""

import argparse

import pytest

from domain.errors import TooLittleData
from training.desk import add_command, add_family, desk_from_env


def test_the_environment_names_the_deployment(monkeypatch, tmp_path):
    monkeypatch.setenv("SANDERLING_HOME", str(tmp_path))
    monkeypatch.setenv("REDIS_URL", "redis://somewhere")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    desk = desk_from_env()
    assert desk.family("toy") == tmp_path / "bundles" / "toy"
    assert desk.url == "redis://somewhere"
    assert desk.tracking.uri == f"sqlite:///{tmp_path / 'mlflow' / 'mlflow.db'}"
    assert not desk.tracking.remote


@pytest.mark.parametrize("uri", ["http://127.0.0.1:5000", "postgresql://somewhere/mlflow"])
def test_a_tracking_address_goes_before_the_file(monkeypatch, uri):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f" {uri} ")
    desk = desk_from_env()
    assert desk.tracking.uri == uri
    assert desk.tracking.remote == uri.startswith("http")


def test_a_fit_that_stands_on_a_table_needs_no_log(monkeypatch, tmp_path):
    monkeypatch.setenv("SANDERLING_HOME", str(tmp_path))
    desk = desk_from_env()
    log = desk.log({"table": "trial.csv"})
    assert (log.history.events, log.source) == (0, "trial.csv")
    for fit in (None, {}, {"table": ""}):
        with pytest.raises(TooLittleData, match="log is empty"):
            desk.log(fit)


def test_a_fit_that_stands_on_labels_needs_no_event(monkeypatch, tmp_path):
    monkeypatch.setenv("SANDERLING_HOME", str(tmp_path))
    desk = desk_from_env()
    assert desk.log({"label_set": "spring"}).history.events == 0
    assert desk.log(may_be_empty=True).history.events == 0


def test_a_command_knows_its_family_or_all():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command")
    add_family(add_command(commands, "one", "About one.\nMore.", "  example one"))
    add_family(add_command(commands, "all", "About all.", "  example all"), None)
    assert parser.parse_args(["one"]).family == "recommend"
    assert parser.parse_args(["all"]).family is None
    assert "example one" in commands.choices["one"].format_help()
    with pytest.raises(SystemExit):
        parser.parse_args(["one", "nobody"])
