"""The e-mail benchmark on a made-up experiment in the same columns, and the lot of the real one."""

import gzip
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from benchmarks.churn_hillstrom import SETTINGS, run_hillstrom, trial_of
from benchmarks.churn_quality import run
from benchmarks.harness import Arguments, data_folder
from domain.errors import ScientistError, TooLittleData
from training.fit.uplift.balance import check_random
from training.fit.uplift.learners import Hands
from training.fit.uplift.tables import read_table

QUICK = replace(SETTINGS, learners=["x"], leaves=[4], trees=[40], choosing=1, repeats=2, rounds=40)


def write(folder, strength=0.3, rows=6000, chosen=False):
    """Write an experiment in which e-mail brings those who bought lately."""
    rng = np.random.default_rng(0)
    recency = rng.integers(1, 13, rows)
    arm = rng.integers(0, 3, rows)
    if chosen:
        arm = np.where(recency < 5, rng.integers(0, 2, rows), arm)
    lift = strength * np.where(recency < 7, 1.0, -0.5) * (arm < 2)
    frame = pl.DataFrame(
        {
            "recency": recency,
            "history": np.round(rng.gamma(2, 100, rows), 2),
            "mens": rng.integers(0, 2, rows),
            "zip_code": np.array(["Urban", "Rural", "Surburban"])[rng.integers(0, 3, rows)],
            "segment": np.array(["Mens E-Mail", "Womens E-Mail", "No E-Mail"])[arm],
            "visit": (rng.random(rows) < 0.4 + lift).astype(int),
            "conversion": 0,
            "spend": 0.0,
        }
    )
    (folder / "hillstrom").mkdir()
    path = folder / "hillstrom" / "hillstrom.csv.gz"
    path.write_bytes(gzip.compress(frame.write_csv().encode()))
    return Arguments(data=folder, dataset="hillstrom")


def test_every_figure_is_there_with_its_interval(tmp_path):
    outcome = run_hillstrom(write(tmp_path), QUICK)
    figures = outcome.figures
    for name in ("qini", "saved_at_20", "gain_over_risk", "risk_qini", "mean_effect"):
        assert figures[f"{name}_low"] <= figures[name] <= figures[f"{name}_high"]
    assert outcome.holds
    assert figures["fifth_1_seen"] > 0.15 > 0 > figures["fifth_5_seen"]
    assert figures["rows"] == pytest.approx(3000, abs=200)
    assert any("out of halves" in note for note in outcome.notes)


def test_an_e_mail_that_does_nothing_misses_the_bar(tmp_path):
    outcome = run_hillstrom(write(tmp_path, strength=0.0), QUICK)
    assert not outcome.holds
    assert outcome.figures["qini_low"] <= 0


def test_what_comes_after_the_e_mail_is_no_attribute(tmp_path):
    arguments = write(tmp_path)
    frame = read_table(arguments.need("hillstrom", "hillstrom.csv.gz"))
    train, test = trial_of(frame, QUICK)
    named = {name.partition("=")[0] for name in train.names}
    assert named == {f"attribute.{name}" for name in ("recency", "history", "mens", "zip_code")}
    assert not set(train.keys.tolist()) & set(test.keys.tolist())
    assert len(train) + len(test) == 6000


def test_an_experiment_with_chosen_arms_is_refused(tmp_path):
    with pytest.raises(ScientistError, match="recency"):
        run_hillstrom(write(tmp_path, chosen=True), QUICK)


def test_the_churn_benchmark_knows_it(tmp_path):
    with pytest.raises(TooLittleData, match="hillstrom"):
        run(Arguments(data=tmp_path, dataset="hillstrom"))


def test_the_real_experiment_was_dealt_by_lot():
    folder = data_folder(None)
    if folder is None or not (folder / "hillstrom").is_dir():
        pytest.skip("the public logs are not here")
    frame = read_table(folder / "hillstrom" / "hillstrom.csv.gz")
    train, _ = trial_of(frame, SETTINGS)
    assert 31_000 < len(train) < 33_000
    assert check_random(train, Hands()).p > 0.05
    assert train.outcome[train.treated].mean() > train.outcome[~train.treated].mean() + 0.04
