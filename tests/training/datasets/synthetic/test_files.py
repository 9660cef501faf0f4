"""The simulated shop as files: importable, complete, the truth apart."""

import numpy as np
import polars as pl
import pytest

from training.datasets.synthetic.files import (
    EVENTS,
    ITEM_FILE,
    TRUTH_EVENTS,
    TRUTH_USERS,
    write_shop,
)
from training.datasets.synthetic.shop import simulate
from training.importing.recognise import recognise


@pytest.fixture(scope="module")
def shop():
    return simulate(60, days=20.0, seed=5)


@pytest.fixture(scope="module")
def folder(shop, tmp_path_factory):
    place = tmp_path_factory.mktemp("shop") / "new"
    paths = write_shop(shop, place)
    assert [path.name for path in paths] == [EVENTS, ITEM_FILE, TRUTH_EVENTS, TRUTH_USERS]
    return place


def test_an_import_recognises_every_column(folder):
    frame = pl.read_parquet(folder / EVENTS)
    named = recognise(frame.columns)
    assert named == {name: name for name in ("event_id", "user", "kind", "item", "at", "value")}
    assert frame["event_id"].n_unique() == frame.height


def test_events_are_those_of_the_shop(shop, folder):
    frame = pl.read_parquet(folder / EVENTS)
    assert frame.height == len(shop.ats)
    assert frame["at"].to_list() == shop.ats.tolist()
    searches = frame.filter(pl.col("kind") == "search")
    assert searches.height > 0
    assert (searches["item"] == "").all()
    assert searches["value"].is_null().all()
    assert frame.filter(pl.col("kind") != "search")["value"].is_not_null().all()


def test_no_truth_is_among_the_events(folder):
    assert not {"intent", "buys", "type", "gone"} & set(pl.read_parquet(folder / EVENTS).columns)


def test_the_truth_joins_by_id(shop, folder):
    events, truth = pl.read_parquet(folder / EVENTS), pl.read_parquet(folder / TRUTH_EVENTS)
    both = events.join(truth, on="event_id", how="inner")
    assert both.height == events.height == truth.height
    assert np.array_equal(both["intent"].to_numpy(), shop.best.intent)
    assert truth.filter(pl.col("position") == 1).height == len(shop.visits.offsets) - 1


def test_the_truth_about_shoppers(shop, folder):
    users = pl.read_parquet(folder / TRUTH_USERS)
    assert users.height == 60
    assert users["churn"].is_between(0, 1).all()
    assert set(pl.read_parquet(folder / EVENTS)["user"]) <= set(users["user"])
    assert users["horizon_days"].unique().to_list() == [shop.horizon_days]


def test_the_catalogue_describes_every_item(folder):
    items = pl.read_csv(folder / ITEM_FILE)
    sold = set(pl.read_parquet(folder / EVENTS)["item"]) - {""}
    assert sold <= set(items["item"])
    assert (items["price"] > 0).all()
    prices = pl.read_parquet(folder / EVENTS).filter(pl.col("item") != "").join(items, on="item")
    assert np.allclose(prices["value"], prices["price"])


def test_every_row_says_simulated(folder):
    for name, column in ((EVENTS, "user"), (ITEM_FILE, "title"), (TRUTH_USERS, "user")):
        path = folder / name
        frame = pl.read_csv(path) if path.suffix == ".csv" else pl.read_parquet(path)
        assert frame[column].str.starts_with("simulated").all()
