"""Export: the network that serves answers as the one that learned, or there is none."""

import numpy as np
import pytest

from training.fit.intent.export import export
from training.fit.intent.net import CORES, Learner, Shape


@pytest.fixture(params=CORES)
def learner(request: pytest.FixtureRequest) -> Learner:
    return Learner(Shape(request.param, 40, 9, 4, width=16, heads=2))


def test_the_exported_network_has_the_learners_heads(learner: Learner) -> None:
    assert export(learner).heads == 2


def test_a_network_that_answers_otherwise_is_refused(
    learner: Learner, monkeypatch: pytest.MonkeyPatch
) -> None:
    true = learner.log_odds
    monkeypatch.setattr(learner, "log_odds", lambda *asked: true(*asked) + np.float32(1e-3))
    with pytest.raises(ValueError, match="off in probability"):
        export(learner)


def test_answers_that_are_no_numbers_are_refused(
    learner: Learner, monkeypatch: pytest.MonkeyPatch
) -> None:
    true = learner.log_odds
    monkeypatch.setattr(learner, "log_odds", lambda *asked: true(*asked) * np.float32(np.nan))
    with pytest.raises(ValueError, match="off in probability"):
        export(learner)
