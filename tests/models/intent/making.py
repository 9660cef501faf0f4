"""An intent model put together by hand: a network of untrained weights, a small forest."""

import numpy as np

from domain.clock import MINUTE_MS
from models.calibration import Platt
from models.forest.forest import Forest
from models.intent.categories import Categories
from models.intent.confidence import PLACES, Confidence
from models.intent.encoding import learn_encoding
from models.intent.features import NAMES, rows
from models.intent.model import IntentModel, Mix
from models.intent.network import Network
from models.intent.visit import with_past
from models.intent.vocabulary import FIELDS, Columns
from training.fit.churn.trees import boost, forest_of
from training.fit.intent.net import Learner, Shape
from training.fit.intent.renown import table_of

GAP_MS = 30 * MINUTE_MS
START = 1_700_000_000_000


def columns(n: int, seed: int = 0, pause_ms: int = 60_000) -> Columns:
    """Draw n events of one user, `pause_ms` apart at most; no purchase, no cart."""
    rng = np.random.default_rng(seed)
    return Columns(
        rng.choice(np.array([1, 2, 8, 14], np.int8), n),
        rng.integers(1, 20, n).astype(np.uint64),
        rng.integers(1, 5, n).astype(np.int32),
        rng.integers(0, 3, n) * 1_000_000,
        START + np.cumsum(rng.integers(1000, pause_ms, n)),
    )


def _forest(own: Columns) -> Forest:
    offsets = np.arange(0, len(own.ats) + 1, 5)
    x = rows(offsets, tuple(own), *with_past(own, offsets, None, None))
    y = (own.kinds == 8).astype(np.uint8)
    assert x.shape[1] == len(NAMES)
    return forest_of(boost(x, y, 4, 20), 20)


def model(
    network: float = 0.5, forest: float = 0.5, target: str = "purchase", hours: float = 0.0
) -> IntentModel:
    """Answer a model whose parts have these weights."""
    own = columns(400)
    offsets = np.arange(0, 401, 5)
    past = with_past(own, offsets, None, None)
    encoding = learn_encoding(own, offsets, past[1], past[0])
    words = encoding.vocabulary
    shape = Shape(
        "lstm", int(words.sizes.sum()), encoding.numbers, encoding.prior.width, width=8, heads=2
    )
    return IntentModel(
        definition={"target": target, "horizon_hours": hours, "gap_ms": GAP_MS},
        encoding=encoding,
        renown=table_of(own.kinds, own.items, own.categories),
        categories=Categories.made({item: item % 4 + 1 for item in range(1, 20)}),
        network=Network(Learner(shape).to_onnx(len(FIELDS))) if network else None,
        forest=_forest(own) if forest else None,
        mix=Mix(network, forest),
        calibration=Platt(0.9, -0.3),
        trust=Confidence(2.0, np.ones(3), np.tile(np.linspace(0, 1, 11), (len(PLACES), 1))),
        rate=0.1,
    )
