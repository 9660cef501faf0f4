"""From the real store to scores on disk: fit, record, evaluate, release, score, all by command."""

import asyncio
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from domain.events import Event, Kind
from feature_store.opening import open_store
from feature_store.settings import Home
from feature_store.store import StoreSettings
from models.bundle import CHALLENGER, CURRENT, open_bundle, read_pointer
from tests.training.leaving import at_day, leaving_shop
from training.cli import main

FAST = [
    "--horizon-days", "30", "--active-days", "90",
    *(word for setting in ("leaves=[4]", "trees=[30]", "penalties=[0.02]", "rounds=30",
                           "step_days=20", "hazard=true", "btyd=[]")
      for word in ("--set", setting)),
]  # fmt: skip


def _events() -> list[Event]:
    shop = leaving_shop(450, seed=11)
    out: list[Event] = []
    for place, name in enumerate(shop.entities):
        for record in shop.records[shop.offsets[place] : shop.offsets[place + 1]]:
            out.append(
                Event(
                    event_id=f"e{len(out)}",
                    entity=name,
                    kind=Kind.purchase,
                    at=int(record["at"]),
                    item=f"i{record['item']}",
                    value=int(record["value"]),
                )
            )
    return out


@pytest.fixture(scope="module")
def home(tmp_path_factory, mlflow_template):
    """A home whose log holds the leaving shop; a churn model is fitted, judged and released."""
    folder = tmp_path_factory.mktemp("leaving")
    (folder / "mlflow").mkdir()
    shutil.copy(mlflow_template, folder / "mlflow" / "mlflow.db")

    async def pour() -> None:
        store = await open_store(StoreSettings(buckets=4), Home(folder))
        try:
            await store.append(_events(), at_day(1000))
            for place in range(0, 450, 3):
                await store.patch_profile(
                    f"c{place}", at_day(1000), attributes={"plan": "ab"[place % 2]}
                )
        finally:
            await store.close()

    asyncio.run(pour())
    with pytest.MonkeyPatch.context() as patch:
        for name in ("REDIS_URL", "MLFLOW_TRACKING_URI"):
            patch.delenv(name, raising=False)
        patch.setenv("SANDERLING_BUCKETS", "4")
        patch.setenv("SANDERLING_HOME", str(folder))
        assert main(["fit", "churn", *FAST, "--as-of", "2024-07-10"]) == 0
        yield Home(folder)


def _family(home: Home) -> Path:
    return home.bundles / "churn"


def test_the_definition_and_the_grade_are_in_the_manifest(home) -> None:
    manifest = open_bundle(_family(home) / read_pointer(_family(home), CHALLENGER).version).manifest
    for name in ("history_days", "lead_days", "horizon_days", "active_days", "definition"):
        assert name in manifest.settings
    assert manifest.settings["tuned"]["grade"] in "ABCD"
    assert set(manifest.views) == {"rfm", "rhythm", "breadth", "goods"}
    assert manifest.metrics["auc"].value > manifest.metrics["prevalence_auc"].value


def test_scores_before_release_come_from_the_challenger(home, tmp_path) -> None:
    out = tmp_path / "scores.parquet"
    assert main(["score", "churn", "--as-of", "2024-06-01", "--out", str(out)]) == 0
    frame = pl.read_parquet(out)
    assert frame["user"].n_unique() == frame.height > 400
    assert frame["probability"].is_between(0, 1).all()
    assert frame["as_of"].unique().to_list() == [1_717_200_000_000]
    assert frame["horizon_days"].unique().to_list() == [30.0]
    assert frame["definition"].unique().to_list() == ["inactivity"]
    middle = frame["survival"].list.get(1).to_numpy()
    assert np.allclose(middle, frame["probability"].to_numpy())
    assert frame["groups"].list.len().unique().to_list() == [3]


def test_the_score_is_of_its_time(home, tmp_path) -> None:
    files = [tmp_path / name for name in ("early.parquet", "late.parquet")]
    for day, out in zip(("2024-03-01", "2024-07-01"), files, strict=True):
        assert main(["score", "churn", "--as-of", day, "--out", str(out)]) == 0
    early, late = map(pl.read_parquet, files)
    assert early.height < late.height
    assert late["probability"].mean() > early["probability"].mean()


def test_it_is_evaluated_released_and_listed(home, capsys) -> None:
    assert main(["evaluate", "churn"]) == 0
    shown = capsys.readouterr().out
    assert "challenger - popularity, gain: +" in shown
    assert "recency" in shown
    assert main(["release", "churn", "--max-latency-ms", "100"]) == 0
    assert read_pointer(_family(home), CURRENT) is not None
    assert main(["models", "churn", "--no-mlflow"]) == 0
    assert "auc" in capsys.readouterr().out


def test_a_second_model_is_held_against_the_first(home, capsys) -> None:
    assert main(["fit", "churn", *FAST, "--as-of", "2024-07-10", "--set", "seed=3"]) == 0
    assert main(["evaluate", "churn"]) == 0
    assert "champion" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ["score", "churn", "--out", "x.parquet", "--as-of", "2999-01-01"],
        ["score", "churn", "--out", "x.parquet", "--as-of", "soon"],
        ["fit", "churn", "--as-of", "2999-01-01"],
        ["fit", "churn", "--horizon-days", "200"],
        ["fit", "churn", "--horizon-days", "-3"],
        ["fit", "churn", "--definition", "contractual", "--set", "label_set=nonesuch"],
        ["fit", "churn", "--definition", "vague"],
        ["evaluate", "churn", "--split", "time"],
    ],
)
def test_what_cannot_be_done_is_said(home, words, capsys) -> None:
    assert main(words) == 4
    assert "the data or the settings must change" in capsys.readouterr().err


def test_without_a_model_one_is_asked_for(tmp_path, monkeypatch, home, capsys) -> None:
    empty = tmp_path / "empty"
    shutil.copytree(home.log, empty / "log")
    monkeypatch.setenv("SANDERLING_HOME", str(empty))
    assert main(["score", "churn", "--out", str(tmp_path / "x.parquet")]) == 5
    assert "fit churn" in capsys.readouterr().err
