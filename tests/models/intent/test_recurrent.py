"""The plain network says what the runtime says of the same file, and knows what it cannot say."""

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from models.intent.encoding import Encoded
from models.intent.network import Network
from models.intent.recurrent import GATES, Weights, fits, run, run_flat, weights_of
from training.fit.intent.net import Learner, Shape

ROWS, NUMBERS, PRIOR, HEADS = 30, 4, 3, 2


def exported(core: str, width: int = 8) -> bytes:
    return Learner(Shape(core, ROWS, NUMBERS, PRIOR, width=width, heads=HEADS)).to_onnx(6)


@pytest.fixture(scope="module", params=["lstm", "gru"])
def network(request: pytest.FixtureRequest) -> Network:
    return Network(exported(request.param, 12))


def session(n: int, scale: float = 1.0, seed: int = 0) -> tuple:
    rng = np.random.default_rng(seed)
    numbers = (scale * rng.normal(size=(n, NUMBERS))).astype(np.float32)
    prior = (scale * rng.normal(size=PRIOR)).astype(np.float32)
    return rng.integers(0, ROWS, (n, 6)), numbers, prior


@pytest.mark.parametrize("n", [1, 2, 7, 50, 256])
@pytest.mark.parametrize("scale", [0.1, 1.0, 5.0, 300.0])
def test_it_says_what_the_runtime_says(network: Network, n: int, scale: float) -> None:
    codes, numbers, prior = session(n, scale, n)
    wanted = network.log_odds(codes[None], numbers[None], prior[None], np.arange(n))[0]
    found = np.empty((n, HEADS), np.float32)
    assert network.plain is not None
    assert run_flat(codes, numbers, prior, found, *network.plain)
    np.testing.assert_allclose(found, wanted, 0, 2e-6)
    last = np.empty((1, HEADS), np.float32)
    run(network.plain, codes, numbers, prior, last)
    np.testing.assert_array_equal(last, found[-1:])


def test_one_session_goes_the_plain_way(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    codes, numbers, prior = session(7)
    given = Encoded(codes, numbers, prior[None], np.ones((7, 3)))
    wanted = network.log_odds(codes[None], numbers[None], prior[None], np.arange(7))[0]
    object.__setattr__(network, "_run", None)
    every = network.every(given, np.array([0, 7]))
    np.testing.assert_allclose(every, wanted, 0, 2e-6)
    np.testing.assert_array_equal(network.last(given), every[-1:])


def test_a_session_of_another_network_is_refused_before_memory_is_read(network: Network) -> None:
    codes, numbers, prior = session(3)
    out = np.full((3, HEADS), 7.0, np.float32)
    assert network.plain is not None
    for wrong in (
        (codes + ROWS, numbers, prior),
        (codes - ROWS, numbers, prior),
        (codes, numbers[:, 1:].copy(), prior),
        (codes, numbers, prior[1:]),
    ):
        assert not fits(network.plain, *wrong)
        assert not run_flat(*wrong, out, *network.plain)
    assert (out == 7.0).all()
    other = Encoded(codes + ROWS, numbers, prior[None], np.ones((3, 3)))
    with pytest.raises(ValueError, match="another network"):
        network.last(other)


def test_a_transformer_has_no_plain_form_and_is_run_all_the_same() -> None:
    onnx_bytes = exported("transformer")
    assert weights_of(onnx_bytes) is None
    network = Network(onnx_bytes)
    codes, numbers, prior = session(5)
    assert network.plain is None
    assert network.last(Encoded(codes, numbers, prior[None], np.ones((5, 3)))).shape == (1, HEADS)


def changed(core: str, change) -> bytes:
    model = onnx.load_from_string(exported(core))
    change(model.graph)
    return model.SerializeToString()


def test_a_reset_before_the_product_is_another_network() -> None:
    def before(graph) -> None:
        (gru,) = [node for node in graph.node if node.op_type == "GRU"]
        (flag,) = [one for one in gru.attribute if one.name == "linear_before_reset"]
        flag.i = 0

    onnx_bytes = changed("gru", before)
    assert weights_of(onnx_bytes) is None
    assert Network(onnx_bytes).plain is None


def test_weights_that_say_something_else_than_the_file_are_not_used() -> None:
    def louder(graph) -> None:
        # The same arrays in the same places, but another operator after them.
        (relu,) = [node for node in graph.node if node.op_type == "Relu"]
        relu.op_type = "Tanh"

    onnx_bytes = changed("lstm", louder)
    assert isinstance(weights_of(onnx_bytes), Weights)
    assert Network(onnx_bytes).plain is None


def test_arrays_of_sizes_that_do_not_fit_are_no_weights() -> None:
    def shorter(graph) -> None:
        (bias,) = [one for one in graph.initializer if one.name == "mix.bias"]
        bias.CopyFrom(numpy_helper.from_array(np.zeros(3, np.float32), "mix.bias"))

    assert weights_of(changed("lstm", shorter)) is None


@pytest.mark.parametrize("data", [b"", b"not onnx", b"\x00" * 100])
def test_bytes_that_are_no_network_hold_no_weights(data: bytes) -> None:
    assert weights_of(data) is None


def test_gates_are_those_of_the_format() -> None:
    for core, gates in GATES.items():
        weights = weights_of(exported(core.lower()))
        assert weights is not None
        assert weights.step.shape == (8, 8 * gates)
