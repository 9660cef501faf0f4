"""The intent benchmark on small made-up logs: protocols, figures, bars, what is refused."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks import intent_quality
from benchmarks.harness import Arguments
from benchmarks.intent_quality import BARS, HELD_OUT, SHOP_CUT, TAOBAO_CUT, run, taobao_case
from domain.clock import DAY_MS, MINUTE_MS
from domain.errors import TooLittleData
from training.fit.intent import aggregates


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Few trees and one short epoch."""
    small = {"width": 8, "layers": 1, "heads": 2, "epochs": 1}
    monkeypatch.setattr(aggregates, "LEAVES", (4,))
    monkeypatch.setattr(aggregates, "TREES", (20,))
    monkeypatch.setattr(intent_quality, "SIMULATED", replace(intent_quality.SIMULATED, **small))


@pytest.fixture(scope="module")
def simulated():
    return intent_quality.simulated_case(Arguments(runs=600))


def test_shoppers_and_weeks_are_held_out(simulated):
    sessions, labels, learned, tested, _, best = simulated
    begun, users = sessions.starts[sessions.session], sessions.entities[sessions.session]
    assert learned.any()
    assert tested.any()
    assert begun[learned].max() < SHOP_CUT <= begun[tested].min()
    assert labels.known[learned].max() < SHOP_CUT
    assert not set(users[learned].tolist()) & set(users[tested].tolist())
    assert (users[tested] % HELD_OUT == 0).all()
    assert set(sessions.position[tested].tolist()) == {5}
    assert best is not None
    assert len(best) == len(sessions.ats)


def test_everybody_has_figures_and_the_optimum_is_the_best(simulated):
    figures, notes = intent_quality.contest(simulated, "simulated")
    for name in ("auc", "average_precision", "balanced_accuracy", "base_rate", "lstm_auc",
                 "lightgbm_auc", "oracle_share", "majority_accuracy", "optimum_auc"):  # fmt: skip
        assert name in figures
    rivals = [value for name, value in figures.items() if name.endswith("_auc")]
    assert figures["optimum_auc"] == max(rivals)
    assert figures["auc_low"] <= figures["auc"] <= figures["auc_high"]
    difference = figures["lstm_auc"] - figures["lightgbm_auc"]
    assert figures["lstm_over_lightgbm"] == pytest.approx(difference)
    assert notes[0].startswith("champion ")


def _line(user, item, kind, at_ms):
    return f"{user},{item},{item // 10},{kind},{at_ms // 1000}"


def test_the_public_log_is_asked_after_three_events_of_four(tmp_path):
    early, late = TAOBAO_CUT - DAY_MS, TAOBAO_CUT + DAY_MS
    lines = []
    visits = {1: ("pv pv pv buy", early), 2: ("pv pv pv pv", late), 3: ("pv pv pv buy", late),
              4: ("pv buy pv pv pv", late), 5: ("pv pv pv", late)}  # fmt: skip
    for user, (kinds, start) in visits.items():
        for place, kind in enumerate(kinds.split()):
            lines.append(_line(user, 10 * user + place, kind, start + place * MINUTE_MS))
    folder = tmp_path / "taobao-behaviour"
    folder.mkdir()
    (folder / "small_sample.csv").write_text("\n".join(lines) + "\n")
    sessions, labels, learned, tested, _, best = taobao_case(Arguments(data=tmp_path))
    assert best is None
    assert int(tested.sum()) == 2
    assert sorted(labels.y[tested].tolist()) == [0, 1]
    assert int(learned.sum()) == 3
    assert (sessions.starts[sessions.session][learned] < TAOBAO_CUT).all()
    assert (sessions.categories != 0).all()


def test_bars_are_held_or_missed(monkeypatch):
    good = {"auc": 0.7, "lstm_over_lightgbm": 0.0, "oracle_share": 0.96}
    monkeypatch.setattr(intent_quality, "contest", lambda case, name: (dict(good), ["told"]))
    cases = dict.fromkeys(BARS, lambda arguments: None)
    monkeypatch.setattr(intent_quality, "CASES", cases)
    outcome = run(Arguments())
    assert outcome.holds
    assert outcome.figures["taobao_behaviour_auc"] == 0.7
    assert {bar.name for bar in run(Arguments(dataset="simulated")).bars} == set(BARS["simulated"])
    good["oracle_share"] = float(np.nan)
    assert not run(Arguments(dataset="simulated")).holds


def test_a_log_that_is_not_there_is_said(tmp_path):
    with pytest.raises(TooLittleData, match="no such log"):
        run(Arguments(dataset="nonesuch"))
    with pytest.raises(TooLittleData, match="taobao-behaviour"):
        run(Arguments(data=tmp_path, dataset="taobao-behaviour"))
