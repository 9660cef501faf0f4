"""`fit` from the real store's stream to a challenger that is on disk and on record."""

import json

import numpy as np
import pytest

from domain.errors import ScientistError
from models.bundle import CHALLENGER, open_bundle, point, read_pointer
from models.families import load_scorer
from training.cli import main
from training.cli_fit import chosen_settings
from training.tracking import Tracking

KNOWN = {"split": "auto", "test_share": 0.1, "rounds": 1000, "members": None, "fixed": {}}


def test_a_fit_leaves_a_challenger_that_answers_and_is_recorded(walked):
    family = walked.bundles / "recommend"
    pointer = read_pointer(family, CHALLENGER)
    bundle = open_bundle(family / pointer.version)
    manifest = bundle.manifest
    assert load_scorer(bundle).items[:2] == ("item00", "item01")
    assert manifest.data.events == 60 * 14
    assert manifest.data.first_at < manifest.data.last_at
    assert len(manifest.data.digest) == 64
    assert manifest.data.split["kind"] == "time"
    assert manifest.metrics["ndcg_at_10"].value > manifest.metrics["popularity_ndcg_at_10"].value
    assert manifest.settings["fit"]["min_cases"] == 10
    assert "# Recommender" in (bundle.path / "card.md").read_text()
    assert read_pointer(family) is None
    tracked = Tracking(walked.mlflow).versions("recommend")[bundle.version]
    assert tracked.aliases == ("challenger",)


def test_the_record_holds_the_pictures(walked):
    from mlflow import MlflowClient

    tracking = Tracking(walked.mlflow)
    (tracked,) = tracking.versions("recommend").values()
    names = {
        found.path for found in MlflowClient(tracking.uri).list_artifacts(tracked.run_id, "plots")
    }
    assert {"plots/members.png", "plots/weights.png", "plots/coverage.png"} <= names


def test_the_same_log_gives_the_same_data_digest_and_model(walked, capsys):
    family = walked.bundles / "recommend"
    first = open_bundle(family / read_pointer(family, CHALLENGER).version)
    graph = 'members=["popularity", "graph"]'
    assert main(["fit", "--no-drain", "--set", graph, "--set", "min_cases=10"]) == 0
    shown = capsys.readouterr().out
    second = open_bundle(family / read_pointer(family, CHALLENGER).version)
    assert second.version in shown
    assert second.version > first.version
    assert second.manifest.data == first.manifest.data
    assert second.manifest.metrics == first.manifest.metrics
    for name, array in first.arrays.items():
        np.testing.assert_array_equal(array, second.arrays[name])


def test_a_fit_begins_from_the_champion_and_carries_on_what_still_holds(walked, capsys):
    family = walked.bundles / "recommend"
    options = ["--no-drain", "--set", 'members=["popularity", "graph"]', "--set", "min_cases=10"]
    assert main(["fit", *options]) == 0
    first = open_bundle(family / read_pointer(family, CHALLENGER).version)
    assert first.manifest.settings["fit"]["last"] == {"params": {}, "alone": {}}
    assert "began from" not in capsys.readouterr().out
    point(family, first.version, 0)
    try:
        assert main(["fit", *options]) == 0
        shown = capsys.readouterr().out
        assert f"began from {first.version}; carried on: popularity, graph" in shown
        again = open_bundle(family / read_pointer(family, CHALLENGER).version).manifest.settings
        assert again["fit"]["last"]["version"] == first.version
        assert sorted(again["tuned"]["carried_on"]) == ["graph", "popularity"]
        assert again["tuned"]["graph.decay"] == first.manifest.settings["tuned"]["graph.decay"]
        assert main(["fit", *options, "--from", "nothing"]) == 0
        assert "began from" not in capsys.readouterr().out
    finally:
        (family / "current").unlink()
    assert main(["fit", *options, "--from", first.version]) == 0
    assert f"began from {first.version}" in capsys.readouterr().out
    assert main(["fit", *options, "--from", "20200101-000000-0123456789ab"]) == 4
    assert "to begin from" in capsys.readouterr().err


def test_a_budget_is_kept_and_what_it_cost_is_said(walked, capsys):
    options = ["--no-drain", "--set", 'members=["popularity", "graph"]', "--set", "min_cases=10"]
    assert main(["fit", *options, "--budget", "1s"]) == 0
    shown = capsys.readouterr().out
    assert "given up for the budget: tuning_scores" in shown
    assert " MB\n" in shown
    family = walked.bundles / "recommend"
    bundle = open_bundle(family / read_pointer(family, CHALLENGER).version)
    settings = bundle.manifest.settings
    assert settings["fit"]["budget_seconds"] == 1
    assert settings["cost"]["given_up"]
    assert settings["cost"]["peak_mb"] > 50
    shown = (bundle.path / "card.md").read_text()
    assert "- given up for the budget: tuning_scores" in shown
    assert f"- memory: {settings['cost']['peak_mb']:,} MB at most" in shown
    assert "s of 1 s\n" in shown
    # When it began means nothing to anybody else; what was kept for afterwards does.
    assert settings["fit"]["budget_since"] is None
    assert settings["fit"]["budget_after"] > 0


def test_a_budget_that_is_none_or_that_a_family_cannot_keep_is_refused(walked, capsys):
    assert main(["fit", "--no-drain", "--budget", "soon"]) == 4
    assert "like 90s" in capsys.readouterr().err
    assert main(["fit", "churn", "--no-drain", "--budget", "10m"]) == 4
    assert "no --budget" in capsys.readouterr().err


def test_an_empty_log_says_what_to_do(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SANDERLING_HOME", str(tmp_path))
    assert main(["fit", "--no-drain"]) == 4
    assert "training import" in capsys.readouterr().err


def test_settings_are_listed_with_their_defaults(capsys):
    assert main(["fit", "--settings"]) == 0
    lines = dict(line.split(" = ", 1) for line in capsys.readouterr().out.splitlines())
    assert json.loads(lines["split"]) == "auto"
    assert json.loads(lines["kind_weights"])["purchase"] == 1.0


def test_choices_are_json_or_words():
    words = ["split=time", "test_share=0.2", "rounds=5", 'members=["graph"]']
    assert chosen_settings(words, KNOWN) == {
        "split": "time",
        "test_share": 0.2,
        "rounds": 5,
        "members": ["graph"],
    }


@pytest.mark.parametrize(
    "word", ["nonsense=1", "split", "split=1", "rounds=many", "rounds=true", "fixed=[]", "=1"]
)
def test_a_choice_that_does_not_exist_is_refused(word):
    with pytest.raises(ScientistError):
        chosen_settings([word], KNOWN)


def test_a_refused_choice_ends_with_4_and_fits_nothing(walked, capsys):
    assert main(["fit", "--no-drain", "--set", "nonsense=1"]) == 4
    assert "one of: kind_weights" in capsys.readouterr().err


def test_options_of_single_settings_are_settings_of_the_family(capsys):
    words = ["fit", "uplift", "--table", "12", "--horizon-days", "7", "--settings"]
    assert main(words) == 0
    # Only the families that have a setting take its option.
    assert main(["fit", "churn", "--table", "trial.csv", "--settings"]) == 4
    assert "NAME one of" in capsys.readouterr().err


def test_a_fit_from_a_table_needs_neither_log_nor_store(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SANDERLING_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1")
    table = tmp_path / "trial.csv"
    table.write_text("treatment,outcome,age\n1,1,30\n0,0,40\n")
    assert main(["fit", "uplift", "--table", str(table)]) == 4
    assert "100 of either are needed" in capsys.readouterr().err
