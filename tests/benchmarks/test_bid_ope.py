"""The coverage benchmark in small: truths are true, logs are logs, bars can be missed."""

import gzip

import numpy as np
import pytest

from benchmarks import bid_ope
from benchmarks.harness import Arguments


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(bid_ope, "_TRUTH_ROWS", 5_000)


@pytest.mark.parametrize("kind", bid_ope.KINDS)
def test_policies_are_policies_and_the_truth_is_theirs(small, kind):
    one = bid_ope.case(kind)
    np.testing.assert_allclose(one.target.sum(1), 1.0)
    lowest, highest = one.world.chance.min(1).mean(), one.world.chance.max(1).mean()
    assert lowest < one.truth / (one.worth or 1.0) < highest
    if one.logging is not None:
        np.testing.assert_allclose(one.logging.sum(1), 1.0)
        assert one.logging.min() >= 0.01 - 1e-12


def test_a_log_is_drawn_by_its_propensities(small):
    one = bid_ope.case("frequent")._replace(rows=20_000)
    log, odds = bid_ope.log_of(one, np.random.default_rng(0))
    assert (1 / log.propensity).mean() == pytest.approx(10, rel=0.05), "sums to the arms there are"
    weight = odds[np.arange(20_000), log.arm] / log.propensity
    assert weight.mean() == pytest.approx(1.0, abs=0.05)
    assert (weight * log.reward).mean() == pytest.approx(one.truth, rel=0.05)


def test_money_has_the_mean_it_says(small):
    one = bid_ope.case("money")._replace(rows=40_000)
    log, _ = bid_ope.log_of(one, np.random.default_rng(1))
    assert log.reward[log.reward > 0].mean() == pytest.approx(one.worth, rel=0.1)


def test_a_learning_log_is_unbiased(small):
    one = bid_ope.case("learning")._replace(rows=300)
    found = []
    for seed in range(12):
        log, odds = bid_ope.log_of(one, np.random.default_rng(seed))
        found.append((odds[np.arange(300), log.arm] / log.propensity * log.reward).mean())
    error = np.std(found, ddof=1) / np.sqrt(12)
    assert abs(np.mean(found) - one.truth) < 4 * error


def test_figures_and_the_bar(small):
    outcome = bid_ope.run(Arguments(runs=2))
    figures = outcome.figures
    assert figures["coverage"] == min(figures[name] for name in bid_ope.PROMISED)
    assert {f"{kind}_snips" for kind in bid_ope.KINDS} <= set(figures)
    assert "open_bandit_rows" not in figures


def test_a_wrong_truth_misses_the_bar(small):
    class Lied(bid_ope.Case):
        @property
        def truth(self):
            return 1.5 * super().truth

    outcome = bid_ope.run(Arguments(runs=2), lambda kind: Lied(*bid_ope.case(kind)))
    assert not outcome.holds


def test_an_open_bandit_log_is_read(tmp_path):
    folder = tmp_path / "open-bandit-men"
    folder.mkdir()
    rng = np.random.default_rng(2)
    head = ",timestamp,item_id,position,click,propensity_score,user_feature_0," + ",".join(
        f"user-item_affinity_{i}" for i in range(3)
    )
    for name in ("random_men", "bts_men"):
        rows = [
            f"{i},t,{rng.integers(3)},{1 + i % 3},{int(rng.random() < 0.2)},0.3333,a,0.0,1.0,0.0"
            for i in range(300)
        ]
        with gzip.open(folder / f"{name}.csv.gz", "wt") as file:
            file.write("\n".join([head, *rows]) + "\n")
    figures = bid_ope.open_bandit(Arguments(tmp_path))
    assert figures["open_bandit_rows"] == 600
    for name in ("learned_snips", "random_dr"):
        assert figures[f"{name}_low"] <= figures[name] <= figures[f"{name}_high"]
        assert figures[name] == pytest.approx(0.2, abs=0.12)
