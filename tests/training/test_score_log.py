"""Whom scores of everyone are of, as of when, and the file: whole or not at all."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from domain.errors import OperatorError, ScientistError
from domain.events import Kind
from feature_store.history import History
from models.bundle import CHALLENGER, open_bundle, point
from tests.golden.leaving import release_leaving
from tests.training.leaving import at_day, history_of_orders
from training.profiles import Told
from training.score_log import chosen_bundle, crowd_of, moment_of, write_scores

NOW = 1_760_000_000_000
SHOP = history_of_orders(
    {"old": [(5.0, Kind.purchase)], "new": [(50.0, Kind.purchase)], "no": [(6.0, Kind.purchase)]}
)


def test_everyone_is_who_has_an_event_by_then_and_may_be_asked_about() -> None:
    told = Told({"old": {"plan": "gold"}, "no": {"plan": "tin"}}, frozenset({"no"}))
    crowd = crowd_of(SHOP, at_day(20), told)
    assert (crowd.users, crowd.people) == (["old"], [{"plan": "gold"}])
    assert crowd.rows["rfm"]["recency"].tolist() == [15.0]
    everyone = crowd_of(SHOP, at_day(60), Told({}, frozenset()))
    assert sorted(everyone.users) == ["new", "no", "old"]
    part = everyone.part(slice(1, 3))
    assert part.users == everyone.users[1:]
    np.testing.assert_array_equal(part.rows["rfm"], everyone.rows["rfm"][1:])


def test_who_is_labelled_need_not_have_an_event() -> None:
    told = Told({"labelled": {"age": 3}}, frozenset({"no", "refusing"}))
    crowd = crowd_of(SHOP, at_day(20), told, ["labelled", "old", "refusing", "no"])
    assert crowd.users == ["old", "labelled"]
    assert crowd.rows["rfm"]["found"].tolist() == [1, 0]
    assert crowd.people[1] == {"age": 3}
    empty = History.from_events([])
    assert crowd_of(empty, at_day(1), told, ["labelled"]).users == ["labelled"]


def test_nobody_is_said_and_how_many_refused() -> None:
    with pytest.raises(ScientistError, match=r"before as_of$"):
        crowd_of(SHOP, at_day(1), Told({}, frozenset()))
    with pytest.raises(ScientistError, match="3 refused"):
        crowd_of(SHOP, at_day(60), Told({}, frozenset({"old", "new", "no"})))


def test_times_are_read_and_not_in_the_future() -> None:
    assert moment_of(None, NOW) is None
    assert moment_of("2024-06-01", NOW) == 1_717_200_000_000
    for text, why in (("soon", "--as-of"), ("2199-01-01", "future"), ("9" * 30, "--as-of")):
        with pytest.raises(ScientistError, match=why):
            moment_of(text, NOW)


def test_the_released_bundle_answers_else_the_challenger_else_nobody(tmp_path: Path) -> None:
    folder = tmp_path / "bundles" / "churn"
    with pytest.raises(OperatorError, match="fit churn"):
        chosen_bundle(folder, None)
    version = release_leaving(tmp_path)
    later = release_leaving(tmp_path, created_at=60_000)
    assert chosen_bundle(folder, None).version == later
    assert chosen_bundle(folder, version).version == version
    (folder / "current").unlink()
    point(folder, version, 0, CHALLENGER)
    assert chosen_bundle(folder, None).version == version


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    bundle = open_bundle(tmp_path / "bundles" / "churn" / release_leaving(tmp_path))
    frame = pl.DataFrame({"user": ["a"]})
    write_scores(frame, bundle, tmp_path / "x.parquet")
    read = pl.read_parquet(tmp_path / "x.parquet")
    assert read.row(0) == ("a", bundle.version, None)
    with pytest.raises(ScientistError, match="--out"):
        write_scores(frame, bundle, tmp_path / "nowhere" / "x.parquet")
    assert sorted(one.name for one in tmp_path.glob("*.parquet*")) == ["x.parquet"]
