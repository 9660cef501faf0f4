"""Contests between bidding models, and the commands from a log to a release."""

import shutil

import pytest

from domain.errors import ScientistError
from feature_store.settings import Home, settings_from_env
from models.bundle import current_bundle, open_bundle, write_bundle
from tests.training.fit.bidding.exchange import START, STEP, exchange, write_logs
from training.cli import main
from training.evaluate.bidding import hold
from training.fit.bidding.drafting import draft_of, fit_log
from training.logbook import load_log

N = 6_000
NOW = START + 2 * N * STEP
QUICK = {"most_trees": 30, "price_buckets": 4}


@pytest.fixture(scope="module")
def home(tmp_path_factory, mlflow_template):
    """A home whose logs hold a made-up exchange; the environment names it."""
    folder = Home(tmp_path_factory.mktemp("home"))
    folder.mlflow.mkdir()
    shutil.copy(mlflow_template, folder.mlflow / "mlflow.db")
    write_logs(folder, *exchange(N))
    with pytest.MonkeyPatch.context() as patch:
        for name in ("REDIS_URL", "MLFLOW_TRACKING_URI"):
            patch.delenv(name, raising=False)
        patch.setenv("SANDERLING_HOME", str(folder.root))
        yield folder


@pytest.fixture(scope="module")
def log(home):
    return load_log(home, settings_from_env()[0])


@pytest.fixture(scope="module")
def challenger(log, tmp_path_factory):
    fitted, settings = fit_log(log, QUICK, NOW)
    folder = tmp_path_factory.mktemp("bundles")
    return write_bundle(folder, draft_of(log, fitted, settings, NOW)), fitted


def test_the_challenger_is_asked_what_its_fit_was_asked(log, challenger):
    bundle, fitted = challenger
    contest = hold(log, bundle, None, "as-fitted")
    gain = contest.cases["challenger"]["gain"]
    assert gain.mean() == pytest.approx(fitted.metrics["gain"].value)
    assert gain.mean() > contest.cases["popularity"]["gain"].mean() == 0
    assert set(contest.cases) == {"challenger", "popularity"}
    assert contest.checks == (), "a first release takes nobody's place"


def test_a_champion_with_worse_settings_is_asked_the_same_and_does_worse(log, challenger, tmp_path):
    fitted, settings = fit_log(log, {**QUICK, "most_trees": 1, "test_share": 0.3}, NOW)
    champion = write_bundle(tmp_path, draft_of(log, fitted, settings, NOW))
    contest = hold(log, challenger[0], champion, "as-fitted")
    ours, theirs = (contest.cases[who]["gain"] for who in ("challenger", "champion"))
    assert len(ours) == len(theirs)
    assert ours.mean() > theirs.mean()
    assert "learned again" in contest.note
    (check,) = contest.checks
    assert (check.name, check.passed) == ("off_policy", False), "it never bid in shadow"


def test_another_split_is_refused(log, challenger):
    with pytest.raises(ScientistError, match="as-fitted"):
        hold(log, challenger[0], None, "leave-one-out")


def test_from_the_log_to_a_release_by_commands(home, capsys):
    quick = [f"--set={name}={value}" for name, value in QUICK.items()]
    assert main(["fit", "bidding", "--no-drain", *quick]) == 0
    assert main(["evaluate", "bidding"]) == 0
    assert main(["release", "bidding"]) == 0
    out = capsys.readouterr().out
    assert "passed quality" in out
    assert "passed golden" in out
    released = current_bundle(home.bundles, "bidding")
    assert released is not None
    assert open_bundle(released).family == "bidding"
