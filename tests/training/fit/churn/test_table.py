"""The table: attributes beside views, buy-till-you-die numbers from before the cut only."""

from dataclasses import replace

import numpy as np
import pytest

from models.churn.features import NAMES
from tests.training.leaving import at_day, leaving_shop
from training.fit.churn.run import build_table
from training.fit.churn.settings import ChurnSettings
from training.fit.churn.table import MOST_WORDS, attributes_of, fit_prospects
from training.snapshots import Definition

SETTINGS = ChurnSettings(horizon_days=30, active_days=90)


@pytest.fixture(scope="module")
def shop():
    return leaving_shop(400, seed=5)


def test_columns_are_views_then_prospects_then_attributes(shop) -> None:
    profiles = {name[1:]: {"age": place} for place, name in enumerate(shop.entities)}
    table = build_table(shop, (at_day(100), at_day(150)), SETTINGS, profiles)
    prospects = fit_prospects(shop, at_day(100), ["bgnbd"], SETTINGS.meaning())
    names = table.names(prospects)
    x = table.x(prospects)
    assert x.shape == (len(table), len(names)) == (len(table), len(table.groups(prospects)))
    assert names[: len(NAMES)] == NAMES
    assert names[-1] == "attribute.age"
    assert x[:, -1].tolist() == [float(one) for one in table.owner]
    assert not np.isnan(x[:, names.index("bgnbd_inactive")]).any()


def test_orders_after_the_cut_do_not_reach_the_prospects(shop) -> None:
    keep = shop.records["at"] < at_day(120)
    counts = np.concatenate([[0], np.cumsum(keep)])
    ended = replace(shop, records=shop.records[keep], offsets=counts[shop.offsets])
    meaning = Definition(horizon_days=30)
    whole = fit_prospects(shop, at_day(120), ["bgnbd"], meaning)
    assert whole == fit_prospects(ended, at_day(120), ["bgnbd"], meaning)
    assert whole != fit_prospects(shop, at_day(200), ["bgnbd"], meaning)


def test_too_few_customers_have_no_prospects() -> None:
    assert fit_prospects(leaving_shop(50), at_day(200), ["bgnbd"], Definition()) is None
    assert fit_prospects(leaving_shop(50), at_day(200), [], Definition()) is None


def test_texts_ids_and_constants_are_no_attributes() -> None:
    people = [{"id": f"x{n}", "same": "a", "kind": "ab"[n % 2], "n": n} for n in range(100)]
    found = attributes_of(people)
    assert found.names() == ("attribute.n", "attribute.kind=b")
    assert len({person["id"] for person in people}) > MOST_WORDS


def test_rare_categories_have_no_column() -> None:
    people = [{"kind": "abc"[n % 3] if n else "odd"} for n in range(90)]
    assert attributes_of(people).names() == tuple(f"attribute.kind={kind}" for kind in "abc")


def test_nobody_with_attributes_is_fine() -> None:
    assert attributes_of([{}, {}]).names() == ()
    assert attributes_of([]).names() == ()
