"""Features by known answers: absent is NaN, derived ones from plain ones, blocks in order."""

import numpy as np
import pytest

from domain.events import Kind
from feature_store.views.catalogue import views_named
from models.btyd.bgnbd import BGNBD
from models.btyd.features import Prospects
from models.churn.features import (
    FEATURES,
    GROUPS,
    NAMES,
    VIEWS,
    groups_of,
    matrix,
    names_of,
    units_of,
)
from models.churn.repute import COLUMNS
from tests.feature_store.making import DAY, T0, event, state_of

NOW = T0 + 200 * DAY


def _row(*days_ago: float, **fields):
    events = [
        event(f"e{place}", Kind.purchase, NOW - round(ago * DAY), value=10_000_000, **fields)
        for place, ago in enumerate(days_ago)
    ]
    lifetime, records = state_of(events)
    rows = {}
    for view in views_named(VIEWS):
        rows[view.name] = np.array([view.row(lifetime, records, NOW, 512)], view.dtype)
    return rows


def _of(rows, prospects=None):
    return dict(zip(names_of(prospects), matrix(rows, prospects)[0].tolist(), strict=True))


def test_a_regular_customer() -> None:
    found = _of(_row(40, 30, 20, 10))
    assert found["recency"] == 10
    assert found["order_gap_mean"] == 10
    assert found["order_overdue"] == 1
    assert found["orders_28d"] == 2
    assert found["recency_over_longest"] == 1
    assert found["recency_share"] == 0.25
    assert found["order_rate"] == 0.1
    assert found["gap_spread"] == 0
    assert found["last_order_ratio"] == 1
    assert found["silent_days"] == 10


def test_what_is_not_known_is_missing_not_minus_one() -> None:
    found = _of(_row(10))
    assert np.isnan(found["order_gap_mean"])
    assert np.isnan(found["support_recency"])
    assert np.isnan(found["recency_over_longest"])
    assert np.isnan(found["cart_abandonment"])


def test_nobody_has_a_row_too() -> None:
    rows = {view.name: np.array([view.default_row()], view.dtype) for view in views_named(VIEWS)}
    found = matrix(rows)
    assert found.shape == (1, len(FEATURES))
    assert np.isnan(found[0, NAMES.index("recency")])
    assert not np.isinf(found).any()


def test_names_and_groups_belong_together() -> None:
    assert len(names_of()) == len(groups_of()) == len(units_of()) == len(NAMES)
    assert {feature.group for feature in FEATURES} <= set(GROUPS)


def test_buy_till_you_die_and_attributes_are_further_blocks() -> None:
    model = BGNBD(r=0.25, alpha=4.4, a=0.8, b=2.4)
    prospects = Prospects({"bgnbd": model}, horizon_days=28)
    extra = np.array([[1.0, np.nan]])
    found = matrix(_row(40, 30, 20, 10), prospects, extra)
    names = names_of(prospects, ("attribute.a", "attribute.b"))
    assert found.shape == (1, len(names))
    assert found[0, -2] == 1
    assert names[len(NAMES) :][0] == "bgnbd_expected"
    assert units_of(prospects, 2)[len(NAMES) :] == ("orders", "share", "share", "", "")
    assert groups_of(prospects, ("x", "y"))[-3:] == ("prospect", "x", "y")
    regular = dict(zip(names, found[0].tolist(), strict=True))
    lapsed = _of(_row(140, 130, 120, 110), prospects)
    assert regular["bgnbd_inactive"] < lapsed["bgnbd_inactive"]
    assert regular["bgnbd_expected"] == pytest.approx(
        model.expected(*_customers(3, 30, 40), 4.0)[0], rel=1e-9
    )


def test_repute_lies_between_prospects_and_attributes() -> None:
    repute = np.arange(len(COLUMNS), dtype=float)[None]
    found = matrix(_row(40, 30), None, np.array([[7.0]]), repute)
    names = names_of(None, ("attribute.a",), repute=True)
    assert found.shape == (1, len(names))
    assert found[0, len(NAMES) :].tolist() == [*repute[0].tolist(), 7.0]
    assert names[len(NAMES) :] == (*COLUMNS, "attribute.a")
    assert set(groups_of(None, repute=True)[len(NAMES) :]) == {"assortment"}
    assert len(units_of(None, 1, repute=True)) == len(names)


def _customers(frequency, recency, age):
    from models.btyd.customers import Customers

    return (Customers.of([frequency], [recency], [age]).scaled(7.0),)
