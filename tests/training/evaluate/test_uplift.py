"""Contests between uplift models: the same held-out people for everyone."""

import numpy as np
import polars as pl
import pytest

from domain.errors import ScientistError
from models.bundle import write_bundle
from tests.training.fit.uplift.test_drafting import NOW, QUICK
from tests.training.trials import plain_trial
from training.evaluate.qini import qini_cases
from training.evaluate.uplift import cases_of, hold, recipe_of
from training.fit.uplift.drafting import draft_of, fit_log
from training.fit.uplift.learners import Recipe
from training.logbook import no_log


@pytest.fixture
def make(tmp_path):
    trial, _ = plain_trial(3000)
    path = tmp_path / "trial.csv"
    pl.DataFrame(
        {
            "customer": trial.keys,
            "a": trial.x[:, 0],
            "b": trial.x[:, 1],
            "contacted": trial.treated.astype(int),
            "left": 1 - trial.outcome,
        }
    ).write_csv(path)

    def made(**changes):
        chosen = {**QUICK, "table": str(path), **changes}
        fitted, settings = fit_log(no_log(""), chosen, NOW)
        return write_bundle(tmp_path, draft_of(no_log(""), fitted, settings, NOW)), fitted

    return made, path


def test_what_decides_is_the_qini_coefficient():
    rng = np.random.default_rng(0)
    score, seen = rng.normal(size=40), rng.normal(size=40)
    found = cases_of(score, seen)
    assert found["qini"].mean() == pytest.approx(qini_cases(score, seen).mean())
    best = np.sort(score)[20:]
    assert found["saved_at_50"].sum() == pytest.approx(seen[np.isin(score, best)].sum())
    assert cases_of(np.zeros(40), seen)["qini"].tolist() == [0.0] * 40


def test_the_challenger_is_asked_what_its_fit_was_asked(make):
    bundle, fitted = make[0]()
    contest = hold(no_log(""), bundle, None, "as-fitted")
    assert set(contest.cases) == {"challenger", "popularity", "risk"}
    mean = contest.cases["challenger"]["qini"].mean()
    assert mean == pytest.approx(fitted.metrics["qini"].value)
    assert mean > contest.cases["popularity"]["qini"].mean() == 0
    assert recipe_of(bundle) == Recipe("x", 4, 40)


def test_a_champion_answers_about_the_same_people(make):
    challenger, champion = make[0]()[0], make[0](learners=["t"], trees=[5])[0]
    contest = hold(no_log(""), challenger, champion, "as-fitted")
    assert "learned again" in contest.note
    ours, theirs = (contest.cases[who]["qini"] for who in ("challenger", "champion"))
    assert len(ours) == len(theirs)
    assert not np.array_equal(ours, theirs)


def test_another_split_or_a_changed_table_is_refused(make):
    bundle, path = make[0]()[0], make[1]
    with pytest.raises(ScientistError, match="held out"):
        hold(no_log(""), bundle, None, "time")
    with path.open("a") as file:
        file.write("9999,0,0,1,1\n")
    with pytest.raises(ScientistError, match="has changed"):
        hold(no_log(""), bundle, None, "as-fitted")
