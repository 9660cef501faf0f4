"""From the real store to scored visits: fit, record, evaluate, release, score, all by command."""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from domain.errors import ScientistError
from domain.events import Kind
from domain.ids import hash64
from domain.items import Item
from feature_store.opening import open_store
from feature_store.settings import Home
from feature_store.store import StoreSettings
from models.bundle import CHALLENGER, CURRENT, open_bundle, read_pointer
from models.families import load_scorer
from models.intent.categories import category_code
from models.intent.past import SESSION
from tests.golden.visiting import visiting_model
from tests.training.fit.intent.shop import END, ITEMS, QUICK, START, events_of
from training.cli import main
from training.fit.intent import aggregates
from training.score_intent import read_events, scored

FAST = [word for name, value in QUICK.items() for word in ("--set", f"{name}={value}")]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, mlflow_template: Path) -> Iterator[Home]:
    """A home whose log holds the small shop; an intent model is fitted."""
    folder = tmp_path_factory.mktemp("visits")
    (folder / "mlflow").mkdir()
    shutil.copy(mlflow_template, folder / "mlflow" / "mlflow.db")

    async def pour() -> None:
        store = await open_store(StoreSettings(buckets=4), Home(folder))
        try:
            await store.append(events_of(150, 12), END)
            await store.put_items(
                [Item(f"item-{k}", categories=(f"category-{k // 4}",)) for k in range(ITEMS)]
            )
        finally:
            await store.close()

    asyncio.run(pour())
    with pytest.MonkeyPatch.context() as patch:
        for name in ("REDIS_URL", "MLFLOW_TRACKING_URI"):
            patch.delenv(name, raising=False)
        patch.setenv("SANDERLING_BUCKETS", "4")
        patch.setenv("SANDERLING_HOME", str(folder))
        patch.setattr(aggregates, "TREES", (20,))
        patch.setattr(aggregates, "LEAVES", (4,))
        words = ["fit", "intent", *FAST, "--target", "purchase", "--horizon-hours", "0"]
        assert main([*words, "--as-of", "2023-12-15"]) == 0
        yield Home(folder)


@pytest.fixture
def visits(tmp_path: Path) -> Path:
    """A file of events as another system would write it."""
    events = events_of(30, 3, seed=7)
    path = tmp_path / "visits.csv"
    pl.DataFrame(
        {
            "user_id": [event.entity[1:] for event in events],
            "event_type": [event.kind.name for event in events],
            "product_id": [event.item for event in events],
            "timestamp": [event.at for event in events],
            "category": [f"category-{int(e.item[5:]) // 4}" if e.item else "" for e in events],
        }
    ).write_csv(path)
    return path


def score(visits: Path, *more: str) -> pl.DataFrame:
    out = visits.with_name("scored.parquet")
    assert main(["score", "intent", "--events", str(visits), "--out", str(out), *more]) == 0
    return pl.read_parquet(out)


def model_of(home: Home):
    pointer = read_pointer(home.bundles / "intent", CHALLENGER)
    assert pointer is not None
    return load_scorer(open_bundle(home.bundles / "intent" / pointer.version))


def test_the_fit_left_a_challenger_that_knows_the_catalogue(home: Home) -> None:
    model = model_of(home)
    assert (model.target, model.horizon_hours) == ("purchase", 0.0)
    item = np.array([hash64("item-5")], np.uint64)
    assert model.categories.of(item).tolist() == [category_code("category-1")]


def test_every_session_long_enough_has_a_row(home: Home, visits: Path, capsys) -> None:
    rows = score(visits, "--at-event", "5")
    assert (rows["at_event"] == 5).all()
    assert (rows["events"] >= 5).all()
    assert rows["probability"].is_between(0, 1).all()
    assert rows["confidence"].is_between(0, 1).all()
    assert rows["target"].unique().to_list() == ["purchase"]
    assert rows["fallback"].null_count() == rows.height
    assert f"{rows.height:,} sessions scored" in capsys.readouterr().err
    every = score(visits)
    assert every.height == 90 > rows.height
    assert every.filter(pl.col("events") >= 5).height == rows.height


def test_later_events_change_nothing(home: Home, visits: Path) -> None:
    whole = score(visits, "--at-event", "3")
    cut = visits.with_name("cut.csv")
    frame = pl.read_csv(visits)
    first = frame.with_columns(
        (pl.col("timestamp").diff().over("user_id") > 1_800_000).fill_null(True).alias("new")
    ).with_columns(pl.col("new").cum_sum().over("user_id").alias("visit"))
    kept = first.filter(pl.int_range(pl.len()).over("user_id", "visit") < 3)
    last = kept["visit"].max()
    # Of each user's last visit three events are left, the earlier ones are the past.
    part = first.join(kept, on=["user_id", "timestamp"], how="semi").vstack(
        first.filter(pl.col("visit") < last).join(kept, on=["user_id", "timestamp"], how="anti")
    )
    part.sort("user_id", "timestamp").select(frame.columns).write_csv(cut)
    found = score(cut, "--at-event", "3")
    keys = ["user", "started_at"]
    both = whole.join(found, on=keys, suffix="_cut")
    assert both.height == whole.height
    assert (both["probability"] - both["probability_cut"]).abs().max() < 1e-6


