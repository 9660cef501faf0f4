"""Markov chains: the log-odds written out, order that only a longer memory sees, causality."""

import numpy as np
import pytest

from domain.events import KINDS
from models.calibration import logit
from tests.training.fit.intent.visits import ADD, BUY, CLICK, SEARCH, alternating, table_of
from training.evaluate.probabilities import auc
from training.fit.intent.markov import STRENGTH, contexts, fit_markov
from training.fit.intent.sessions import label


def test_contexts_are_what_came_before():
    sessions = table_of([[CLICK, ADD, SEARCH], [ADD]])
    base = KINDS + 1
    assert contexts(sessions.kinds, sessions.offsets, 0).tolist() == [0, 0, 0, 0]
    assert contexts(sessions.kinds, sessions.offsets, 1).tolist() == [KINDS, CLICK, ADD, KINDS]
    assert contexts(sessions.kinds, sessions.offsets, 2).tolist()[:3] == [
        KINDS * base + KINDS,
        KINDS * base + CLICK,
        CLICK * base + ADD,
    ]


def test_an_answer_written_out():
    sessions = table_of([[CLICK, ADD, BUY]] * 30 + [[CLICK, CLICK]] * 70)
    labels = label(sessions)
    model = fit_markov(sessions, labels.y, labels.asked, 1)

    def chance(kind, before, goal):
        """Shrink the order-1 count toward the order-0 rate, and that toward all kinds alike."""
        events = [(CLICK, KINDS), (ADD, CLICK)] if goal else [(CLICK, KINDS), (CLICK, CLICK)]
        times = 30 if goal else 70
        alone = sum(times for one, _ in events if one == kind)
        rate = (alone + STRENGTH / KINDS) / (2 * times + STRENGTH)
        pair = times if (kind, before) in events else 0
        seen = times if before in (KINDS, CLICK) else 0
        return (pair + STRENGTH * rate) / (seen + STRENGTH)

    prior = np.log(30.5 / 70.5)
    steps = [
        np.log(chance(kind, before, True) / chance(kind, before, False))
        for kind, before in ((CLICK, KINDS), (ADD, CLICK))
    ]
    found = logit(model(table_of([[CLICK, ADD]])))
    assert found == pytest.approx(prior + np.cumsum(steps), rel=1e-6)


def test_two_steps_of_memory_see_what_one_step_cannot():
    train, test = alternating(600, 0), alternating(400, 1)
    labels, asked = label(train), label(test)
    rows = asked.asked & (test.position == 9)
    areas = [
        auc(asked.y[rows], fit_markov(train, labels.y, labels.asked, order)(test)[rows])
        for order in (1, 2, 3)
    ]
    assert areas[0] < 0.65
    assert areas[1] > 0.95
    assert areas[2] > 0.9


def test_what_comes_after_changes_nothing():
    train = alternating(200, 0)
    labels = label(train)
    model = fit_markov(train, labels.y, labels.asked, 3)
    one, other = model(table_of([[2, 8, 2, 8]])), model(table_of([[2, 8, 3, 5]]))
    assert one[:2].tolist() == other[:2].tolist()
    assert one[2] != other[2]


@pytest.mark.parametrize("order", [0, 4])
def test_other_orders_are_refused(order):
    train = alternating(20, 0)
    with pytest.raises(ValueError, match="order"):
        fit_markov(train, label(train).y, label(train).asked, order)
