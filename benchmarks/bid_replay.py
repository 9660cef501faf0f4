"""Bidding on logged second-price auctions: profit of an arbitrage, and holding a cost a click.

Protocols of the two public experiments (Zhang and Wang, "Statistical arbitrage mining for display
advertising", KDD 2015; Zhang and others, "Feedback control of real-time display advertising", WSDM
2016). Everything is learned and chosen on the train file. Knows nothing of how.
"""

import itertools
from pathlib import Path

import numpy as np

from benchmarks.harness import Arguments, Outcome, at_least, at_most
from domain.errors import ScientistError
from models.bidding.control import Gains
from models.bidding.planning import Market, Plan, plan
from training.evaluate.controlled_replay import (
    rounds_of,
    run_rounds,
    settles_at,
    tune,
    worlds_of,
)
from training.evaluate.replay_auctions import (
    Auctions,
    Bought,
    price_chances,
    replay,
    replay_planned,
)
from training.fit.bidding.click_curve import ClickCurve, choose_shape, fit_curve

DATASET = "ipinyou-1458"
PAYOFF, BUDGET_SHARE = 0.2, 1 / 16
ROUNDS, REFERENCE = 40, 40_000.0
SETTLE_BY, LEAST_CLICKS = 36, 16
_SEED = 1
HORIZON, VALUES, ROOM = 200, 200, 3.0
"""Auctions that the plan looks ahead, values it tells apart, and by how much its budget may
exceed the mean of so many auctions."""

TRIED = [
    Gains(p, i, d, float(np.log(start)), low, high, prior)
    for p, i, d, start, (low, high), prior in itertools.product(
        (4.0, 8.0, 15.0),
        (0.05, 0.2),
        (0.0, 0.5, 2.0),
        (1.0, 1.5, 2.25),
        ((-2.0, 2.0), (-3.0, 1.0), (-1.0, 3.0)),
        (0.5, 2.0),
    )
]


def read_auctions(path: Path) -> Auctions:
    """Read click, price and predicted click of every line; gzip or plain."""
    columns = np.loadtxt(path, usecols=(0, 1, 2), ndmin=2)
    return Auctions(*(np.ascontiguousarray(columns[:, place]) for place in range(3)))


def _learn(train: Auctions) -> tuple[ClickCurve, str]:
    shape, found = choose_shape(train.predicted, train.prices, train.clicks)
    curve = fit_curve(shape, train.predicted, train.prices, train.clicks)
    return curve, f"{shape}, log-likelihood out of stretch {found[shape]:.1f}"


def arbitrage(train: Auctions, test: Auctions) -> Outcome:
    """Buy where a click is worth PAYOFF of what the train file paid for one; profit in its unit.

    Replayed beside: truthful bidding, and planning with a known horizon (planning.py; Cai and
    others, WSDM 2017), which takes the price not to depend on the click.
    """
    worth = float(PAYOFF * train.prices.sum() / train.clicks.sum())
    budget = float(test.prices.sum() * BUDGET_SHARE)
    curve, told = _learn(train)
    bids = curve.bids(test.predicted, worth, price_chances(train.prices))
    ours = replay(test, bids, budget)
    value = worth * test.predicted
    planned = replay_planned(
        test, value, _plan(train, worth, budget / len(test.prices)).bid, budget
    )
    figures = {
        "profit": ours.profit(worth) / 1e3,
        "clicks": float(ours.clicks),
        "wins": float(ours.wins),
        "spent": ours.spent / 1e3,
        "budget": budget / 1e3,
        "truthful_profit": _truthful(test, worth, budget).profit(worth) / 1e3,
        "planned_profit": planned.profit(worth) / 1e3,
        "planned_clicks": float(planned.clicks),
    }
    return Outcome(figures, [at_least("profit", figures, 64.0)], [told])


def _plan(train: Auctions, worth: float, each: float) -> Plan:
    """Answer the plan for profit with `each` ticks an auction, learned from the train file."""
    quantiles = (np.arange(VALUES) + 0.5) / VALUES
    market = Market(price_chances(train.prices), worth * np.quantile(train.predicted, quantiles))
    return plan(market, HORIZON, int(ROOM * HORIZON * each), 1.0)


def _truthful(test: Auctions, worth: float, budget: float) -> Bought:
    # The published code rounds bids down to whole ticks.
    return replay(test, np.floor(worth * test.predicted), budget)


def control(train: Auctions, test: Auctions) -> Outcome:
    """Hold the cost a click at REFERENCE over ROUNDS rounds; tuned on resampled train rounds.

    rounds_to_band counts from 0 and takes cost / clicks; the published code divides by
    clicks + 1, which is the other figure. Both are held to the bar.
    """
    curve, told = _learn(train)
    train_rounds = rounds_of(
        train.prices, train.clicks, curve.chance(train.predicted, train.prices), ROUNDS
    )
    tuned = tune(
        train_rounds,
        REFERENCE,
        TRIED,
        worlds_of(ROUNDS, 300, _SEED),
        by=SETTLE_BY,
        least=LEAST_CLICKS,
    )
    rounds = rounds_of(test.prices, test.clicks, curve.chance(test.predicted, test.prices), ROUNDS)
    trace = run_rounds(rounds, np.arange(ROUNDS), tuned.gains, REFERENCE)
    figures = {
        "rounds_to_band": float(settles_at(trace, REFERENCE)),
        "rounds_to_band_clicks_plus_1": float(settles_at(trace, REFERENCE, 1.0)),
        "clicks": float(trace.clicks[-1]),
        "ecpc": float(trace.cost[-1] / max(trace.clicks[-1], 1.0)),
        "reference": REFERENCE,
        "train_holds": tuned.holds,
        "train_clicks": tuned.clicks,
    }
    bars = [
        at_most("rounds_to_band", figures, SETTLE_BY),
        at_most("rounds_to_band_clicks_plus_1", figures, SETTLE_BY),
        at_least("clicks", figures, LEAST_CLICKS),
    ]
    return Outcome(figures, bars, [told, f"{tuned.gains}"])


def _run_arbitrage(arguments: Arguments) -> Outcome:
    paths = [
        arguments.need(DATASET, "arbitrage", f"1458.{part}.txt.gz") for part in ("train", "test")
    ]
    return arbitrage(*map(read_auctions, paths))


def _run_control(arguments: Arguments) -> Outcome:
    paths = [arguments.need(DATASET, f"{part}.txt") for part in ("train", "test")]
    return control(*map(read_auctions, paths))


CASES = {"1458-arbitrage": _run_arbitrage, "1458-control": _run_control}


def run(arguments: Arguments) -> Outcome:
    """Measure one case, or all with the case before each figure."""
    if arguments.case:
        if arguments.case not in CASES:
            raise ScientistError("no such case; one of " + ", ".join(CASES))
        return CASES[arguments.case](arguments)
    whole = Outcome({}, [])
    for case, measure in CASES.items():
        found = measure(arguments)
        whole.figures |= {f"{case} {name}": value for name, value in found.figures.items()}
        whole.bars += [bar._replace(name=f"{case} {bar.name}") for bar in found.bars]
        whole.notes += [f"{case}: {note}" for note in found.notes]
    return whole