def test_a_row_is_what_the_service_would_answer(home: Home, visits: Path) -> None:
    rows = score(visits, "--at-event", "4")
    model = model_of(home)
    read = read_events(visits, END)
    by_user: dict[str, list] = {}
    for event in read.events:
        by_user.setdefault(event.entity[1:], []).append(event)
    for row in rows.head(12).iter_rows(named=True):
        events = sorted(by_user[row["user"]], key=lambda event: event.at)
        columns = model.columns(
            [int(event.kind) for event in events],
            [hash64(event.item) if event.item else 0 for event in events],
            [event.at for event in events],
            [0] * len(events),
        )
        found = model.score_of(model.visit(columns, row["as_of"]), row["as_of"])
        assert found.probability == pytest.approx(row["probability"], abs=1e-6)
        assert found.confidence == pytest.approx(row["confidence"], abs=1e-4)


def test_evaluate_release_and_go_back(home: Home, capsys) -> None:
    assert main(["evaluate", "intent"]) == 0
    told = capsys.readouterr().out
    assert "challenger" in told
    assert "lastevent" in told
    assert main(["release", "intent", "--margin", "1", "--max-latency-ms", "2000"]) == 0
    assert read_pointer(home.bundles / "intent", CURRENT) is not None
    assert main(["models", "intent"]) == 0


def test_sessions_of_events_without_a_user_are_scored(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "anonymous.jsonl"
    path.write_text(
        "\n".join(
            f'{{"session": "s1", "kind": "click", "item": "item-1", "at": {START + 1000 * k}}}'
            for k in range(3)
        )
    )
    rows = score(path, "--at-event", "3")
    assert rows.select("user", "session", "events").row(0) == (None, "s1", 3)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--at-event", "0"], "counts from 1"),
        (["--at-event", "500"], "no session"),
        (["--as-of", "2999-01-01"], "outside 1970 to 2200"),
        (["--as-of", "2199-01-01"], "future"),
        (["--as-of", "soon"], "--as-of"),
        (["--as-of", "2000-01-01"], "before --as-of"),
    ],
)
def test_places_and_times_that_no_session_has_are_refused(
    home: Home, visits: Path, words: list[str], reason: str, capsys
) -> None:
    out = visits.with_name("none.parquet")
    assert main(["score", "intent", "--events", str(visits), "--out", str(out), *words]) == 4
    assert reason in capsys.readouterr().err
    assert not out.exists()


def test_sessions_of_one_event_and_of_ten_thousand_are_scored(tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    ats = [START + 1000 * k for k in range(10_000)]
    pl.DataFrame(
        {
            "user": ["long"] * len(ats) + ["short"],
            "kind": "click",
            "item": [f"item-{k % ITEMS}" for k in range(len(ats))] + ["never-seen"],
            "at": [*ats, START],
        }
    ).write_csv(path)
    model, read = visiting_model(), read_events(path, END)
    rows = scored(read, model, None)
    # Of a very long session the first events stand for the rest.
    assert sorted(rows["events"].to_list()) == [1, SESSION]
    assert rows["probability"].is_between(0, 1, closed="none").all()
    assert rows["confidence"].is_between(0, 1).all()
    fifth = scored(read, model, 5).filter(user="long")
    assert fifth.select("at_event", "events", "as_of").row(0) == (5, SESSION, ats[4] + 1)


def test_a_file_is_asked_for(home: Home, tmp_path: Path, capsys) -> None:
    assert main(["score", "intent", "--out", str(tmp_path / "x.parquet")]) == 4
    assert "--events FILE" in capsys.readouterr().err


def test_files_that_hold_no_event_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ScientistError, match="no such file"):
        read_events(tmp_path / "none.csv", END)
    path = tmp_path / "bad.csv"
    path.write_text("user,kind,at\nu1,flying,2023-01-01\n")
    with pytest.raises(ScientistError, match="1 refused"):
        read_events(path, END)


def test_categories_the_file_does_not_tell_are_those_of_the_fit(home: Home, visits: Path) -> None:
    model = model_of(home)
    read = read_events(visits, END)
    with_own = scored(read, model, 3)
    without = scored(read._replace(categories={}), model, 3)
    assert with_own["probability"].to_list() == pytest.approx(without["probability"].to_list())
    assert Kind.click in {event.kind for event in read.events}
