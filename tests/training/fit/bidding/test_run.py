"""The whole fit on a made-up exchange whose rules are known."""

import numpy as np
import pytest

from domain.errors import TooLittleData
from feature_store.history import History
from models.bidding.columns import common_row, own_codes
from models.bidding.value import CPA, Line
from training.fit.bidding.bids import after, bids_of
from training.fit.bidding.learner import chances
from training.fit.bidding.run import fit_table, parts_of, worth_of
from training.fit.bidding.settings import BiddingSettings
from training.fit.bidding.table import notices_of, table_of

from tests.training.fit.bidding.exchange import (  # isort: skip
    CONVERTS,
    PRICE,
    SPREAD,
    START,
    STEP,
    chance,
    exchange,
)

N = 9_000
UNTIL = START + N * STEP
SETTINGS = BiddingSettings(most_trees=60, least_conversions=30)


def gathered(n=N, seed=0):
    """Bids with their outcomes, and the history, as reading the log would give them."""
    decisions, events = exchange(n, seed)
    known = {}
    for decision in decisions:
        row = decision._asdict()
        known |= {bid.bid: bid for bid in bids_of(row)}
    for event in events:
        if event.at < UNTIL:
            said = {**event._asdict(), "currency_code": 0, "value": event.value or 0}
            known[event.decision_id] = after(known[event.decision_id], said, SETTINGS)
    bids = [bid._replace(won=False) if bid.won is None else bid for bid in known.values()]
    return bids, History.from_events(events)


@pytest.fixture(scope="module")
def fitted():
    bids, history = gathered()
    table = table_of(bids, history, UNTIL)
    notices = notices_of(bids, SETTINGS.price_buckets)
    return table, notices, fit_table(table, notices, SETTINGS, UNTIL)


def test_clicks_are_foretold_close_to_the_truth(fitted):
    model = fitted[2].model
    one, ones = own_codes("shoes", "shoes-1", "banner")[None], np.ones(1)
    terms = Line(np.array([CPA]), ones, ones * 1e6, ones, ones, ones)
    for site in ("good", "plain", "poor"):
        for intent in (0.2, 0.8):
            context = {"exchange": "x", "site": site, "hour": "5"}
            found = model.value(common_row(context, {"intent": intent}), one, terms)
            truth = chance(site, intent)
            assert found.click[0] == pytest.approx(truth, rel=0.5, abs=0.02)
            assert found.confidence[0] > 0.3


def test_conversions_are_foretold_by_campaign_and_worth_is_known(fitted):
    model, ones = fitted[2].model, np.ones(1)
    clicks = fitted[0].take(fitted[0].clicked)
    foretold, unknown = chances(model.conversion, clicks.x), {}
    terms = Line(np.array([CPA]), ones, ones * 1e6, ones, ones, ones)
    for campaign, rate in CONVERTS.items():
        assert foretold[clicks.campaigns == campaign].mean() == pytest.approx(rate, abs=0.1)
        own = own_codes(campaign, f"{campaign}-1", "banner")[None]
        common = common_row({"exchange": "x", "site": "good", "hour": "5"})
        unknown[campaign] = model.value(common, own, terms).conversion[0]
    assert unknown["shoes"] > 2 * unknown["hats"]
    assert model.worth_of("shoes") == pytest.approx(20e6, rel=0.1)
    assert 4e6 < model.worth_of("hats") < 9e6
    assert model.delay == pytest.approx(2 * 3_600_000, rel=0.3)


def test_the_landscape_is_the_market_that_was_bid_in(fitted):
    model = fitted[2].model
    context = {"exchange": "x", "site": "good", "hour": "5", "floor": "10"}
    assert model.landscape.chance(context, np.exp(PRICE)) == pytest.approx(0.5, abs=0.06)
    higher = model.landscape.chance(context, np.exp(PRICE + SPREAD))
    assert higher == pytest.approx(1 / (1 + np.exp(-1)), abs=0.06)


def test_test_impressions_are_looked_at_after_all_others(fitted):
    table, _, found = fitted
    train, validation, test = parts_of(table, SETTINGS)
    assert train.at[-1] <= validation.at[0] <= validation.at[-1] <= test.at[0]
    assert len(found.judged.y) == len(test.at)
    assert found.metrics["auc"].value > 0.65
    assert found.metrics["gain"].low > 0
    assert found.metrics["foretold_over_seen"].value == pytest.approx(1.0, abs=0.25)
    assert found.split["test_from"] == test.at[0]


def test_golden_rows_are_the_models_own(fitted):
    found = fitted[2]
    for row in found.golden.rows:
        assert found.model.answer(row["input"]) == row["output"]


def test_judging_alone_gives_the_same_test_figures(fitted):
    table, notices, found = fitted
    again = fit_table(table, notices, SETTINGS, UNTIL, release=False)
    np.testing.assert_array_equal(again.judged.chance, found.judged.chance)


def test_too_few_clicks_are_told_and_few_notices_leave_a_landscape_that_is_unsure(fitted):
    table, notices, _ = fitted
    with pytest.raises(TooLittleData, match="clicks after logged bids"):
        fit_table(table.take(slice(0, 60)), notices, SETTINGS, UNTIL)
    few = notices._replace(
        places=notices.places[:3], kind=notices.kind[:3], low=notices.low[:3], high=notices.high[:3]
    )
    strict = BiddingSettings(most_trees=20, least_conversions=10_000)
    found = fit_table(table, few, strict, UNTIL, release=False)
    assert found.found["conversion_trees"] == 0
    assert found.model.landscape.chance({}, 1e6) == pytest.approx(0.5)
    assert len(found.model.conversion.forest) == 0


def test_worth_of_a_campaign_is_drawn_to_everybodys(fitted):
    table = fitted[0]
    none = table._replace(converted=np.zeros(len(table.at), bool))
    assert worth_of(none) == {"": 0.0}
    worth = worth_of(table)
    assert worth["hats"] < worth[""] < worth["shoes"]
