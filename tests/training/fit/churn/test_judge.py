"""Judging at a cut-off: purged, baselines beside, seen and new, pooled in order."""

from dataclasses import replace

import numpy as np
import pytest

from domain.errors import TooLittleData
from tests.training.leaving import at_day, leaving_shop
from training.fit.churn.judge import Judged, judge_cutoff, prospects_for
from training.fit.churn.run import build_table
from training.fit.churn.settings import ChurnSettings

SETTINGS = ChurnSettings(
    horizon_days=30, active_days=90, leaves=[4], trees=[30], penalties=[0.02], btyd=[]
)
CUT = at_day(120)


@pytest.fixture(scope="module")
def shop():
    return leaving_shop(900, seed=7)


@pytest.fixture(scope="module")
def table(shop):
    return build_table(shop, tuple(at_day(day) for day in (50, 60, 70, 80, 110, 120)), SETTINGS, {})


@pytest.fixture(scope="module")
def judged(shop, table) -> Judged:
    return judge_cutoff(shop, table, CUT, SETTINGS)


def test_everyone_of_the_cutoff_is_asked_about(table, judged) -> None:
    asked = table.as_of == CUT
    assert np.array_equal(judged.owner, table.owner[asked])
    assert np.array_equal(judged.y, table.y[asked])
    assert {"model", "prevalence", "recency", "logistic", "trees"} == set(judged.scores)


def test_new_customers_are_those_not_learned_from(table, judged) -> None:
    learned = set(table.owner[table.as_of <= at_day(80)].tolist())
    assert judged.seen.tolist() == [one in learned for one in judged.owner.tolist()]
    assert 0 < judged.seen.mean() < 1


def test_prevalence_is_that_of_the_ended_windows(table, judged) -> None:
    ended = table.as_of <= at_day(80)
    assert judged.scores["prevalence"][0] == pytest.approx(table.y[ended].mean())


def test_labels_that_were_not_known_yet_change_nothing(shop, table, judged) -> None:
    late = table.as_of == at_day(110)
    spoiled = replace(table, y=np.where(late, 1 - table.y, table.y))
    again = judge_cutoff(shop, spoiled, CUT, SETTINGS)
    assert np.array_equal(again.scores["model"], judged.scores["model"])


def test_pooling_keeps_rows_together(judged) -> None:
    joined = Judged.joined([judged, judged])
    assert len(joined.y) == 2 * len(judged.y)
    half = replace(judged, scores={"model": judged.scores["model"]})
    assert set(Judged.joined([judged, half]).scores) == {"model"}


def test_nothing_ended_yet_is_too_little(shop, table) -> None:
    with pytest.raises(TooLittleData, match="nobody is in the population"):
        judge_cutoff(shop, table, at_day(60), SETTINGS)


def test_contracts_have_no_prospects(shop, table) -> None:
    contract = replace(SETTINGS, definition="contractual", btyd=["bgnbd"])
    every = np.ones(len(table), bool)
    assert prospects_for(shop, table, every, contract) is None
    assert prospects_for(None, table, every, replace(SETTINGS, btyd=["bgnbd"])) is None
