"""From a learned network to the member that serves: plain weights, and ONNX that says the same.

Items that nobody had get the vector of their traits, or none. Knows nothing of how it was
learned.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from models.recommend.attention import Dims, attend, pack, time_classes
from models.recommend.transformer import Transformer
from training.fit.sequence.net import INPUTS, Learner
from training.fit.sequence.windows import Met

TOLERANCE = 2e-4
"""How far the two vectors may be apart, as a share of their length: float32, other sums."""
ASKED = (1, 2, 7, 50, 200)
"""Events of the made-up histories that are asked of both."""
Weights = Mapping[str, npt.NDArray[Any]]


def parts_of(state: Weights, dims: Dims) -> dict[str, npt.NDArray[np.float32]]:
    """Answer the weights of a network by the names of models.recommend.attention."""
    # Scores are divided by the root of a head's width: the question is, once and for all.
    scale = (dims.width // dims.heads) ** -0.5
    parts: dict[str, npt.NDArray[Any]] = {
        "gap": state["gap.weight"],
        "kind": state["kind.weight"],
        "query": state["query.weight"].T * scale,
        "query_bias": state["query.bias"][None] * scale,
        "key": state["key.weight"],
        "back": state["back"],
        "age": state["age"],
    }
    for name in ("value", "join", "up", "down"):
        parts[name] = state[f"{name}.weight"].T
        parts[f"{name}_bias"] = state[f"{name}.bias"][None]
    for name in ("norm_in", "norm_mid", "norm_out"):
        parts[name] = np.stack([state[f"{name}.weight"], state[f"{name}.bias"]])
    return parts


def taught(state: Weights, met: Met) -> dict[str, npt.NDArray[Any]]:
    """Answer the weights with something for what was never met.

    A class of time takes the nearest's that was, a kind the mean of all events.
    """
    kinds, counts = state["kind.weight"], met.kinds[:, None] / max(met.kinds.sum(), 1)
    mean = (kinds * counts).sum(axis=0)
    return {
        **state,
        "gap.weight": state["gap.weight"][nearest(met.gaps)],
        "age": state["age"][:, nearest(met.ages)],
        "kind.weight": np.where(counts > 0, kinds, mean).astype(np.float32),
    }


def nearest(met: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Answer int64[k], for each place the nearest that is met, the lower of two; itself if none."""
    places, found = np.arange(len(met)), np.flatnonzero(met)
    if not len(found):
        return places
    return found[np.abs(places[:, None] - found).argmin(axis=1)]


def export(
    learner: Learner,
    known: npt.NDArray[np.bool_],
    met: Met,
    window: tuple[int, float | None],
    epochs: float,
) -> Transformer:
    """Answer the member as it will serve. Raises ValueError where ONNX answers otherwise.

    known: bool[n], items that were learned from. window: events and days (or None) looked at. The
    learner's own weights are made up for what the log never showed.
    """
    dims = learner.net.dims
    learner.restore(taught(learner.state(), met))
    data = learner.to_onnx()
    onnx.checker.check_model(onnx.load_from_string(data), full_check=True)
    packed = pack(parts_of(learner.state(), dims), dims)
    vectors = learner.vectors(known)
    member = Transformer(
        vectors,
        packed,
        np.frombuffer(data, np.uint8),
        dims,
        length=window[0],
        days=window[1],
        epochs=epochs,
    )
    apart = disagreement(member)
    if not apart <= TOLERANCE:
        raise ValueError(f"the exported network is {apart:.1e} off")
    return member


def disagreement(member: Transformer, seed: int = 0) -> float:
    """Answer how far the member's vectors are from those of its ONNX, as a share, at worst."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session: Any = onnxruntime.InferenceSession(
        member.onnx.tobytes(), options, providers=["CPUExecutionProvider"]
    )
    rng = np.random.default_rng(seed)
    worst = 0.0
    for h in ASKED:
        indices = rng.integers(0, len(member.vectors), h).astype(np.int32)
        # Of every class of time, from the same minute to years ago.
        days = np.sort(2.0 ** rng.uniform(-12, 11, h))[::-1].astype(np.float32)
        kinds = rng.integers(0, member.dims.kinds, h).astype(np.uint8)
        found = attend(member.packed, member.dims, member.vectors, indices, days, kinds)
        asked = onnx_inputs(member, indices, days, kinds)
        wanted = session.run(None, asked)[0][0]
        gap = np.linalg.norm(found - wanted) / max(float(np.linalg.norm(wanted)), 1e-9)
        worst = max(worst, float(gap)) if np.isfinite(gap) else np.inf
    return worst


def onnx_inputs(
    member: Transformer,
    indices: npt.NDArray[np.int32],
    days: npt.NDArray[np.float32],
    kinds: npt.NDArray[np.uint8],
) -> dict[str, npt.NDArray[Any]]:
    """Answer one history of h events as the ONNX file takes it, oldest first."""
    gaps = days - np.append(days[1:], np.float32(0))
    ages = member.dims.ages
    given = (
        member.vectors[indices],
        time_classes(gaps, ages),
        kinds.astype(np.int64),
        time_classes(days, ages),
    )
    return {name: one[None] for name, one in zip(INPUTS, given, strict=True)}
