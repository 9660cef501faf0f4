"""`models` tells disk from record, and where the two disagree."""

import json

from models.bundle import point, read_pointer
from training.cli import main
from training.cli_models import disagreement, rows_of
from training.tracking import Tracked


def test_versions_aliases_metrics_and_the_current_one_are_listed(walked, capsys):
    assert main(["models", "recommend"]) == 0
    (row,) = capsys.readouterr().out.splitlines()[1:]
    assert "challenger" in row
    assert "v1 challenger" in row
    assert main(["release"]) == 0
    capsys.readouterr()
    assert main(["models", "recommend"]) == 0
    (row,) = capsys.readouterr().out.splitlines()[1:]
    assert "current" in row
    assert "v1 champion" in row
    assert "1.0000 [1.0000, 1.0000]" in row


def test_every_family_is_listed_when_none_is_named(walked, capsys):
    assert main(["models"]) == 0
    shown = capsys.readouterr().out
    assert "recommend" in shown
    assert "churn: no model yet; `python -m training fit churn`" in shown


def test_the_list_is_json_for_programs(walked, capsys):
    assert main(["models", "--json", "--metric", "hr_at_10", "--no-mlflow"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["recommend"]
    assert row["state"] == ["challenger"]
    assert row["aliases"] == []
    assert 0 < row["metric"][1] <= row["metric"][0] <= row["metric"][2] <= 1


def test_a_record_that_lags_behind_is_pointed_out(walked, capsys):
    family = walked.bundles / "recommend"
    version = read_pointer(family, "challenger").version
    point(family, version, 0)
    assert main(["models"]) == 0
    assert f"`release recommend --version {version}`" in capsys.readouterr().out


def test_an_unreachable_record_does_not_hide_what_is_on_disk(walked, monkeypatch, capsys):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    assert main(["models"]) == 0
    shown = capsys.readouterr().out
    assert "note: MLflow (http) failed" in shown
    assert "challenger" in shown


def test_states_of_versions_that_are_gone_or_damaged(toy_family, add_toy):
    a, b, c = (add_toy(0.5, n).version for n in range(3))
    point(toy_family, a, 1)
    point(toy_family, b, 2)
    (toy_family / c / "manifest.json").write_text("{}")
    gone = Tracked("20200101-000000-000000000000", "9", "run", ("champion",))
    rows = rows_of(toy_family, {gone.version: gone}, "ndcg_at_10")
    assert [(row["version"], row["state"]) for row in rows] == [
        (c, ["damaged"]),
        (b, ["current"]),
        (a, ["previous"]),
        (gone.version, ["cleared"]),
    ]
    assert b in disagreement(rows, "toy")
    assert disagreement([], "toy") == ""
    assert "not on this machine" in disagreement(rows[-1:], "toy")
