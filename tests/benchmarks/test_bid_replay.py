"""The bidding replays on made-up auctions, and the lot of the real ones."""

import gzip

import numpy as np
import pytest

from benchmarks import bid_replay
from benchmarks.bid_replay import arbitrage, read_auctions, run
from benchmarks.harness import Arguments, data_folder
from domain.errors import ScientistError, TooLittleData
from training.evaluate.replay_auctions import Auctions


def made_up(seed, n=20_000, skill=1.0):
    """Clicks three times as likely as predicted; prices that know nothing."""
    rng = np.random.default_rng(seed)
    predicted = np.clip(rng.lognormal(-6.5, 1.5, n), 1e-6, 0.2)
    chance = np.clip(3 * predicted**skill, 0, 0.9)
    clicks = (rng.random(n) < chance).astype(float)
    return Auctions(clicks, np.round(rng.lognormal(4, 0.7, n)), predicted)


def test_a_bidder_that_recalibrates_earns_more_than_one_that_believes():
    outcome = arbitrage(made_up(0), made_up(1))
    assert outcome.figures["profit"] > outcome.figures["truthful_profit"] > 0
    assert outcome.figures["spent"] <= outcome.figures["budget"]


def test_planning_is_replayed_beside_and_earns_as_believing_does_where_money_is_enough():
    figures = arbitrage(made_up(0), made_up(1)).figures
    assert figures["planned_clicks"] > 0
    # A plan for profit bids the value unless money runs short; here it never does.
    assert figures["planned_profit"] == pytest.approx(figures["truthful_profit"], rel=0.02)


def test_a_market_without_gain_misses_the_bar():
    rng = np.random.default_rng(2)
    flat = Auctions(
        (rng.random(5000) < 0.001).astype(float), np.full(5000, 200.0), np.full(5000, 0.001)
    )
    assert not arbitrage(flat, flat).holds


def test_both_cases_are_measured_and_named(tmp_path, monkeypatch):
    folder = tmp_path / "ipinyou-1458"
    (folder / "arbitrage").mkdir(parents=True)
    for number, part in enumerate(("train", "test")):
        rows = np.stack(made_up(number, 4000), axis=1)
        text = "\n".join(f"{int(c)}\t{int(p)}\t{q:.6f}\t1" for c, p, q in rows)
        (folder / f"{part}.txt").write_text(text)
        (folder / "arbitrage" / f"1458.{part}.txt.gz").write_bytes(gzip.compress(text.encode()))
    assert read_auctions(folder / "train.txt").prices[0] == made_up(0, 4000).prices[0]
    monkeypatch.setattr(bid_replay, "TRIED", bid_replay.TRIED[:2])
    whole = run(Arguments(data=tmp_path))
    assert "1458-control clicks" in whole.figures
    assert "1458-arbitrage profit" in whole.figures
    assert {bar.name for bar in whole.bars} >= {"1458-arbitrage profit", "1458-control clicks"}


def test_an_unknown_case_is_told():
    with pytest.raises(ScientistError, match="1458-control"):
        run(Arguments(case="9999"))


def test_without_the_log_nothing_is_measured():
    with pytest.raises(TooLittleData):
        run(Arguments(case="1458-control"))


@pytest.mark.skipif(data_folder(None) is None, reason="the public logs are not here")
def test_the_replay_gives_the_published_figures_of_truthful_bidding():
    folder = data_folder(None)
    assert folder is not None
    parts = [folder / "ipinyou-1458" / "arbitrage" / f"1458.{p}.txt.gz" for p in ("train", "test")]
    train, test = map(read_auctions, parts)
    worth = float(bid_replay.PAYOFF * train.prices.sum() / train.clicks.sum())
    bought = bid_replay._truthful(test, worth, float(test.prices.sum() / 16))
    assert bought == (3, 601, 11_862.0)
    assert bought.profit(worth) / 1e3 == pytest.approx(44.72, abs=0.005)
