from dataclasses import replace

import numpy as np
import pytest

from tests.training.fit.test_shortlists import world
from tests.training.worlds import checkerboard
from training.evaluate.ranking import contenders
from training.evaluate.report import report
from training.fit import measuring
from training.fit.budget import Budget
from training.fit.measuring import Asked, measured
from training.fit.settings import RecommendSettings
from training.metrics import CUTS

SETTINGS = RecommendSettings(rounds=200, threads=1)
NAMES = ["popularity", "graph"]


class Clock:
    """Seconds that pass with every list that is made and every resample."""

    def __init__(self, monkeypatch, each_case, each_round):
        self.now = 0.0

        def lists(model, names, full, cases, k, threads):
            self.now += each_case * len(cases)
            return contenders(model, names, full, cases, k, threads)

        def told(*given, rounds, **named):
            self.now += each_round * rounds
            return report(*given, rounds=rounds, **named)

        monkeypatch.setattr(measuring, "contenders", lists)
        monkeypatch.setattr(measuring, "report", told)
        monkeypatch.setattr(measuring, "PART", 10)

    def __call__(self):
        return self.now


@pytest.fixture
def asked():
    model, full, cases = world(checkerboard(), ("popularity", "graph"))
    return model, Asked(full, cases, full)


def test_without_a_budget_it_is_the_report_of_all(asked):
    model, what = asked
    found = measured(model, NAMES, what, SETTINGS, Budget())
    lists = contenders(model, NAMES, what.full, what.cases, max(CUTS), 1)
    assert found.metrics == report(lists, what.full, what.cases, what.full, rounds=200).metrics


def test_with_time_enough_nothing_changes_but_the_order(asked, monkeypatch):
    model, what = asked
    whole = measured(model, NAMES, what, SETTINGS, Budget())
    budget = Budget(1e6, Clock(monkeypatch, 0.1, 0.1))
    found = measured(model, NAMES, what, SETTINGS, budget)
    assert budget.given_up == []
    for name, metric in whole.metrics.items():
        assert found.metrics[name].value == pytest.approx(metric.value)
    assert sorted(found.cases["ndcg_at_10"]) == sorted(whole.cases["ndcg_at_10"])


def test_there_are_as_many_cases_as_there_is_time_for(asked, monkeypatch):
    model, what = asked
    clock = Clock(monkeypatch, 1.0, 0.0)
    budget = Budget(60.0, clock)
    found = measured(model, NAMES, what, SETTINGS, budget)
    assert len(found.cases["ndcg_at_10"]) == 40
    assert clock.now <= 60
    assert budget.given_up == [f"cases of the test: 40 of {len(what.cases)}"]
    # A sample of all: some of the second half, which were not asked first.
    assert 0 < found.metrics["ndcg_at_10"].value < 1


def test_there_are_as_many_resamples_as_there_is_time_for(asked, monkeypatch):
    model, what = asked
    clock = Clock(monkeypatch, 0.0, 1.0)
    budget = Budget(1030.0, clock)
    settings = replace(SETTINGS, rounds=2000)
    measured(model, NAMES, what, settings, budget)
    assert 900 < clock.now <= 1031
    assert budget.given_up[0].startswith("resamples for intervals: ")
    assert "of 2,000" in budget.given_up[0]


def test_however_little_time_there_is_something_is_measured(asked, monkeypatch):
    model, what = asked
    found = measured(model, NAMES, what, SETTINGS, Budget(0.0, Clock(monkeypatch, 1.0, 1.0)))
    assert len(found.cases["ndcg_at_10"]) == 10
    low, value, high = (getattr(found.metrics["hr_at_10"], end) for end in ("low", "value", "high"))
    assert low <= value <= high
    assert np.isfinite(high)
