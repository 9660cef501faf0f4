"""The auction benchmark on a short market: every figure, and bars that can be missed."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks import bid_auction
from benchmarks.harness import Arguments
from training.evaluate.auction.market import draw
from training.evaluate.auction.prices import made_up


@pytest.fixture
def short(monkeypatch):
    honest = bid_auction.market_settings

    def settings(data):
        return replace(honest(data), slots=120, a_minute=20.0)

    monkeypatch.setattr(bid_auction, "market_settings", settings)
    monkeypatch.setattr(bid_auction, "QUICK_BUCKETS", 4)
    quick = bid_auction.Landscaped

    def landscaped(rng, buckets=4):
        return quick(rng, buckets=min(buckets, 4))

    monkeypatch.setattr(bid_auction, "Landscaped", landscaped)


def test_every_figure_is_there(short):
    outcome = bid_auction.run(Arguments(runs=1))
    figures = outcome.figures
    for name in ("surplus", "best_constant", "spend_error", "cpa_error", "hindsight_share"):
        assert np.isfinite(figures[name]), name
    assert figures["overspent"] == 0.0
    assert figures["ratio"] == pytest.approx(figures["surplus"] / figures["best_constant"])
    assert 0 < figures["hindsight_share"] < 1
    assert {bar.name for bar in outcome.bars} == {"ratio", "spend_error", "overspent", "cpa_error"}
    assert len(outcome.notes) == 1
    assert "simulated" in outcome.notes[0]


def test_bidding_the_value_in_first_price_misses_the_bar(short, monkeypatch):
    class Truthful:
        def __init__(self, *_given, **_named):
            pass

        def bid(self, opening):
            return opening.value

        def learn(self, opening, told):
            pass

    monkeypatch.setattr(bid_auction, "Landscaped", Truthful)
    outcome = bid_auction.run(Arguments(runs=1))
    assert "ratio" in {bar.name for bar in outcome.bars if not bar.holds}
    assert outcome.figures["surplus"] == pytest.approx(0.0, abs=1e-3)


def test_the_worst_seed_counts():
    assert bid_auction.WORST["ratio_worst"] is min
    assert bid_auction.WORST["cpa_error"] is max


def test_hours_are_learned_from_another_day():
    settings = replace(bid_auction.market_settings(None), a_minute=20.0, slots=1440)
    assert settings.prices.counts.tolist() == made_up().counts.tolist()
    hourly = bid_auction.hours_of(draw(settings, np.random.default_rng(0)))
    assert hourly.shape == (24,)
    assert hourly[20] > 1.3 * hourly[8]
