"""The last event's kind: rates by hand, shrunk, and nothing else is looked at."""

import numpy as np
import pytest

from tests.training.fit.intent.visits import ADD, BUY, CLICK, SEARCH, table_of
from training.fit.intent.last_event import STRENGTH, fit_last_event
from training.fit.intent.sessions import label


def shop():
    return table_of([[CLICK, ADD, BUY]] * 40 + [[CLICK, CLICK, ADD]] * 10 + [[CLICK]] * 50)


def test_rates_by_hand():
    sessions = shop()
    labels = label(sessions)
    predict = fit_last_event(sessions, labels.y, labels.asked)
    clicks, carts = 40 + 20 + 50, 50
    base = 80 / (clicks + carts)
    asked = table_of([[CLICK, ADD, SEARCH]])
    assert predict(asked) == pytest.approx(
        [
            (40 + STRENGTH * base) / (clicks + STRENGTH),
            (40 + STRENGTH * base) / (carts + STRENGTH),
            base,
        ]
    )


def test_only_flagged_events_are_learned_from():
    sessions = shop()
    labels = label(sessions)
    some = labels.asked & (sessions.position == 1)
    damaged = np.where(some, labels.y, 1 - labels.y).astype(np.uint8)
    one = fit_last_event(sessions, labels.y, some)(sessions)
    assert np.array_equal(one, fit_last_event(sessions, damaged, some)(sessions))
