from dataclasses import replace

import numpy as np
import pytest

from benchmarks import catalogue_scale
from benchmarks.beauty import Beauty
from benchmarks.catalogue_scale import askers, bars, measure, median_us, pasts, released
from domain.errors import TooLittleData
from tests.models.recommend.small_index import indexed_model

MODEL = replace(indexed_model(1_500, ranked=True), index={})
HISTORIES = [[f"i{(7 * user + step) % 1_500}" for step in range(2, 9)] for user in range(60)]


def test_a_small_scale_is_measured_and_the_index_finds_what_a_pass_does(monkeypatch):
    monkeypatch.setattr(catalogue_scale, "LEARNED_FROM", 20)
    monkeypatch.setattr(catalogue_scale, "USERS", 30)
    figures = measure(MODEL, HISTORIES, 6_000)
    assert figures["items"] == 6_000
    assert figures["recall_at_50"] >= 0.98
    assert figures["speedup"] == figures["exact_us"] / figures["index_us"] > 0
    assert figures["index_mb"] > 0
    assert all(bar.holds == (bar.value >= float(bar.bar.split()[1])) for bar in bars_of(figures))


def bars_of(figures):
    return bars([5], {f"{name}_of_5": value for name, value in figures.items()})


def test_histories_lie_in_one_copy_each():
    large = catalogue_scale.copied(MODEL, 4_000)
    who = askers(large, HISTORIES[:20], 3)
    heard = pasts(large, who)
    copies = [np.unique(past.indices // 1_500) for past in heard]
    assert all(len(one) == 1 for one in copies)
    assert len({int(one[0]) for one in copies}) > 1
    assert [one % 1_500 for one in heard[0].indices] == [int(item[1:]) for item in HISTORIES[0]]


def test_the_median_leaves_the_first_call_out():
    asked = []
    assert median_us(asked.append, [1, 2, 3]) > 0
    assert asked == [1, 1, 2, 3]


def test_without_a_released_model_there_is_nothing_to_measure(tmp_path):
    with pytest.raises(TooLittleData, match="no recommender was released"):
        released(Beauty(tmp_path, {}, []))
