"""Every family that can be fitted can be loaded, described and listed."""

import pytest

from domain.clock import DAY_MS
from domain.decisions import Decision
from feature_store.log.decisions import SCHEMA, WRITE_OPTIONS, table_of_entries
from feature_store.log.files import path_for, write_atomically
from feature_store.settings import settings_from_env
from feature_store.store import DecisionEntry
from models.families import SCORERS
from tests.training.answering import shop
from training.card import ABOUT
from training.fits import FITS
from training.logbook import Log


@pytest.mark.parametrize("name", FITS)
def test_a_family_that_is_fitted_is_served_and_described(name):
    assert name in SCORERS
    assert ABOUT[name].limits
    assert FITS[name].settings()


def test_the_recommender_is_one_of_them():
    settings = FITS["recommend"].settings()
    assert settings["split"] == "auto"
    assert settings["kind_weights"]["purchase"] == 1.0


@pytest.mark.parametrize("own", [True, False])
def test_what_was_answered_beside_the_log_is_heard(own, tmp_path, monkeypatch):
    """Decisions of a home belong to the home's log, and to no other."""
    monkeypatch.setenv("SANDERLING_HOME", str(tmp_path))
    home = settings_from_env()[1]
    history, rows, items = shop(users=400, each=4)
    decisions = [
        Decision(
            row["decision_id"], row["at"], "recommend", row["entity"], "", row["as_of"],
            tuple(row["items"]), (), (), request=row["request"],
        )
        for row in rows
    ]  # fmt: skip
    first, last = (rows[0]["at"], 0), (rows[-1]["at"], 0)
    entries = [DecisionEntry(f"{rows[0]['at']}-0", tuple(decisions))]
    path = path_for(home.decisions, 0, first, last)
    write_atomically(path, SCHEMA, iter([table_of_entries(entries)]), WRITE_OPTIONS)
    log = Log(history, tuple(items), str(home.log if own else tmp_path / "other"))
    chosen = {
        "members": ("popularity", "graph"), "test_share": 0.3, "repeats": False, "rounds": 20,
        "ranker": {"trees": 10, "earlier": 0, "folds": 3}, "threads": 1,
    }  # fmt: skip
    outcome = FITS["recommend"].fit(log, chosen, rows[-1]["at"] + DAY_MS)
    tuned = outcome.draft.settings["tuned"]
    assert tuned["choice.queries"] >= 200
    assert ("choice.decisions" in tuned) == own
