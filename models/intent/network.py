"""A network from its ONNX bytes: one session by its plain weights, many by onnxruntime.

Which core it has inside is the file's affair: encoded sessions go in, log-odds of its heads
come out. A core that has no plain form is run by onnxruntime always, on one thread. Knows
nothing of calibration or of what a session is about.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from models.intent.encoding import Encoded
from models.intent.padding import padded, rectangles, unpadded
from models.intent.recurrent import Weights, run_flat, weights_of

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]
INPUTS = ("codes", "numbers", "prior", "keep")
OUTPUT = "log_odds"
AGREED = 1e-4
"""Log-odds that the plain weights may be off the runtime's on loading, or they are not used."""


def _session(onnx: bytes) -> Any:
    # On demand: a champion without a network needs no runtime.
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # A worker answers one question at a time; more threads would only wait for each other.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])


@dataclass(frozen=True, eq=False)
class Network:
    """A loaded network; may run in threads. Raises ValueError when the bytes are none of ours."""

    onnx: bytes
    heads: int = field(init=False)
    plain: Weights | None = field(init=False, repr=False)
    _run: Any = field(init=False, repr=False)

    def __post_init__(self) -> None:
        try:
            session = _session(self.onnx)
        except Exception as error:
            # The runtime raises its own kinds of errors for bytes it cannot read.
            raise ValueError(f"not a network ({type(error).__name__})") from error
        inputs = tuple(one.name for one in session.get_inputs())
        outputs = [(one.name, one.shape) for one in session.get_outputs()]
        if set(inputs) != set(INPUTS) or len(outputs) != 1 or outputs[0][0] != OUTPUT:
            raise ValueError("a network with other inputs or outputs")
        object.__setattr__(self, "heads", int(outputs[0][1][2]))
        object.__setattr__(self, "_run", session.run)
        weights = weights_of(self.onnx)
        object.__setattr__(self, "plain", weights if self._agrees(weights) else None)

    def _agrees(self, weights: Weights | None) -> bool:
        """Tell whether weights that were read say what the runtime says of a made-up session."""
        if weights is None or weights.head.shape[1] != self.heads:
            return False
        rng = np.random.default_rng(0)
        codes = rng.integers(0, len(weights.table), (9, 6))
        numbers = rng.normal(size=(9, len(weights.number))).astype(np.float32)
        prior = rng.normal(size=(1, len(weights.prior))).astype(np.float32)
        wanted = self.log_odds(codes[None], numbers[None], prior, np.arange(9))[0]
        found = np.empty_like(wanted)
        run_flat(codes, numbers, prior[0], found, *weights)
        return bool(np.allclose(found, wanted, AGREED, AGREED))

    def log_odds(self, codes: I64, numbers: F32, prior: F32, keep: I64) -> F32:
        """Answer float32[b, len(keep), heads] of b sessions padded at the end, at places `keep`."""
        inputs = {"codes": codes, "numbers": numbers, "prior": prior, "keep": keep}
        return self._run([OUTPUT], inputs)[0]

    def last(self, encoded: Encoded) -> F32:
        """Answer float32[1, heads], after the last event of one session."""
        return self._one(encoded, np.array([len(encoded.codes) - 1]))

    def every(self, encoded: Encoded, offsets: I64) -> F32:
        """Answer float32[n, heads], after every event of many sessions."""
        if len(offsets) == 2:
            return self._one(encoded, np.arange(len(encoded.codes)))
        lengths = np.diff(offsets)
        out = np.zeros((len(encoded.codes), self.heads), np.float32)
        order = np.argsort(lengths, kind="stable")
        for sessions in rectangles(lengths, order[lengths[order] > 0]):
            starts, own = offsets[sessions], lengths[sessions]
            found = self.log_odds(
                padded(encoded.codes, starts, own),
                padded(encoded.numbers, starts, own),
                encoded.prior[sessions],
                np.arange(int(own.max())),
            )
            unpadded(found, starts, own, out)
        return out

    def _one(self, encoded: Encoded, keep: I64) -> F32:
        if self.plain is not None:
            found = np.empty((len(keep), self.heads), np.float32)
            given = (encoded.codes, encoded.numbers, encoded.prior[0])
            if not run_flat(*given, found, *self.plain):
                raise ValueError("a session encoded for another network")
            return found
        codes, numbers = encoded.codes[None], encoded.numbers[None]
        return self.log_odds(codes, numbers, encoded.prior, keep)[0]
