"""Contests between churn models: proper values a row, the same rows for everyone."""

import numpy as np
import pytest

from domain.errors import ScientistError
from models.bundle import Draft, write_bundle
from tests.training.leaving import at_day, leaving_shop
from training.evaluate.churn import cases_of, hold
from training.fit.churn.drafting import draft_of, fit_log
from training.logbook import Log

FAST = {
    "horizon_days": 30.0,
    "active_days": 90.0,
    "leaves": [4],
    "trees": [30],
    "penalties": [0.02],
    "rounds": 20,
    "step_days": 20.0,
    "btyd": [],
    "hazard": False,
    "attributes": False,
}
NOW = at_day(1000)


@pytest.fixture(scope="module")
def log() -> Log:
    return Log(leaving_shop(450, seed=2), (), "made up")


@pytest.fixture(scope="module")
def make(log, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundles")

    def made(**changes):
        fitted, settings = fit_log(log, FAST | changes, NOW)
        draft: Draft = draft_of(log, fitted, settings, NOW)
        return write_bundle(folder, draft), fitted

    return made


def test_what_decides_is_the_loss_saved_on_prevalence() -> None:
    y = np.array([1, 0], np.uint8)
    rate = np.full(2, 0.5)
    found = cases_of(y, np.array([0.8, 0.4]), rate)
    assert found["gain"] == pytest.approx(np.log([0.8 / 0.5, 0.6 / 0.5]))
    assert found["brier"] == pytest.approx([0.96, 0.84])
    assert found["likelihood"] == pytest.approx([0.8, 0.6])
    assert cases_of(y, rate, rate)["gain"].tolist() == [0, 0]


def test_the_challenger_is_asked_what_its_fit_was_asked(log, make) -> None:
    bundle, fitted = make()
    contest = hold(log, bundle, None, "as-fitted")
    assert set(contest.cases) >= {"challenger", "popularity", "recency", "logistic", "trees"}
    gain = contest.cases["challenger"]["gain"].mean()
    assert gain == pytest.approx(fitted.metrics["gain_over_prevalence"].value)
    assert gain > contest.cases["popularity"]["gain"].mean() == 0


def test_a_champion_of_the_same_definition_answers_the_same_rows(log, make) -> None:
    challenger, champion = make()[0], make(penalties=[2.0])[0]
    contest = hold(log, challenger, champion, "as-fitted")
    rows = {len(cases["gain"]) for cases in contest.cases.values()}
    assert len(rows) == 1
    assert "learned again" in contest.note
    assert not np.array_equal(
        contest.cases["champion"]["gain"], contest.cases["challenger"]["gain"]
    )


def test_a_champion_of_another_definition_is_told_apart(log, make) -> None:
    contest = hold(log, make()[0], make(horizon_days=40.0)[0], "as-fitted")
    assert "other rows" in contest.note
    assert contest.cases["champion"]["gain"].mean() == 0


def test_other_splits_are_refused(log, make) -> None:
    with pytest.raises(ScientistError, match="rolling"):
        hold(log, make()[0], None, "time")
