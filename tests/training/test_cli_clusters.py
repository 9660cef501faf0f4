"""The command: clusters of a sweep, in words, as a file, as segments."""

import asyncio
import json
from pathlib import Path

import numpy as np
import pytest

from feature_store.memory import MemoryStore
from feature_store.segments import load
from tests.feature_store.sweeps.making import put, scored, with_features
from tests.training.fit.test_clusters import three_kinds
from training import cli_clusters
from training.cli import main


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SANDERLING_HOME", str(tmp_path))
    return tmp_path


def sweep(home: Path, *, features: bool = True) -> None:
    columns, _ = three_kinds()
    n = len(columns["rfm.tenure"])
    table = scored([f"u{k:03d}" for k in range(n)], [0.5] * n, [1.0] * n)
    if features:
        given = {name: np.nan_to_num(one, nan=-1.0).tolist() for name, one in columns.items()}
        table = with_features(table, given)
    put(home / "sweeps" / "churn", 1, table)


def test_groups_are_told_and_written(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep(home)
    out = home / "clusters.json"
    assert main(["clusters", "--out", str(out)]) == 0
    told = capsys.readouterr().out
    assert "300 users of sweep 20240601T000000-00000001, 3 groups" in told
    assert "2. 90 users (30%): higher recency: 200 days" in told
    written = json.loads(out.read_text())
    assert [one["users"] for one in written["clusters"]] == [150, 90, 60]
    assert written["silhouettes"]["3"] > written["silhouettes_shuffled"]["3"]
    assert written["clusters"][1]["where"] in told


def test_groups_become_segments(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep(home)
    store = MemoryStore()

    async def opening() -> MemoryStore:
        return store

    monkeypatch.setattr(cli_clusters, "open_store", opening)
    assert main(["clusters", "--save", "group"]) == 0
    assert "group-1, group-2, group-3" in capsys.readouterr().err
    saved = asyncio.run(load(store)).by_name
    assert set(saved) == {"group-1", "group-2", "group-3"}
    assert "recency" in saved["group-2"].where
    assert saved["group-2"].about.startswith("higher recency")


def test_what_must_be_there_first(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["clusters"]) == 5
    assert "training sweep churn" in capsys.readouterr().err
    sweep(home, features=False)
    assert main(["clusters"]) == 5
    assert "training sweep churn" in capsys.readouterr().err
    sweep(home)
    assert main(["clusters", "--k", "1"]) == 4
    assert main(["clusters", "--save", "No Such"]) == 4
