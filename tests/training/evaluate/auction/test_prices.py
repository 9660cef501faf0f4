"""Histograms of prices: drawn as often as counted, refused when they are none."""

import json

import numpy as np
import pytest

from training.evaluate.auction.prices import CPM_MICROS, Prices, histograms, made_up


def test_prices_come_as_often_as_they_were_counted():
    drawn = Prices(np.array([0.0, 1.0, 3.0])).draw(40_000, np.random.default_rng(0))
    unit = np.floor(drawn / CPM_MICROS)
    assert set(unit) <= {1.0, 2.0, 3.0}
    assert (unit >= 2).mean() == pytest.approx(0.75, abs=0.01)
    assert drawn.min() > 0


@pytest.mark.parametrize("counts", [[0.0], [-1.0, 2.0], [np.nan, 1.0], []])
def test_counts_that_are_none_are_refused(counts):
    with pytest.raises(ValueError, match="histogram"):
        Prices(np.array(counts))


def test_files_are_read_by_campaign(tmp_path):
    for name in ("7", "42"):
        text = json.dumps({"price_counter_train": [1, int(name)]})
        (tmp_path / f"{name}_info.json").write_text(text)
    found = histograms(tmp_path)
    assert list(found) == ["42", "7"]
    assert found["42"].counts.tolist() == [1.0, 42.0]
    assert histograms(tmp_path / "nowhere") == {}


def test_made_up_prices_have_the_median_they_say():
    drawn = made_up(70.0, 0.5).draw(20_000, np.random.default_rng(1)) / CPM_MICROS
    assert np.median(drawn) == pytest.approx(70.0, rel=0.06)
