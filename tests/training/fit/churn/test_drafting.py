"""From a log to a draft: settings travel, the card says what it is, labels need a definition."""

import pytest

from domain.errors import ScientistError
from tests.training.leaving import at_day, leaving_shop
from training.fit.churn.drafting import draft_of, fit_log
from training.logbook import Log

FAST = {
    "horizon_days": 30.0,
    "active_days": 90.0,
    "lead_days": 2.0,
    "leaves": [4],
    "trees": [30],
    "penalties": [0.02],
    "rounds": 20,
    "step_days": 20.0,
    "btyd": [],
    "hazard": False,
    "attributes": False,
}


@pytest.fixture(scope="module")
def log() -> Log:
    return Log(leaving_shop(450, seed=2), (), "made up")


@pytest.fixture(scope="module")
def draft(log):
    fitted, settings = fit_log(log, FAST, at_day(1000))
    return draft_of(log, fitted, settings, at_day(1000))


def test_the_definition_is_in_settings_and_params(draft) -> None:
    for where in (draft.settings, draft.params["definition"]):
        assert where["lead_days"] == 2.0
        assert where["horizon_days"] == 30.0
    assert draft.settings["fit"]["step_days"] == 20.0
    assert len(draft.settings["tuned"]["trials"]) > 5


def test_the_card_says_inactivity_and_how_it_was_tested(draft) -> None:
    text = draft.texts["card.md"]
    assert "# Churn" in text
    assert "risk of inactivity" in text
    assert "rolling cut-offs" in text
    assert "not causes" in text


def test_no_id_is_in_the_golden_rows(draft, log) -> None:
    names = {name[1:] for name in log.history.entities}
    assert not names & {str(value) for row in draft.golden.rows for value in row["input"]}


def test_a_label_set_is_for_contracts(log) -> None:
    with pytest.raises(ScientistError, match="contractual"):
        fit_log(log, {**FAST, "label_set": "spring"}, at_day(1000))


def test_contracts_come_from_cancel_events_without_a_label_set() -> None:
    # Nobody in this shop has a term, so there is nobody to ask about.
    empty = Log(leaving_shop(300), (), "made up")
    with pytest.raises(ScientistError, match="nobody is in the population"):
        fit_log(empty, {**FAST, "definition": "contractual"}, at_day(1000))
