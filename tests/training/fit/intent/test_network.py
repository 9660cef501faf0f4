"""Learning from sessions: the rule of order is found, padding and company are nothing."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from models.intent.vocabulary import FIELDS
from tests.training.fit.intent.ordered import (
    FIRST,
    OTHER,
    SECOND,
    encoding_of,
    examples_of,
    ordered,
)
from training.evaluate.probabilities import auc
from training.fit.intent.network import (
    Examples,
    NetworkSettings,
    fit_network,
    learn_again,
    log_odds,
    mean_loss,
)

QUICK = NetworkSettings(width=16, heads=2, dropout=0.0, rate=1e-2, epochs=14)


@pytest.fixture(scope="module")
def parts() -> tuple:
    data = [ordered(count, seed) for seed, count in enumerate((900, 200, 400))]
    encoding = encoding_of(data[0])
    return encoding.vocabulary, *(examples_of(encoding, one) for one in data)


@pytest.fixture(scope="module")
def trained(parts: tuple):
    words, train, valid, _ = parts
    return fit_network(train, valid, words, QUICK, seed=4)


def last_odds(learner, test: Examples) -> np.ndarray:
    return log_odds(learner, test).mean(axis=1)[test.asked]


def test_no_bag_of_events_tells_the_order(parts: tuple) -> None:
    test = parts[3]
    kinds = test.encoded.codes[:, FIELDS.index("kind")]
    for begin, end in pairwise(test.offsets):
        assert [int((kinds[begin:end] == kind).sum()) for kind in (FIRST, SECOND)] == [1, 1]
        assert kinds[end - 1] == OTHER


def test_the_lstm_learns_the_order(parts: tuple, trained) -> None:
    test = parts[3]
    assert auc(test.y[test.asked], last_odds(trained.learner, test)) > 0.98


@pytest.mark.parametrize(
    ("core", "settings"),
    [
        ("gru", QUICK),
        ("transformer", NetworkSettings(width=32, heads=2, dropout=0.0, patience=6, layers=1)),
    ],
)
def test_the_other_cores_learn_it_too(parts: tuple, core: str, settings: NetworkSettings) -> None:
    words, train, valid, test = parts
    learner = fit_network(train, valid, words, replace(settings, core=core), seed=4).learner
    assert auc(test.y[test.asked], last_odds(learner, test)) > 0.9


def test_labels_drawn_by_lot_teach_nothing(parts: tuple) -> None:
    words, train, valid, test = parts
    rng = np.random.default_rng(0)
    sides = rng.integers(0, 2, len(train.offsets) - 1)
    lots = train._replace(y=np.repeat(sides, np.diff(train.offsets)).astype(np.uint8))
    found = fit_network(lots, valid, words, QUICK, seed=4)
    assert abs(auc(test.y[test.asked], last_odds(found.learner, test)) - 0.5) < 0.09


def test_the_network_kept_is_that_of_the_best_epoch(parts: tuple, trained) -> None:
    valid = parts[2]
    best = min(found for _, found in trained.curve)
    assert mean_loss(log_odds(trained.learner, valid), valid) == pytest.approx(best, abs=1e-6)
    assert 0 < len(trained.rates) <= len(trained.curve) <= QUICK.epochs


def test_it_stops_when_validation_gains_no_more(parts: tuple) -> None:
    words, train, valid, _ = parts
    upside_down = valid._replace(y=1 - valid.y)
    found = fit_network(train, upside_down, words, QUICK, seed=4)
    assert len(found.curve) < QUICK.epochs


def test_the_same_epochs_again_give_the_same_network(parts: tuple, trained) -> None:
    words, train, _, test = parts
    again = learn_again(train, words, QUICK, trained.rates, seed=4)
    assert np.array_equal(log_odds(again, test), log_odds(trained.learner, test))


def test_every_epoch_is_ticked(parts: tuple) -> None:
    words, train, valid, _ = parts
    ticks: list[int] = []
    few = NetworkSettings(width=8, epochs=2, patience=5)
    found = fit_network(train, valid, words, few, tick=lambda: ticks.append(1))
    assert len(ticks) == len(found.curve) == 2


def test_the_heads_disagree_less_than_they_know(parts: tuple, trained) -> None:
    test = parts[3]
    odds = log_odds(trained.learner, test)[test.asked]
    assert 0 < odds.std(axis=1).mean() < np.abs(odds.mean(axis=1)).mean()


def test_company_does_not_change_an_answer(parts: tuple, trained) -> None:
    test = parts[3]
    whole = log_odds(trained.learner, test)
    for session in (0, 7):
        begin, end = test.offsets[session], test.offsets[session + 1]
        alone = Examples(
            test.encoded._replace(
                codes=test.encoded.codes[begin:end],
                numbers=test.encoded.numbers[begin:end],
                prior=test.encoded.prior[session : session + 1],
            ),
            np.array([0, end - begin]),
            test.asked[begin:end],
            test.y[begin:end],
        )
        assert log_odds(trained.learner, alone) == pytest.approx(whole[begin:end], abs=1e-5)


def test_what_an_event_weighs_depends_on_its_place_alone(parts: tuple) -> None:
    train = parts[1]
    every = train._replace(asked=np.ones(len(train.y), np.bool_))
    place = np.concatenate([np.arange(1, k + 1) for k in np.diff(train.offsets)])
    assert every.weight == pytest.approx(1 / np.sqrt(place))
    assert not train.weight[~train.asked].any()
