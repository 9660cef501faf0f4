"""The networks: causal, the same by seed whatever else draws, exported as they are."""

import numpy as np
import onnx
import pytest
import torch

from models.intent.network import Network
from training.fit.intent.net import CORES, WINDOW, Batch, Learner, Shape

FIELDS, ROWS, NUMBERS, PRIOR = 6, 50, 7, 5


def learner(core: str = "lstm", seed: int = 0) -> Learner:
    return Learner(Shape(core, ROWS, NUMBERS, PRIOR, width=16, heads=3), seed=seed)


def asked(sessions: int, events: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return (
        rng.integers(0, ROWS, (sessions, events, FIELDS)),
        rng.normal(size=(sessions, events, NUMBERS)).astype(np.float32),
        rng.normal(size=(sessions, PRIOR)).astype(np.float32),
    )


def batch(sessions: int = 8, events: int = 6) -> Batch:
    codes, numbers, prior = asked(sessions, events)
    y = (codes[:, :, 0] > ROWS // 2).astype(np.float32)
    return Batch(codes, numbers, prior, y, np.ones((sessions, events, 3), np.float32))


@pytest.fixture(params=CORES)
def core(request: pytest.FixtureRequest) -> str:
    return request.param


def test_an_event_never_sees_the_next(core: str) -> None:
    one = learner(core)
    codes, numbers, prior = asked(3, 9)
    full = one.log_odds(codes, numbers, prior)
    for n in range(1, 9):
        part = one.log_odds(codes[:, :n], numbers[:, :n], prior)
        assert part == pytest.approx(full[:, :n], abs=1e-5)


def test_every_event_matters_to_later_ones(core: str) -> None:
    one = learner(core)
    codes, numbers, prior = asked(1, 9)
    before = one.log_odds(codes, numbers, prior)
    codes[0, 2, 0] = (codes[0, 2, 0] + 1) % ROWS
    changed = np.abs(one.log_odds(codes, numbers, prior) - before).max(axis=(0, 2)) > 0
    assert changed.tolist() == [False] * 2 + [True] * 7


def test_the_transformer_sees_its_window_and_no_further() -> None:
    one = Learner(Shape("transformer", ROWS, NUMBERS, PRIOR, width=16, layers=1, heads=1))
    codes, numbers, prior = asked(1, WINDOW + 5)
    before = one.log_odds(codes, numbers, prior)
    codes[0, 0] = (codes[0, 0] + 1) % ROWS
    changed = np.abs(one.log_odds(codes, numbers, prior) - before).max(axis=(0, 2))
    assert (changed[:5] > 0).all()
    assert (changed[WINDOW:] == 0).all()


@pytest.mark.parametrize("sessions", [1, 256])
@pytest.mark.parametrize("events", [1, 7, 50, 200])
def test_onnx_answers_as_torch_does(core: str, sessions: int, events: int) -> None:
    one = learner(core)
    for _ in range(3):
        one.learn(batch())
    network = Network(one.to_onnx(FIELDS))
    given = asked(sessions, events)
    found = network.log_odds(*given, np.arange(events))
    assert found.shape == (sessions, events, 3)
    assert np.abs(found - one.log_odds(*given)).max() <= 1e-5
    last = network.log_odds(*given, np.array([events - 1]))
    assert np.abs(last[:, 0] - found[:, -1]).max() <= 1e-6


def test_learning_lowers_the_loss(core: str) -> None:
    one, data = learner(core), batch(32)
    losses = [one.learn(data, 1e-2) for _ in range(60)]
    assert np.mean(losses[-5:]) < 0.5 * losses[0]


def test_the_same_seed_learns_the_same(core: str) -> None:
    found = []
    for noise in (3, 4):
        torch.manual_seed(noise)
        one = learner(core, seed=9)
        for _ in range(3):
            torch.rand(noise)
            one.learn(batch())
        found.append(one.log_odds(*asked(4, 5)))
    assert np.array_equal(found[0], found[1])


def test_another_seed_learns_another() -> None:
    found = [learner(seed=seed).log_odds(*asked(4, 5)) for seed in (1, 2)]
    assert np.abs(found[0] - found[1]).max() > 1e-3


def test_the_process_keeps_its_own_random_numbers() -> None:
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    learner().learn(batch())
    assert torch.equal(torch.rand(3), wanted)


def test_what_weighs_nothing_teaches_nothing() -> None:
    one, two = learner(), learner()
    data = batch()
    weight = data.weight.copy()
    weight[:, 3:] = 0
    other = data.y.copy()
    other[:, 3:] = 1 - other[:, 3:]
    one.learn(data._replace(weight=weight))
    two.learn(data._replace(weight=weight, y=other))
    assert np.array_equal(one.log_odds(*asked(2, 4)), two.log_odds(*asked(2, 4)))


def test_a_batch_without_examples_leaves_the_answers_finite() -> None:
    one, data = learner(), batch()
    assert one.learn(data._replace(weight=np.zeros_like(data.weight))) == 0
    assert np.isfinite(one.log_odds(*asked(2, 4))).all()


def test_weights_are_kept_and_taken_back() -> None:
    one = learner()
    kept, before = one.state(), one.log_odds(*asked(2, 4))
    one.learn(batch(), 0.1)
    assert np.abs(one.log_odds(*asked(2, 4)) - before).max() > 1e-3
    one.restore(kept)
    assert np.array_equal(one.log_odds(*asked(2, 4)), before)


def test_widths_are_those_of_the_inputs() -> None:
    assert learner().widths == (ROWS, NUMBERS, PRIOR)


@pytest.mark.parametrize(("core", "operator"), [("lstm", "LSTM"), ("gru", "GRU")])
def test_a_recurrent_core_stays_one_operator_of_any_length(core: str, operator: str) -> None:
    graph = onnx.load_from_string(learner(core).to_onnx(FIELDS)).graph
    assert [node.op_type for node in graph.node].count(operator) == 1
    assert not {"Loop", "Scan"} & {node.op_type for node in graph.node}


def test_the_file_names_its_free_sizes(core: str) -> None:
    graph = onnx.load_from_string(learner(core).to_onnx(FIELDS)).graph
    sizes = {
        one.name: [size.dim_param or size.dim_value for size in one.type.tensor_type.shape.dim]
        for one in (*graph.input, *graph.output)
    }
    assert sizes["codes"] == ["sessions", "events", FIELDS]
    assert sizes["numbers"] == ["sessions", "events", NUMBERS]
    assert sizes["prior"] == ["sessions", PRIOR]
    assert sizes["keep"] == ["kept"]
    assert sizes["log_odds"][2] == 3


def test_places_may_be_kept_in_any_number(core: str) -> None:
    network = Network(learner(core).to_onnx(FIELDS))
    given = asked(2, 9)
    every = network.log_odds(*given, np.arange(9))
    some = network.log_odds(*given, np.array([0, 4, 8]))
    assert some == pytest.approx(every[:, [0, 4, 8]], abs=1e-6)


def test_the_heads_learn_from_their_own_draws() -> None:
    one, data = learner(), batch(32)
    weight = data.weight.copy()
    weight[:, :, 1:] = 0
    before = one.net.head.weight.detach().numpy().copy()
    one.learn(data._replace(weight=weight), 1e-2)
    moved = np.abs(one.net.head.weight.detach().numpy() - before).max(axis=1)
    assert moved[0] > 1e-3
    # The others only shrink by the decay of weights.
    assert (moved[1:] < moved[0] / 10).all()


def test_answers_are_asked_without_dropout() -> None:
    one = Learner(Shape("lstm", ROWS, NUMBERS, PRIOR, width=16, dropout=0.9), seed=1)
    one.learn(batch(events=4)._replace(weight=np.ones((8, 4, 4), np.float32)))
    given = asked(2, 4)
    assert np.array_equal(one.log_odds(*given), one.log_odds(*given))
