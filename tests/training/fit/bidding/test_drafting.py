"""From logs on disk to a bundle that answers, with its card."""

import pytest

from domain.errors import ScientistError, TooLittleData
from feature_store.history import History
from feature_store.settings import Home, settings_from_env
from models.bundle import open_bundle, write_bundle
from models.families import load_scorer
from tests.training.fit.bidding.exchange import START, STEP, exchange, write_logs
from training.fit.bidding.drafting import draft_of, fit_log
from training.logbook import Log, load_log

QUICK = {"most_trees": 30, "price_buckets": 4}
N = 6_000
NOW = START + 2 * N * STEP


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home whose logs hold a made-up exchange; the environment names it."""
    folder = Home(tmp_path_factory.mktemp("home"))
    write_logs(folder, *exchange(N))
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("REDIS_URL", raising=False)
        patch.setenv("SANDERLING_HOME", str(folder.root))
        yield folder


@pytest.fixture(scope="module")
def log(home):
    return load_log(home, settings_from_env()[0])


def test_logs_become_a_bundle_that_answers(log, tmp_path):
    fitted, settings = fit_log(log, QUICK, NOW)
    bundle = write_bundle(tmp_path, draft_of(log, fitted, settings, NOW))
    loaded = load_scorer(open_bundle(bundle.path))
    row = fitted.golden.rows[2]
    assert loaded.answer(row["input"]) == row["output"]
    # Of the last hour's bids without a word it is too soon to say.
    assert N - 60 <= fitted.found["notices"] < N
    assert fitted.found["conversions"] > 30
    assert bundle.manifest.metrics["auc"].value > 0.6
    assert set(bundle.manifest.views) == {"rfm", "session"}
    text = (bundle.path / "card.md").read_text()
    assert "Bidding" in text
    assert "standard bid" in text


def test_nothing_after_the_end_is_looked_at(log):
    half = START + N // 2 * STEP
    fitted, _ = fit_log(log, {**QUICK, "as_of": str(half)}, NOW)
    assert N // 2 - 60 <= fitted.found["notices"] <= N // 2
    assert fitted.split["until"] == half
    assert fitted.split["test_from"] < half


def test_without_logged_bids_it_is_told_what_is_missing(log, tmp_path, monkeypatch):
    monkeypatch.setenv("SANDERLING_HOME", str(tmp_path))
    with pytest.raises(TooLittleData, match="clicks after logged bids"):
        fit_log(Log(History.from_events([]), (), ""), QUICK, NOW)


def test_a_setting_that_makes_no_sense_is_refused(log):
    with pytest.raises(ScientistError):
        fit_log(log, {"leaves": 99}, NOW)
