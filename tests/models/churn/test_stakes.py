"""What is at stake, by known answers."""

import numpy as np
import pytest

from feature_store.views.catalogue import views_named
from models.churn.stakes import value_at_stake
from tests.training.leaving import at_day, history_of_orders


def _rows(*pairs: tuple[float, float]) -> dict[str, np.ndarray]:
    kind = np.dtype([("tenure", "<f8"), ("lifetime_value", "<f8")])
    return {"rfm": np.array(list(pairs), kind)}


def test_a_year_at_the_pace_of_the_history() -> None:
    rows = _rows((730.0, 500.0), (365.0, 500.0), (30.0, 60.0), (365.0, -20.0))
    assert value_at_stake(rows).tolist() == [250.0, 500.0, 60.0, -20.0]


def test_without_an_event_nothing_is_known() -> None:
    assert np.isnan(value_at_stake(_rows((-1.0, 0.0)))).all()


def test_it_reads_the_view_as_it_is_replayed() -> None:
    from domain.events import Kind

    history = history_of_orders({"a": [(0.0, Kind.purchase), (600.0, Kind.purchase)]})
    spent = history.records["value"].sum() / 1e6
    rows = history.replay(views_named(("rfm",)), [at_day(730)]).views
    assert value_at_stake(rows) == pytest.approx([spent / 2])
