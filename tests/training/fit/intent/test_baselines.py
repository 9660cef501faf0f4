"""All rivals on one footing: each answers after every event, none sees ahead."""

import numpy as np
import pytest

from domain.errors import TooLittleData
from tests.training.fit.intent.visits import BUY, CLICK, alternating, table_of
from training.evaluate.probabilities import auc
from training.fit.intent import aggregates
from training.fit.intent.baselines import RIVALS, fit_majority, fit_rivals
from training.fit.intent.sessions import label


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(aggregates, "LEAVES", (4,))
    monkeypatch.setattr(aggregates, "TREES", (20,))


def test_the_majority_says_how_common_the_goal_is():
    sessions = table_of([[CLICK, BUY]] * 3 + [[CLICK]])
    labels = label(sessions)
    assert fit_majority(sessions, labels.y, labels.asked)(sessions) == pytest.approx([0.75] * 7)


def test_every_rival_answers_a_probability_after_every_event():
    train, test = alternating(500, 0), alternating(200, 1)
    labels, asked = label(train), label(test)
    rivals = fit_rivals(train, labels.y, labels.asked)
    assert list(rivals) == list(RIVALS)
    rows = asked.asked & (test.position == 9)
    areas = {}
    for name, predict in rivals.items():
        found = predict(test)
        assert found.shape == (len(test.ats),)
        assert ((found > 0) & (found < 1)).all()
        areas[name] = auc(asked.y[rows], found[rows])
    assert areas["majority"] == 0.5
    assert min(areas["markov_2"], areas["ngrams"]) > 0.9 > areas["last_event"]


@pytest.mark.parametrize("name", RIVALS)
def test_no_rival_sees_the_next_event(name):
    train = alternating(300, 0)
    labels = label(train)
    predict = RIVALS[name](train, labels.y, labels.asked)
    one = predict(table_of([[2, 8, 2, 8, 8]]))
    other = predict(table_of([[2, 8, 2, 3, 5]]))
    assert one[:3].tolist() == other[:3].tolist()


def test_too_little_of_either_answer_is_refused():
    sessions = table_of([[CLICK, BUY]] * 99 + [[CLICK]] * 500)
    labels = label(sessions)
    with pytest.raises(TooLittleData, match="99 of 599"):
        fit_rivals(sessions, labels.y, labels.asked)
    with pytest.raises(TooLittleData):
        fit_rivals(sessions, np.ones_like(labels.y), labels.asked)
