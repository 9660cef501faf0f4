"""The network: its loss, that no place hears of what comes after, and that padding is nothing."""

import numpy as np
import pytest

from domain.events import KINDS
from models.recommend.attention import Dims
from tests.training.fit.sequence.grammar import HOUR_MS, log_of
from training.fit.sequence.drawing import Rivals
from training.fit.sequence.net import INPUTS, Drawn, Learner, Shape
from training.fit.sequence.traits import Bags
from training.fit.sequence.windows import Batch, Cutter, windows_of

N = 30
DIMS = Dims(16, 2, 32, 24, 8, KINDS)
BAGS = Bags(np.array([0, 1, 1, 2]), np.array([0, 2, 3, 4] + [4] * (N - 3)), 3)


def learner_of(bags=None, seed=0, dropout=0.0) -> Learner:
    vectors = np.random.default_rng(1).normal(0, 0.3, (N, 16)).astype(np.float32)
    shape = Shape(DIMS, N, bags.count if bags else 0, dropout)
    learner = Learner(shape, vectors, bags, seed=seed)
    state, rng = learner.state(), np.random.default_rng(2)
    learner.restore({k: v + rng.normal(0, 0.1, v.shape).astype(v.dtype) for k, v in state.items()})
    return learner


def batch_of(histories, steps=None, held=()) -> Batch:
    log = log_of(histories, N, steps)
    flags = np.isin(np.arange(len(log.items)), held)
    windows = windows_of(log, 50)
    return Cutter(log, 24, flags).cut(windows, np.arange(len(windows.starts)))


def random_steps(histories, seed=3):
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 90 * HOUR_MS, len(one) - 1).tolist() for one in histories]


HISTORIES = [[3, 4, 5, 3, 9], [7, 8], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]]


def everybody(batch: Batch) -> Drawn:
    return Rivals(np.ones(N), N, 1, 0.5, N).draw(batch, False, np.random.default_rng(0))


def test_what_comes_after_a_place_is_not_heard_there():
    histories = [list(range(10)), [*range(9), 20], [*range(5), *range(21, 26)]]
    steps = random_steps([histories[0]]) * 3
    found = learner_of().ask(batch_of(histories, steps)).reshape(3, 9, 16)
    np.testing.assert_allclose(found[0], found[1], atol=1e-5)
    np.testing.assert_allclose(found[0, :5], found[2, :5], atol=1e-5)
    assert np.abs(found[0, 5:] - found[2, 5:]).max() > 1e-2


def test_padding_is_nothing():
    steps = random_steps(HISTORIES)
    learner = learner_of(BAGS)
    together = learner.ask(batch_of(HISTORIES, steps))
    apart = [
        learner.ask(batch_of([one], [step])) for one, step in zip(HISTORIES, steps, strict=True)
    ]
    lengths = [len(one) for one in HISTORIES]
    # Windows are cut in rounds over all users, so these three come in order.
    assert sum(lengths) - 3 == len(together)
    np.testing.assert_allclose(together, np.concatenate(apart), atol=1e-5)


def naive_loss(learner: Learner, batch: Batch, drawn: Drawn) -> float:
    vectors, x = learner.vectors().astype(float), learner.ask(batch).astype(float)
    losses = []
    barred = set(zip(drawn.rows.tolist(), drawn.columns.tolist(), strict=True))
    for row, target in enumerate(batch.targets):
        own = x[row] @ vectors[target]
        others = [
            np.exp(x[row] @ vectors[item] - drawn.logs[column])
            for column, item in enumerate(drawn.items)
            if (row, column) not in barred
        ]
        losses.append(np.log(np.exp(own) + sum(others)) - own)
    return float(np.mean(losses))


@pytest.mark.parametrize("bags", [None, BAGS])
def test_the_loss_is_the_sampled_softmax(bags):
    batch = batch_of(HISTORIES, random_steps(HISTORIES))
    drawn = Rivals(np.arange(N), N, 12, 0.5, 0).draw(batch, True, np.random.default_rng(5))
    assert len(drawn.rows) > 0
    learner = learner_of(bags)
    wanted = naive_loss(learner, batch, drawn)
    assert learner.learn(batch, drawn, 0.0) == pytest.approx(wanted, rel=1e-4)


