"""What the churn-score benchmark times: real answers, one by one, and the figures' meaning."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks import churn_score
from benchmarks.harness import Arguments
from domain.errors import TooLittleData
from domain.events import Kind
from feature_store.history import History
from models.churn.answer import ChurnDesk, limits_around
from tests.feature_store.making import DAY, T0, event
from tests.golden.leaving import leaving_model


def _history() -> History:
    made = [
        event(f"{user}{n}", Kind.purchase, T0 + n * DAY, f"u{user}", value=10_000_000)
        for user in ("ada", "bob")
        for n in range(5)
    ]
    return History.from_events([*made, event("x", Kind.click, T0, "svisit")])


def test_every_user_is_a_state_as_the_store_hands_it_out() -> None:
    states = churn_score.states_of(_history())
    assert [len(state.records) for state in states] == [5, 5]
    assert not states[0].records.flags.writeable
    assert np.array_equal(states[0].records["at"], T0 + DAY * np.arange(5))


def test_the_figures_are_milliseconds_of_one_answer() -> None:
    desk = ChurnDesk(leaving_model(), limits_around(0.4))
    states = churn_score.states_of(_history())
    figures = churn_score.once(desk, states, T0 + 10 * DAY, 512)
    assert 0 < figures["score_p50_ms"] <= figures["score_p99_ms"]
    mean_ms = 1e3 / figures["answers_per_second"]
    assert mean_ms <= 2 * figures["score_p99_ms"]


def test_without_the_log_it_does_not_run(tmp_path: Path) -> None:
    with pytest.raises(TooLittleData):
        churn_score.run(Arguments(tmp_path))
