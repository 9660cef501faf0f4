"""Clusters in words and rules, where the right ones are known."""

import numpy as np
import pytest

from domain.condition_text import parse_condition
from domain.conditions import Column, judge, text_of
from feature_store.audiences import VOCABULARY
from tests.training.fit.test_clusters import three_kinds
from training.fit.cluster_words import (
    FAITHFUL,
    Difference,
    Rule,
    as_json,
    describe,
    differences,
    in_words,
    rounded,
    rule_for,
)
from training.fit.clusters import cluster


def test_each_kind_is_told_by_what_it_is() -> None:
    columns, kind = three_kinds()
    loyal, lapsed, new = describe(cluster(columns), columns, VOCABULARY)
    assert [one.number for one in (loyal, lapsed, new)] == [1, 2, 3]
    assert [one.users for one in (loyal, lapsed, new)] == np.bincount(kind).tolist()
    assert lapsed.differences[0].name == "rfm.recency"
    assert lapsed.differences[0].own == pytest.approx(200, abs=2)
    assert lapsed.words.startswith("higher recency: 200 days (everybody: ")
    assert "lower tenure: 19.8 days" in new.words
    assert "higher orders: 30" in loyal.words


def test_the_numbers_never_contradict_the_word() -> None:
    columns, _ = three_kinds()
    for one in describe(cluster(columns), columns, VOCABULARY):
        for told in one.differences:
            assert told.own != told.all
            side = "higher" if told.own > told.all else "lower"
            assert f"{side} {told.name.partition('.')[2].replace('_', ' ')}: " in one.words


def test_a_rule_finds_its_cluster_as_a_segment_would() -> None:
    columns, kind = three_kinds()
    for one in describe(cluster(columns), columns, VOCABULARY):
        assert one.rule is not None
        assert one.rule.f1 > 0.95
        where = text_of(one.rule.condition)
        again = parse_condition(where, VOCABULARY)
        assert again == one.rule.condition
        found = judge(again, columns.__getitem__).yes
        inside = kind == one.number - 1
        assert one.rule.precision == pytest.approx((found & inside).sum() / found.sum())
        assert one.rule.recall == pytest.approx((found & inside).sum() / inside.sum())


def test_what_no_rule_finds_is_offered_none() -> None:
    rng = np.random.default_rng(5)
    columns = {"rfm.recency": rng.random(500), "rfm.tenure": rng.random(500)}
    inside = rng.random(500) < 0.1
    rule = rule_for(inside, columns, VOCABULARY)
    assert rule is None or rule.f1 < FAITHFUL
    nothing = {"rfm.recency": np.full(500, np.nan)}
    assert rule_for(inside, nothing, VOCABULARY) is None


def test_nobody_unknown_is_in_by_rule() -> None:
    recency = np.concatenate([np.full(100, np.nan), np.arange(100.0)])
    inside = recency > 49
    rule = rule_for(inside, {"rfm.recency": recency}, VOCABULARY)
    assert rule is not None
    assert not judge(rule.condition, lambda name: recency).yes[:100].any()
    assert rule.f1 > 0.9


def test_small_differences_are_no_words() -> None:
    columns, _ = three_kinds()
    found = cluster(columns)
    assert differences(np.ones(300, bool), found, columns) == ()
    assert in_words((), VOCABULARY) == "like everybody"


def test_where_medians_are_the_same_means_tell() -> None:
    inside = np.arange(200) < 60
    columns, _ = three_kinds(200)
    orders = np.ones(200)
    orders[:25] = 5.0
    found = cluster(columns | {"rfm.orders_90d": orders}, 3)
    told = {
        one.name: one for one in differences(inside, found, columns | {"rfm.orders_90d": orders})
    }
    one = told["rfm.orders_90d"]
    assert one.average
    assert (one.own, one.all) == (pytest.approx(160 / 60), pytest.approx(1.5))
    nobody = {name: np.where(inside, np.nan, column) for name, column in columns.items()}
    assert np.isnan(differences(inside, found, nobody | {"rfm.orders_90d": orders})[0].own)


def test_numbers_are_for_people() -> None:
    assert [rounded(one) for one in (1234.5, 0.012345, -3.0)] == [1230.0, 0.0123, -3.0]
    vocabulary = {"rfm.value_90d": Column("rfm.value_90d", "euros")}
    told = [Difference("rfm.value_90d", 12_345.6, float("nan"), -1.0)]
    assert in_words(told, vocabulary) == "lower value 90d: 12,346 euros (everybody: unknown)"
    same = [Difference("rhythm.orders", 1.94, 1.2, 0.5, True)]
    assert in_words(same, VOCABULARY) == "higher orders: 1.94 on average (everybody: 1.2)"
    assert Rule(parse_condition("recency > 1", VOCABULARY), 0.0, 0.0).f1 == 0.0


def test_as_json_says_it_all() -> None:
    columns, _ = three_kinds()
    one = as_json(describe(cluster(columns), columns, VOCABULARY)[1])
    assert one["cluster"] == 2
    assert one["users"] == 90
    assert isinstance(one["where"], str)
    assert {"words", "share", "differences", "precision", "recall"} <= set(one)
