"""The uplift benchmark on a small simulated trial: figures, bars, and that they can be missed."""

import numpy as np
import pytest

from benchmarks import uplift
from benchmarks.harness import Arguments
from training.fit.uplift.settings import UpliftSettings


@pytest.fixture
def quick(monkeypatch):
    def settings():
        return UpliftSettings(
            learners=["x"], leaves=[4], trees=[50], choosing=1, repeats=2, rounds=40
        )

    monkeypatch.setattr(uplift, "UpliftSettings", settings)
    monkeypatch.setattr(uplift, "CUSTOMERS", 8_000)


def test_every_figure_is_there_with_its_interval(quick):
    figures = uplift.run(Arguments()).figures
    for name in ("oracle_share", "qini", "gain_over_risk"):
        assert figures[f"{name}_low"] <= figures[name] <= figures[f"{name}_high"]
    assert figures["risk_share"] < figures["random_share"] < figures["oracle_share"] < 1
    assert 0 < figures["true_qini"] < figures["oracle_qini"]
    assert 0.5 < figures["coverage"] <= 1
    bars = {bar.name: bar.holds for bar in uplift.run(Arguments()).bars}
    assert set(bars) == {"oracle_share", "gain_over_risk_low", "random_over_risk", "qini_low"}


def test_an_order_that_says_nothing_misses_the_bars(quick, monkeypatch):
    honest = uplift.judge

    def blind(*given):
        judged = honest(*given)
        shuffled = np.random.default_rng(0).permutation(len(judged.effect))
        return judged.__class__(**{**vars(judged), "effect": judged.effect[shuffled]})

    monkeypatch.setattr(uplift, "judge", blind)
    outcome = uplift.run(Arguments())
    missed = {bar.name for bar in outcome.bars if not bar.holds}
    assert "oracle_share" in missed
    assert outcome.figures["oracle_share"] == pytest.approx(
        outcome.figures["random_share"], abs=0.1
    )


def test_several_runs_are_several_trials(quick):
    outcome = uplift.run(Arguments(runs=2))
    recipes = [note for note in outcome.notes if "Recipe" in note]
    assert len(recipes) == 2
    assert all("simulated" in note for note in recipes)