def test_a_step_goes_down_the_slope():
    """The gradient written by hand is that of the loss: a small step gains what it promises."""
    batch = batch_of(HISTORIES, random_steps(HISTORIES))
    drawn = Rivals(np.arange(N), N, 12, 0.5, 0).draw(batch, True, np.random.default_rng(5))
    learner = learner_of()
    before = learner.learn(batch, drawn, 0.0)
    gradients = {name: one.grad.numpy().copy() for name, one in learner.net.named_parameters()}
    state = learner.state()
    for name, gradient in gradients.items():
        size = float((gradient**2).sum())
        if size < 1e-12:
            continue
        step = 1e-3 / np.sqrt(size)
        learner.restore({**state, name: (state[name] - step * gradient).astype(np.float32)})
        gained = before - naive_loss(learner, batch, drawn)
        assert gained == pytest.approx(step * size, rel=0.05, abs=2e-7), name


def test_with_all_items_it_is_the_full_cross_entropy():
    batch = batch_of(HISTORIES)
    learner = learner_of()
    scores = learner.ask(batch) @ learner.vectors().T
    logs = np.log(np.exp(scores.astype(float)).sum(axis=1))
    own = scores[np.arange(len(scores)), batch.targets]
    wanted = float((logs - own).mean())
    assert learner.learn(batch, everybody(batch), 0.0) == pytest.approx(wanted, rel=1e-4)


def test_places_that_are_not_asked_teach_nothing():
    batch = batch_of(HISTORIES, held=[len(HISTORIES[0]) - 1])
    assert 9 not in batch.targets[:3]
    assert len(batch.targets) == sum(len(one) - 1 for one in HISTORIES) - 1
    assert len(learner_of().ask(batch)) == len(batch.targets)


def test_it_begins_where_it_is_told_and_a_new_item_at_its_traits():
    vectors = np.random.default_rng(1).normal(0, 1, (N, 16)).astype(np.float32)
    vectors[2] = 0
    bags = Bags(np.array([0, 1, 1, 1]), np.array([0, 2, 3, 4] + [4] * (N - 3)), 3)
    found = Learner(Shape(DIMS, N, 3), vectors, bags).vectors()
    assert np.abs(found - vectors)[np.arange(N) != 2].max() < 0.5
    np.testing.assert_allclose(found[2], (vectors[0] + vectors[1]) / 2, atol=1e-6)


def test_of_what_is_not_known_only_traits_count():
    learner, known = learner_of(BAGS), np.ones(N, bool)
    known[[1, 9]] = False
    found, state = learner.vectors(known), learner.state()
    np.testing.assert_allclose(found[1], state["traits.weight"][1], atol=1e-6)
    assert not found[9].any()
    np.testing.assert_array_equal(found[known], learner.vectors()[known])
    np.testing.assert_array_equal(state["table.weight"], learner.state()["table.weight"])


def test_traits_are_part_of_an_items_vector():
    learner = learner_of(BAGS)
    state = learner.state()
    wanted = state["table.weight"].copy()
    bag = state["traits.weight"]
    wanted[0] += (bag[0] + bag[1]) / 2
    wanted[1] += bag[1]
    wanted[2] += bag[2]
    np.testing.assert_allclose(learner.vectors(), wanted, atol=1e-6)


def test_learning_is_the_same_by_seed_and_leaves_others_random_numbers_alone():
    import torch

    batch = batch_of(HISTORIES)
    torch.manual_seed(1)
    first = learner_of(dropout=0.5)
    losses = [first.learn(batch, everybody(batch), 1e-2) for _ in range(3)]
    drawn = float(torch.rand(1))
    torch.manual_seed(1)
    assert drawn == float(torch.rand(1))
    again = learner_of(dropout=0.5)
    assert losses == [again.learn(batch, everybody(batch), 1e-2) for _ in range(3)]
    other = learner_of(dropout=0.5, seed=1)
    assert losses != [other.learn(batch, everybody(batch), 1e-2) for _ in range(3)]


def test_the_onnx_file_answers_for_the_last_place():
    import onnxruntime

    learner = learner_of()
    batch = batch_of([HISTORIES[2]], random_steps([HISTORIES[2]]))
    session = onnxruntime.InferenceSession(learner.to_onnx(), providers=["CPUExecutionProvider"])
    assert batch.ages is not None
    given = (learner.vectors()[batch.items], batch.gaps, batch.kinds, batch.ages[:, -1])
    found = session.run(None, dict(zip(INPUTS, given, strict=True)))[0]
    np.testing.assert_allclose(found[0], learner.ask(batch)[-1], atol=1e-5)
