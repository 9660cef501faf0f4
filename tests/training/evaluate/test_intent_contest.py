"""Contests between intent models: the same sessions for everyone, each with its own settings."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from domain.errors import ScientistError
from feature_store.history import History
from models.bundle import Bundle, write_bundle
from tests.training.fit.intent.shop import END, QUICK, events_of, history_of
from training.evaluate.intent_contest import hold
from training.fit.intent import aggregates
from training.fit.intent.drafting import draft_of, fit_log
from training.fit.intent.run import Fitted
from training.logbook import Log

FAST = {**QUICK, "epochs": 1, "champion": "network"}
Make = Callable[..., tuple[Bundle, Fitted]]


@pytest.fixture(scope="module")
def log() -> Log:
    return Log(history_of(), (), "made up")


@pytest.fixture(scope="module")
def make(log: Log, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Make]:
    folder: Path = tmp_path_factory.mktemp("bundles")

    def made(**changes: object) -> tuple[Bundle, Fitted]:
        fitted, settings = fit_log(log, {**FAST, **changes}, END)
        return write_bundle(folder, draft_of(log, fitted, settings, END)), fitted

    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("REDIS_URL", raising=False)
        patch.setenv("SANDERLING_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setattr(aggregates, "TREES", (10,))
        patch.setattr(aggregates, "LEAVES", (4,))
        yield made


@pytest.fixture(scope="module")
def challenger(make: Make) -> tuple[Bundle, Fitted]:
    return make()


def test_the_challenger_is_asked_what_its_fit_was_asked(
    log: Log, challenger: tuple[Bundle, Fitted]
) -> None:
    bundle, fitted = challenger
    contest = hold(log, bundle, None, "as-fitted")
    assert {"challenger", "popularity", "lastevent", "markov2", "network"} <= set(contest.cases)
    gain = contest.cases["challenger"]["gain"].mean()
    assert gain == pytest.approx(fitted.metrics["gain_over_majority"].value)
    assert gain > contest.cases["popularity"]["gain"].mean() == 0


def test_events_since_the_fit_are_nobodys_question(
    log: Log, challenger: tuple[Bundle, Fitted]
) -> None:
    bundle, fitted = challenger
    longer = Log(History.from_events(events_of(150, 14)), (), "made up")
    assert longer.history.events > log.history.events
    rows = hold(longer, bundle, None, "as-fitted").cases["challenger"]["gain"]
    until = bundle.manifest.data.split["until"]
    assert fitted.split["until"] == until
    assert len(rows) > 0


def test_a_champion_of_the_same_question_answers_the_same_rows(
    log: Log, make: Make, challenger: tuple[Bundle, Fitted]
) -> None:
    champion = make(core="gru")[0]
    contest = hold(log, challenger[0], champion, "as-fitted")
    assert len({len(cases["gain"]) for cases in contest.cases.values()}) == 1
    assert "learned again" in contest.note
    assert not np.array_equal(
        contest.cases["champion"]["gain"], contest.cases["challenger"]["gain"]
    )


def test_a_champion_of_another_question_is_told_apart(
    log: Log, make: Make, challenger: tuple[Bundle, Fitted]
) -> None:
    contest = hold(log, challenger[0], make(target="add_to_cart")[0], "as-fitted")
    assert "another question" in contest.note
    assert contest.cases["champion"]["gain"].mean() == 0


def test_only_the_fits_own_split_is_asked(log: Log, challenger: tuple[Bundle, Fitted]) -> None:
    with pytest.raises(ScientistError, match="as-fitted"):
        hold(log, challenger[0], None, "leave-one-out")
