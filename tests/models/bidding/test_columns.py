"""Columns: hashed words, scores, numbers of views, and their places."""

import numpy as np
import pytest

from domain.ids import hash64
from feature_store.views.catalogue import VIEWS as KNOWN
from models.bidding.columns import (
    BUCKETS,
    CATEGORIES,
    COMMON,
    NAMES,
    NUMBERS,
    OWN,
    SHARED,
    VIEWS,
    WORDS,
    code_of,
    common_row,
    own_codes,
    places_in,
)


def views(**values):
    """One row of each view, as the feature store makes them, some fields set."""
    rows = {name: np.zeros(1, KNOWN[name].dtype) for name in VIEWS}
    for name, value in values.items():
        view, field = name.split("__")
        rows[view][field][0] = value
    return rows


def test_every_number_is_a_field_of_a_view_that_exists():
    for number in NUMBERS:
        field = KNOWN[number.view].dtype[number.field]
        assert number.place < (field.shape[0] if field.shape else 0)
        assert number.view in VIEWS


def test_words_become_the_same_categories_everywhere():
    assert code_of("site", "a.example") == hash64("site=a.example") % BUCKETS
    assert code_of("site", "a.example") == code_of("site", "a.example")
    row = common_row({"site": "a.example"})
    assert row[SHARED.index("site")] == code_of("site", "a.example")
    assert row[SHARED.index("os")] == code_of("os", "")


def test_nobody_known_has_no_numbers():
    row = common_row({}, None, None)
    assert len(row) == COMMON
    assert np.isnan(row[len(SHARED) :]).all()


def test_numbers_are_read_from_their_place_and_none_is_nan():
    rows = views(rfm__recency=3.5, rfm__orders=[1, 2, 3, 4, 5], session__since_last=-1.0)
    row = dict(zip(NAMES, common_row({}, {"intent": 0.25}, rows), strict=False))
    assert row["recency"] == 3.5
    assert row["orders_28d"] == 3
    assert row["orders_180d"] == 5
    assert np.isnan(row["since_last"])
    assert row["intent"] == 0.25
    assert np.isnan(row["churn"])


@pytest.mark.parametrize("score", [-0.1, 1.5, float("nan"), float("inf")])
def test_what_is_no_probability_is_no_score(score):
    row = common_row({}, {"intent": score})
    assert np.isnan(row[NAMES.index("intent")])


def test_places_keep_fields_apart():
    row = np.concatenate([common_row({"site": "a"}), own_codes("c", "l", "k")])[None, :]
    places = places_in(row)[0]
    assert (places // BUCKETS).tolist() == list(range(len(WORDS)))
    assert places[-len(OWN)] % BUCKETS == code_of("campaign", "c")
    assert [NAMES[place] for place in CATEGORIES] == list(WORDS)
