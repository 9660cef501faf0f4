"""The churn benchmark on small made-up files: protocols, bars that hold and bars that miss."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from benchmarks import churn_quality
from benchmarks.churn_quality import BARS, run, telco_table
from benchmarks.harness import Arguments
from domain.errors import TooLittleData
from training.fit.churn.settings import ChurnSettings


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Few trees and few draws."""

    def settings(**given):
        quick = {"leaves": [4], "trees": [20], "penalties": [0.02], "rounds": 20, "btyd": []}
        return replace(ChurnSettings(), **(given | quick))

    monkeypatch.setattr(churn_quality, "ChurnSettings", settings)


def write_telco(folder, strength, rows=700):
    rng = np.random.default_rng(0)
    monthly = rng.random(rows) < 0.5
    left = rng.random(rows) < 1 / (1 + np.exp(1.0 - strength * (monthly - 0.5)))
    frame = pl.DataFrame(
        {
            "customerID": [f"c{n}" for n in range(rows)],
            "Contract": np.where(monthly, "Month-to-month", "Two year"),
            "tenure": rng.integers(0, 72, rows),
            "TotalCharges": [" " if n % 50 == 0 else str(n) for n in range(rows)],
            "Churn": np.where(left, "Yes", "No"),
        }
    )
    (folder / "telco-churn").mkdir()
    frame.write_csv(folder / "telco-churn" / "Telco-Customer-Churn.csv")
    return Arguments(data=folder, dataset="telco-churn", runs=1)


def test_every_figure_is_there_with_its_interval(tmp_path):
    outcome = run(write_telco(tmp_path, 3.0))
    figures = outcome.figures
    for name in ("auc", "log_loss", "average_precision", "base_rate", "logistic_auc"):
        assert figures[f"{name}_low"] <= figures[name] <= figures[f"{name}_high"]
    assert {"calibration_p", "top_decile_lift", "prevalence_log_loss"} <= set(figures)
    assert {bar.name for bar in outcome.bars} == set(BARS["telco-churn"])


def test_labels_dealt_at_random_miss_the_bar(tmp_path):
    outcome = run(write_telco(tmp_path, 0.0))
    assert not outcome.holds
    assert 0.4 < outcome.figures["auc"] < 0.6


def test_too_good_is_a_leak(tmp_path):
    outcome = run(write_telco(tmp_path, 5.0))
    missed = {bar.name for bar in outcome.bars if not bar.holds}
    assert outcome.figures["auc"] > 0.87
    assert "auc_without_leak" in missed


def test_blank_amounts_are_missing(tmp_path):
    arguments = write_telco(tmp_path, 1.0)
    table = telco_table(arguments.need("telco-churn"))
    place = table.names(None).index("attribute.TotalCharges")
    assert np.isnan(table.extra[::50, place]).all()
    assert not np.isnan(table.extra[1, place])
    assert "attribute.customerID" not in {name.partition("=")[0] for name in table.names(None)}


def test_a_log_that_is_not_there_is_said(tmp_path):
    with pytest.raises(TooLittleData, match="telco-churn"):
        run(Arguments(data=tmp_path, dataset="telco-churn"))
    with pytest.raises(TooLittleData, match="no such log"):
        run(Arguments(data=tmp_path, dataset="nonesuch"))
