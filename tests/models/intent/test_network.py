"""A network from its bytes: many sessions as one by one, and what is no network of ours."""

import numpy as np
import onnx
import pytest

from models.intent.encoding import Encoded
from models.intent.network import Network
from training.fit.intent.net import Learner, Shape

ROWS, NUMBERS, PRIOR = 30, 4, 3


@pytest.fixture(scope="module")
def network() -> Network:
    return Network(Learner(Shape("lstm", ROWS, NUMBERS, PRIOR, width=8, heads=2)).to_onnx(6))


def encoded(lengths: list[int]) -> tuple[Encoded, np.ndarray]:
    rng = np.random.default_rng(2)
    n = sum(lengths)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    codes = rng.integers(0, ROWS, (n, 6))
    numbers = rng.normal(size=(n, NUMBERS)).astype(np.float32)
    prior = rng.normal(size=(len(lengths), PRIOR)).astype(np.float32)
    return Encoded(codes, numbers, prior, np.ones((n, 3))), offsets


def test_many_sessions_are_answered_as_each_alone(network: Network) -> None:
    given, offsets = encoded([3, 1, 0, 500, 7, 1, 2000])
    found = network.every(given, offsets)
    assert found.shape == (offsets[-1], 2)
    for s in range(len(offsets) - 1):
        own = slice(offsets[s], offsets[s + 1])
        alone = given._replace(
            codes=given.codes[own], numbers=given.numbers[own], prior=given.prior[s : s + 1]
        )
        if len(alone.codes):
            every = network.every(alone, np.array([0, len(alone.codes)]))
            assert np.abs(every - found[own]).max() <= 1e-6
            assert np.abs(network.last(alone) - found[own][-1:]).max() <= 1e-6


def test_ten_thousand_events_are_one_session_too(network: Network) -> None:
    given, offsets = encoded([10_000])
    assert np.isfinite(network.every(given, offsets)).all()


def test_no_sessions_have_no_answers(network: Network) -> None:
    given, offsets = encoded([])
    assert network.every(given, offsets).shape == (0, 2)


def test_the_heads_are_counted(network: Network) -> None:
    assert network.heads == 2


@pytest.mark.parametrize("data", [b"", b"not onnx", b"\x00" * 100])
def test_bytes_that_are_no_network_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a network"):
        Network(data)


def test_a_network_with_other_inputs_is_refused(network: Network) -> None:
    model = onnx.load_from_string(network.onnx)
    for node in model.graph.node:
        node.input[:] = ["before" if name == "prior" else name for name in node.input]
    (prior,) = [one for one in model.graph.input if one.name == "prior"]
    prior.name = "before"
    with pytest.raises(ValueError, match="other inputs"):
        Network(model.SerializeToString())
