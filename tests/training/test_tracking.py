"""The record in a real MLflow: complete, no pickle, no second copy, and no call home."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from mlflow import MlflowClient

from domain.errors import OperatorError
from models.bundle import Metric
from training.tracking import CHALLENGER, CHAMPION, Tracking, flat

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def client(tracking) -> MlflowClient:
    return MlflowClient(tracking.uri)


def test_a_fit_is_kept_with_all_that_makes_it_repeatable(tracking, client, add_toy, tmp_path):
    bundle = add_toy(0.5)
    plot = tmp_path / "metrics.png"
    plot.write_bytes(b"png")
    run = client.get_run(tracking.log_fit(bundle, "log", {"metrics": plot}))
    assert run.info.status == "FINISHED"
    assert run.data.params["settings.graph.window"] == "5"
    assert run.data.params["model.members.graph.weight"] == "0.7"
    assert run.data.metrics["ndcg_at_10"] == 0.5
    assert run.data.metrics["ndcg_at_10_low"] == 0.49
    assert run.data.metrics["popularity_ndcg_at_10_high"] == 0.21
    assert run.data.tags["bundle"] == bundle.version
    assert run.data.tags["mlflow.source.git.commit"] == "c0ffee"
    assert run.data.tags["view.rfm"] == "0a1b"
    assert run.data.tags["data.split.kind"] == "time"
    dataset = run.inputs.dataset_inputs[0].dataset
    assert dataset.digest == "f00d"
    profile = json.loads(dataset.profile)
    assert (profile["first_at"], profile["split"]["kind"]) == (1_699_999_999_990, "time")


def test_artifacts_hold_card_data_signature_and_plots_but_not_the_arrays_again(
    tracking, client, add_toy, tmp_path
):
    bundle = add_toy(0.5)
    plot = tmp_path / "metrics.png"
    plot.write_bytes(b"png")
    run_id = tracking.log_fit(bundle, "log", {"metrics": plot})
    names = {found.path for found in client.list_artifacts(run_id)}
    assert names == {"manifest.json", "card.md", "dataset.json", "feature_signature.json", "plots"}
    assert [found.path for found in client.list_artifacts(run_id, "plots")] == ["plots/metrics.png"]
    kept = [path for path in (tmp_path / "mlflow").rglob("*") if path.is_file()]
    assert not [path for path in kept if path.suffix in (".npy", ".pkl", ".pickle", ".joblib")]
    assert not (ROOT / "mlruns").exists()


def test_a_registered_version_names_the_bundle_and_carries_its_card(tracking, client, add_toy):
    bundle = add_toy(0.5)
    run_id = tracking.log_fit(bundle, "log", {})
    tracked = tracking.versions("toy")[bundle.version]
    assert tracked.run_id == run_id
    version = client.get_model_version("sanderling-toy", tracked.number)
    assert Path(version.source) == bundle.path
    assert version.description.startswith("# Toy 0.5")


def test_more_settings_and_a_longer_card_than_mlflow_takes_at_once_are_kept(
    tracking, client, add_toy
):
    many = {f"setting{n}": "x" * 900 for n in range(250)}
    bundle = add_toy(0.5, settings=many, texts={"card.md": "# Toy\n" + "y" * 9_000})
    run = client.get_run(tracking.log_fit(bundle, "log", {}))
    assert run.data.params["settings.setting249"] == "x" * 500
    number = tracking.versions("toy")[bundle.version].number
    assert len(client.get_model_version("sanderling-toy", number).description) == 5_000


def test_names_that_mlflow_would_refuse_are_kept_under_others(tracking, client, add_toy):
    bands = {"year=": 3, "../up": 4, "größe": 5, "x" * 400: 6}
    bundle = add_toy(0.5, settings={"fit": {}, "bands": bands})
    params = client.get_run(tracking.log_fit(bundle, "log", {})).data.params
    assert params["settings.bands.year_"] == "3"
    assert params["settings.bands..._up"] == "4"
    assert params["settings.bands.größe"] == "5"
    assert "6" in params.values()


def test_recording_the_same_bundle_twice_changes_nothing(tracking, add_toy):
    bundle = add_toy(0.5)
    assert tracking.log_fit(bundle, "log", {}) == tracking.log_fit(bundle, "log", {})
    assert len(tracking.versions("toy")) == 1


def test_aliases_move_and_a_champion_is_no_challenger(tracking, add_toy):
    first, second = add_toy(0.5).version, add_toy(0.6, 1)
    tracking.log_fit(add_toy(0.5), "log", {})
    tracking.log_fit(second, "log", {})
    tracking.set_alias("toy", first, CHALLENGER)
    tracking.set_alias("toy", first, CHAMPION)
    tracking.set_alias("toy", second.version, CHALLENGER)
    found = {version: kept.aliases for version, kept in tracking.versions("toy").items()}
    assert found == {first: (CHAMPION,), second.version: (CHALLENGER,)}
    tracking.set_alias("toy", second.version, CHAMPION)
    tracking.set_alias("toy", second.version, CHAMPION)
    found = {version: kept.aliases for version, kept in tracking.versions("toy").items()}
    assert found == {first: (), second.version: (CHAMPION,)}


def test_an_alias_for_a_bundle_never_recorded_is_refused(tracking):
    with pytest.raises(OperatorError, match="no record"):
        tracking.set_alias("toy", "20200101-000000-000000000000", CHAMPION)


def test_an_evaluation_joins_the_run_of_its_bundle(tracking, client, add_toy):
    bundle = add_toy(0.5)
    run_id = tracking.log_fit(bundle, "log", {})
    tracking.log_evaluation(bundle, "later", {"ndcg_at_10": Metric(0.4, 0.3, 0.5)})
    metrics = client.get_run(run_id).data.metrics
    assert metrics["later.ndcg_at_10_low"] == 0.3
    tracking.log_evaluation(add_toy(0.9, 9), "later", {"ndcg_at_10": Metric(1, 1, 1)})


def test_cleared_bundles_are_marked(tracking, client, add_toy):
    bundle = add_toy(0.5)
    tracking.log_fit(bundle, "log", {})
    tracking.mark_cleared("toy", [bundle.version])
    number = tracking.versions("toy")[bundle.version].number
    assert client.get_model_version("sanderling-toy", number).tags["cleared"] == "true"


def test_a_run_that_cannot_be_kept_is_marked_failed(tracking, client, add_toy, tmp_path):
    bundle = add_toy(0.5)
    with pytest.raises(OperatorError, match="MLFLOW_TRACKING_URI"):
        tracking.log_fit(bundle, "log", {"metrics": tmp_path / "absent.png"})
    experiment = client.get_experiment_by_name("sanderling/toy")
    assert [run.info.status for run in client.search_runs([experiment.experiment_id])] == ["FAILED"]
    assert tracking.versions("toy") == {}


def test_a_server_that_does_not_answer_is_the_operators_to_mend(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(OperatorError, match=r"MLflow \(http\) failed"):
        Tracking(tmp_path, "http://user:hush@127.0.0.1:9").versions("toy")


def test_secrets_of_the_address_are_not_shown(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(OperatorError) as caught:
        Tracking(tmp_path, "http://user:hush@127.0.0.1:9").versions("toy")
    assert "hush" not in str(caught.value)


def test_nested_values_become_dotted_names():
    assert flat({"a": {"b": 1, "c": [1, 2]}, "d": "x" * 600}) == {
        "a.b": "1",
        "a.c": "[1, 2]",
        "d": "x" * 500,
    }


CALLS = """
import sys
calls = []
def hook(event, args):
    if event in ("socket.getaddrinfo", "socket.gethostbyname"):
        calls.append((event, args[0]))
    elif event == "socket.connect" and isinstance(args[1], tuple):
        calls.append((event, args[1]))
sys.addaudithook(hook)
sys.path.insert(0, {tests!r})
from pathlib import Path
from conftest import toy_draft
from models.bundle import write_bundle
from training.tracking import Tracking
home = Path(sys.argv[1])
tracking = Tracking(home / "mlflow")
bundle = write_bundle(home / "bundles", toy_draft(0.5))
tracking.log_fit(bundle, "log", dict())
tracking.set_alias("toy", bundle.version, "champion")
print(calls)
"""


def test_nothing_phones_home_and_nothing_is_printed_or_warned(tmp_path, mlflow_folder):
    # Without the variables by which mlflow knows a test or a build server and keeps silent anyway.
    quiet = (
        "PYTEST_CURRENT_TEST",
        "CI",
        "GITHUB_ACTIONS",
        "MLFLOW_DISABLE_TELEMETRY",
        "DO_NOT_TRACK",
    )
    environment = {name: value for name, value in os.environ.items() if name not in quiet}
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "error",
            "-c",
            CALLS.format(tests=str(Path(__file__).parent)),
            tmp_path,
        ],
        env=environment | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")
