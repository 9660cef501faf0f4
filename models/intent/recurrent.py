"""A recurrent network as plain arrays, one session at a time, without a runtime.

    x = tanh(sum of table rows + numbers · A + prior · B)        h = LSTM or GRU over x
    log-odds of each head = ReLU([h, x] · C) · D

The weights are those of the ONNX file and the numbers are the runtime's to about 1e-6; a call
to the runtime costs more than a short session's arithmetic. Knows nothing of what the rows mean.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from models.intent.onnx_weights import Graph, read_graph

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]
GATES = {"LSTM": 4, "GRU": 3}

_LOG2_E = np.float32(1.4426950408889634)
_LN_2_HIGH = np.float32(0.693359375)
_LN_2_LOW = np.float32(-2.12194440e-4)
_MOST = np.float32(87.0)
_ONE, _HALF = np.float32(1.0), np.float32(0.5)
_TAYLOR = tuple(np.float32(1 / one) for one in (2, 6, 24, 120, 720))
_EXPONENT, _BIAS = 23, 127
"""Of a float32: where its exponent begins, and what it is raised by."""


class Weights(NamedTuple):
    """Of width w with g gates. table: float32[rows, w]. number: float32[d, w] and its bias
    [w]. prior: float32[p, w]. step, carry: float32[w, g w], of x and of h, with their biases
    [g w]. mix: float32[2 w, w] and bias [w]. head: float32[w, heads] and bias [heads]."""

    table: F32
    number: F32
    number_bias: F32
    prior: F32
    step: F32
    step_bias: F32
    carry: F32
    carry_bias: F32
    mix: F32
    mix_bias: F32
    head: F32
    head_bias: F32


def weights_of(onnx: bytes) -> Weights | None:
    """Answer the weights of a network with an LSTM or GRU inside; None for any other."""
    try:
        graph = read_graph(onnx)
        return _weights(graph)
    except (KeyError, ValueError, IndexError):
        return None


def _weights(graph: Graph) -> Weights | None:
    """Read them where the exporter puts them; raises KeyError and ValueError elsewhere."""
    arrays = graph.arrays
    cores = [node for node in graph.nodes.values() if node.kind in GATES]
    if len(cores) != 1:
        return None
    (core,) = cores
    # A GRU whose reset comes before the product is another network.
    if core.kind == "GRU" and core.numbers.get("linear_before_reset") != 1:
        return None
    step, carry, bias = (arrays[name][0] for name in core.inputs[1:4])

    def times(part: str) -> F32:
        return arrays[graph.nodes[f"/{part}/MatMul_output_0"].inputs[1]]

    found = Weights(
        table=arrays["table.weight"],
        number=times("number"),
        number_bias=arrays["number.bias"],
        prior=times("prior"),
        step=step.T,
        step_bias=bias[: len(step)],
        carry=carry.T,
        carry_bias=bias[len(step) :],
        mix=times("mix"),
        mix_bias=arrays["mix.bias"],
        head=times("head"),
        head_bias=arrays["head.bias"],
    )
    return Weights(*map(np.ascontiguousarray, found)) if _fit(found, GATES[core.kind]) else None


def _fit(found: Weights, gates: int) -> bool:
    """Tell whether all arrays have the sizes that one network has."""
    width, heads = found.table.shape[1], len(found.head_bias)
    return (
        found.number.shape[1:] == found.number_bias.shape == (width,)
        and found.prior.shape[1:] == (width,)
        and found.step.shape == found.carry.shape == (width, gates * width)
        and found.step_bias.shape == found.carry_bias.shape == (gates * width,)
        and found.mix.shape == (2 * width, width)
        and found.mix_bias.shape == (width,)
        and found.head.shape == (width, heads)
    )


@njit(cache=True, nogil=True, error_model="numpy")
def _exponentials(values: np.ndarray, count: int, scale: np.ndarray) -> None:
    """Replace `count` values by their exponentials, to about 1e-7 of each; scale: int32 room.

    2^n e^f with |f| <= ln 2 / 2, e^f by its series: written so that it becomes vector code.
    """
    for k in range(count):
        x = min(max(values[k], -_MOST), _MOST)
        whole = np.floor(x * _LOG2_E + _HALF)
        f = (x - whole * _LN_2_HIGH) - whole * _LN_2_LOW
        series = _TAYLOR[3] + f * _TAYLOR[4]
        series = _TAYLOR[1] + f * (_TAYLOR[2] + f * series)
        values[k] = _ONE + f * (_ONE + f * (_TAYLOR[0] + f * series))
        scale[k] = (np.int32(whole) + np.int32(_BIAS)) << np.int32(_EXPONENT)
    power = scale.view(np.float32)
    for k in range(count):
        values[k] *= power[k]


@njit(cache=True, nogil=True, error_model="numpy")
def _squash(values: np.ndarray, sigmoids: int, count: int, scale: np.ndarray) -> None:
    """Replace the first `sigmoids` of `count` values by sigmoids, the others by tangents."""
    for k in range(count):
        values[k] = -values[k] if k < sigmoids else np.float32(-2.0) * values[k]
    _exponentials(values, count, scale)
    for k in range(sigmoids):
        values[k] = _ONE / (_ONE + values[k])
    for k in range(sigmoids, count):
        values[k] = (_ONE - values[k]) / (_ONE + values[k])


@njit(cache=True, nogil=True, error_model="numpy")
def _add_product(vector: np.ndarray, matrix: np.ndarray, out: np.ndarray) -> None:
    """Add vector[m] · matrix[m, n] to out[n]."""
    for k in range(vector.shape[0]):
        value = vector[k]
        for j in range(out.shape[0]):
            out[j] += value * matrix[k, j]


@njit(cache=True, nogil=True, error_model="numpy")
def _inputs(
    table: np.ndarray,
    number: np.ndarray,
    base: np.ndarray,
    codes: np.ndarray,
    numbers: np.ndarray,
    x: np.ndarray,
) -> None:
    """Write float32[n, w], what the core is given after each event."""
    n, w = x.shape
    for k in range(n):
        for j in range(w):
            x[k, j] = base[j]
        for field in range(codes.shape[1]):
            row = codes[k, field]
            for j in range(w):
                x[k, j] += table[row, j]
        for d in range(numbers.shape[1]):
            value = numbers[k, d]
            for j in range(w):
                x[k, j] += value * number[d, j]
    _squash(x.reshape(n * w), 0, n * w, np.empty(n * w, np.int32))


@njit(cache=True, nogil=True, error_model="numpy")
def _lstm(
    gates: np.ndarray, moved: np.ndarray, cell: np.ndarray, scale: np.ndarray, h: np.ndarray
) -> None:
    """Take one step; gates: of input, output, forgetting and content, in this order."""
    w = h.shape[0]
    for j in range(4 * w):
        gates[j] += moved[j]
    _squash(gates, 3 * w, 4 * w, scale)
    for j in range(w):
        cell[j] = gates[2 * w + j] * cell[j] + gates[j] * gates[3 * w + j]
        h[j] = cell[j]
    _squash(h, 0, w, scale)
    for j in range(w):
        h[j] *= gates[w + j]


@njit(cache=True, nogil=True, error_model="numpy")
def _gru(gates: np.ndarray, moved: np.ndarray, scale: np.ndarray, h: np.ndarray) -> None:
    """Take one step; gates: of update, reset and content, in this order."""
    w = h.shape[0]
    for j in range(2 * w):
        gates[j] += moved[j]
    _squash(gates, 2 * w, 2 * w, scale)
    content = gates[2 * w :]
    for j in range(w):
        content[j] += gates[w + j] * moved[2 * w + j]
    _squash(content, 0, w, scale)
    for j in range(w):
        h[j] = (_ONE - gates[j]) * content[j] + gates[j] * h[j]


@njit(cache=True, nogil=True, error_model="numpy")
def _answer(weights: Weights, h: np.ndarray, x: np.ndarray, out: np.ndarray) -> None:
    w = h.shape[0]
    mixed = weights.mix_bias.copy()
    _add_product(h, weights.mix[:w], mixed)
    _add_product(x, weights.mix[w:], mixed)
    for j in range(w):
        mixed[j] = max(mixed[j], np.float32(0.0))
    out[:] = weights.head_bias
    _add_product(mixed, weights.head, out)


@njit(cache=True, nogil=True, error_model="numpy")
def run(
    weights: Weights, codes: np.ndarray, numbers: np.ndarray, prior: np.ndarray, out: np.ndarray
) -> None:
    """Write the log-odds of the heads after the last len(out) events of one session.

    codes: int64[n, fields]; numbers: float32[n, d]; prior: float32[p]; out: float32[m, heads].
    """
    n, w, wide = codes.shape[0], weights.table.shape[1], weights.step.shape[1]
    base, x, h = weights.number_bias.copy(), np.empty((n, w), np.float32), np.zeros(w, np.float32)
    _add_product(prior, weights.prior, base)
    _inputs(weights.table, weights.number, base, codes, numbers, x)
    step, step_bias = weights.step, weights.step_bias
    carry, carry_bias = weights.carry, weights.carry_bias
    cell, scale = np.zeros(w, np.float32), np.empty(wide, np.int32)
    gates, moved = np.empty(wide, np.float32), np.empty(wide, np.float32)
    skipped = n - out.shape[0]
    for k in range(n):
        for j in range(wide):
            gates[j] = step_bias[j]
            moved[j] = carry_bias[j]
        for i in range(w):
            one, two = x[k, i], h[i]
            for j in range(wide):
                gates[j] += one * step[i, j]
                moved[j] += two * carry[i, j]
        if wide == 4 * w:
            _lstm(gates, moved, cell, scale, h)
        else:
            _gru(gates, moved, scale, h)
        if k >= skipped:
            _answer(weights, h, x[k], out[k - skipped])


@njit(cache=True, nogil=True)
def fits(weights: Weights, codes: np.ndarray, numbers: np.ndarray, prior: np.ndarray) -> bool:
    """Tell whether these are sessions of this network: outside its arrays lies anything."""
    rows = weights.table.shape[0]
    for k in range(codes.shape[0]):
        for field in range(codes.shape[1]):
            if not 0 <= codes[k, field] < rows:
                return False
    return numbers.shape[1] == len(weights.number) and len(prior) == len(weights.prior)


@njit(cache=True, nogil=True)
def run_flat(
    codes: np.ndarray, numbers: np.ndarray, prior: np.ndarray, out: np.ndarray, *parts: np.ndarray
) -> bool:
    """As `run`, the weights one by one: so handed over they cost half of a tuple. False, and
    nothing written, for a session that is not of this network."""
    weights = Weights(*parts)
    if not fits(weights, codes, numbers, prior):
        return False
    run(weights, codes, numbers, prior, out)
    return True
