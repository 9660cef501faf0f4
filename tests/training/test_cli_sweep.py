"""The command over a real store and log: poured in, swept, cached, swept again."""

import argparse
import asyncio
from pathlib import Path

import polars as pl
import pytest

from domain.events import Event, Kind
from domain.ids import user_entity
from feature_store.opening import open_store
from feature_store.settings import Home
from feature_store.store import StoreSettings
from feature_store.sweeps.reading import Sweep, Sweeps
from tests.golden.leaving import release_contact
from tests.training.sweep.sweeping import AS_OF, NOW, learned_model, release, shop
from training.cli import main
from training.cli_sweep import FAMILY, job_of, open_uplift, told, wish_of
from training.desk import desk_from_env
from training.sweep.scoring import ValueFrom


def _events() -> list[Event]:
    history = shop()
    out: list[Event] = []
    for place, name in enumerate(history.entities):
        for record in history.records[history.offsets[place] : history.offsets[place + 1]]:
            at, value = int(record["at"]), int(record["value"])
            out.append(Event(f"e{len(out)}", name, Kind.purchase, at, f"i{record['item']}", value))
    return out


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home whose store holds the shop; a model is released; one user refused analytics."""
    folder = tmp_path_factory.mktemp("swept")
    release(folder / "bundles", learned_model(shop()))

    async def pour() -> None:
        store = await open_store(StoreSettings(buckets=4), Home(folder))
        try:
            await store.append(_events(), NOW)
            await store.patch_profile("c1", NOW, consent={"analytics": False})
        finally:
            await store.close()

    asyncio.run(pour())
    with pytest.MonkeyPatch.context() as patch:
        for name in ("REDIS_URL", "MLFLOW_TRACKING_URI"):
            patch.delenv(name, raising=False)
        patch.setenv("SANDERLING_BUCKETS", "4")
        patch.setenv("SANDERLING_HOME", str(folder))
        yield Home(folder)


def _current(home: Home) -> Sweep:
    sweep = Sweeps(home.sweeps / FAMILY).current()
    assert sweep is not None
    return sweep


def test_everybody_is_swept_cached_and_told_of(home, capsys) -> None:
    assert main(["sweep", "churn", "--as-of", str(AS_OF)]) == 0
    said = capsys.readouterr().err
    sweep = _current(home)
    assert f"{len(sweep.table):,} users scored" in said
    assert "grade B" in said
    assert sweep.summary.id in said
    rows = home.sweeps / FAMILY / sweep.summary.id / "rows"
    frame = pl.read_parquet(sorted(rows.glob("*.parquet")))
    assert frame.height == len(sweep.table) > 50
    assert "c1" not in frame["user"].to_list()

    async def cached() -> list[str | None]:
        store = await open_store(StoreSettings(buckets=4), home)
        try:
            users = frame["user"].to_list()
            read = await store.read([user_entity(user) for user in users])
            return [state.scores["churn"].band for state in read.states]
        finally:
            await store.close()

    assert asyncio.run(cached()) == frame["band"].to_list()


def test_the_next_one_follows_and_says_what_crossed(home, capsys) -> None:
    first = _current(home).summary
    assert main(["sweep", "churn", "--no-drain", "--resume"]) == 0
    second = _current(home).summary
    assert second.previous == first.id
    assert second.as_of > first.as_of
    assert f"{second.crossings:,} crossed" in capsys.readouterr().err
    assert told(_current(home))[0].startswith(f"{second.users:,} users")


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["--as-of", "soon"], 4),
        (["--as-of", "2999-01-01"], 4),
        (["--limits", "5"], 4),
        (["--limits", "9,5"], 4),
        (["--limits", "0,inf"], 4),
        (["--value-times", "0"], 4),
        (["--version", "20240101-000000-000000000000"], 5),
    ],
)
def test_what_cannot_be_done_is_said(home, words, status, capsys) -> None:
    assert main(["sweep", "churn", "--no-drain", *words]) == status
    assert "must change" in capsys.readouterr().err


def test_without_a_released_model_one_is_asked_for(home, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("SANDERLING_HOME", str(tmp_path))
    (tmp_path / "log").symlink_to(home.log)
    assert main(["sweep", "churn", "--no-drain"]) == 5
    assert "training release churn" in capsys.readouterr().err


def test_a_consent_rule_of_another_name_is_refused(home, monkeypatch) -> None:
    monkeypatch.setenv("SANDERLING_CONSENT", "perhaps")
    assert main(["sweep", "churn", "--no-drain"]) == 5


def test_options_become_a_wish() -> None:
    options = argparse.Namespace(
        as_of="2024-06-02",
        version="v",
        limits="20,100",
        fresh_limits=True,
        value_attribute="fee",
        value_times=12.0,
    )
    wish = wish_of(options, NOW)
    assert wish.as_of == AS_OF
    assert wish.value == ValueFrom("fee", 12.0)
    assert wish.limits == (20.0, 100.0)


def test_the_job_is_of_the_deployment(home) -> None:
    made = job_of(desk_from_env())
    assert made.root == Path(home.sweeps / "churn")
    assert made.unanswered


def test_an_uplift_model_joins_when_it_can_be_used(tmp_path: Path, capsys) -> None:
    folder = tmp_path / "bundles" / "uplift"
    assert open_uplift(folder, None) is None
    version = release_contact(tmp_path, 0.2, 0.1)
    found = open_uplift(folder, None)
    assert found is not None
    assert found.version == version
    assert open_uplift(folder, "") is None
    assert capsys.readouterr().err == ""
    (folder / version / "manifest.json").write_text("{}")
    assert open_uplift(folder, None) is None
    assert "without uplift" in capsys.readouterr().err
