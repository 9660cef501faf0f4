"""Export: the member that serves answers as ONNX and as the learner do, or there is none."""

import numpy as np
import pytest

from domain.clock import DAY_MS
from models.recommend.attention import Dims
from tests.models.recommend.small import past_of
from tests.training.fit.sequence.grammar import log_of
from tests.training.fit.sequence.test_net import DIMS, N, batch_of, learner_of, random_steps
from training.fit.sequence.export import (
    disagreement,
    export,
    nearest,
    onnx_inputs,
    parts_of,
    taught,
)
from training.fit.sequence.net import Learner, Shape
from training.fit.sequence.windows import Met, met_in

ALL = np.ones(N, bool)
EVERYTHING = Met(np.ones(24, bool), np.ones(24, bool), np.ones(15, np.int64))
HISTORY = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]


def test_it_answers_as_the_learner_does_at_the_last_place():
    learner = learner_of()
    steps = random_steps([HISTORY])
    wanted = learner.ask(batch_of([HISTORY], steps))[-1]
    member = export(learner, ALL, EVERYTHING, (200, None), 1.0)
    ats = np.cumsum([0, *steps[0]])
    days = (ats[-1] - ats[:-1]) / DAY_MS
    found = member.vector(past_of(HISTORY[:-1], days=days))
    np.testing.assert_allclose(found, wanted, atol=1e-4)


@pytest.mark.parametrize("dims", [DIMS, Dims(8, 4, 12, 6, 3, 15), Dims(6, 1, 8, 4, 70, 2)])
def test_onnx_says_the_same(dims):
    rng = np.random.default_rng(0)
    vectors = rng.normal(0, 0.3, (N, dims.width)).astype(np.float32)
    learner = Learner(Shape(dims, N), vectors)
    state = learner.state()
    learner.restore({k: v + rng.normal(0, 0.1, v.shape).astype("f4") for k, v in state.items()})
    everything = Met(
        np.ones(dims.ages, bool), np.ones(dims.ages, bool), np.ones(dims.kinds, np.int64)
    )
    member = export(learner, ALL, everything, (10, 90.0), 2.0)
    assert disagreement(member, seed=7) < 1e-4
    assert (member.length, member.days, member.epochs) == (10, 90.0, 2.0)


def test_a_network_that_answers_otherwise_is_refused(monkeypatch: pytest.MonkeyPatch):
    learner, other = learner_of(), learner_of(seed=5)
    state = other.state()
    state["join.weight"] = state["join.weight"] + 0.01
    other.restore(state)
    monkeypatch.setattr(learner, "to_onnx", other.to_onnx)
    with pytest.raises(ValueError, match="off"):
        export(learner, ALL, EVERYTHING, (200, None), 1.0)


def test_answers_that_are_no_numbers_are_refused():
    learner = learner_of()
    state = learner.state()
    state["join.bias"][3] = np.nan
    learner.restore(state)
    with pytest.raises(ValueError, match="off"):
        export(learner, ALL, EVERYTHING, (200, None), 1.0)


def test_items_nobody_knows_get_no_vector():
    known = ALL.copy()
    known[[4, 9]] = False
    member = export(learner_of(), known, EVERYTHING, (200, None), 1.0)
    assert np.flatnonzero(~member.vectors.any(axis=1)).tolist() == [4, 9]


def test_what_was_never_met_takes_the_nearest():
    assert nearest(np.array([0, 0, 1, 0, 0, 1, 0], bool)).tolist() == [2, 2, 2, 2, 5, 5, 5]
    assert nearest(np.zeros(3, bool)).tolist() == [0, 1, 2]


def test_times_and_kinds_never_met_are_made_up_from_those_that_were():
    learner = learner_of()
    log = log_of([[0, 1, 2], [1, 2]], N, [[DAY_MS, DAY_MS], [4 * DAY_MS]], [5, 5, 2, 5, 5])
    before, met = learner.state(), met_in(log, 24)
    after = taught(before, met)
    day = int(np.flatnonzero(met.gaps)[0])
    np.testing.assert_array_equal(after["gap.weight"][0], before["gap.weight"][day])
    np.testing.assert_array_equal(after["age"][:, 0], before["age"][:, met.ages.argmax()])
    kinds = before["kind.weight"]
    np.testing.assert_array_equal(after["kind.weight"][5], kinds[5])
    np.testing.assert_allclose(after["kind.weight"][7], 0.8 * kinds[5] + 0.2 * kinds[2], rtol=1e-5)


def test_a_question_is_scaled_once_and_for_all():
    state = learner_of().state()
    parts = parts_of(state, DIMS)
    np.testing.assert_allclose(parts["query"], state["query.weight"].T / np.sqrt(8), rtol=1e-6)


def test_onnx_takes_classes_of_time():
    member = export(learner_of(), ALL, EVERYTHING, (200, None), 1.0)
    past = past_of([3, 4], days=[3.0, 2.0])
    asked = onnx_inputs(member, past.indices, past.days, past.kinds)
    assert asked["gaps"].tolist() == [[10, 11]]
    assert asked["ages"].tolist() == [[12, 11]]
    assert asked["vectors"].shape == (1, 2, 16)
