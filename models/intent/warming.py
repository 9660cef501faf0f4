"""An intent model that learned nothing, and one answer of every sort from any model.

Kernels are compiled where nobody waits: when a model is loaded, or when an image is built. Knows
nothing of bundles or requests.
"""

import numpy as np

from domain.clock import MINUTE_MS
from domain.events import KINDS, Kind
from models.calibration import Uncalibrated
from models.forest.stump import stump
from models.intent.categories import Categories
from models.intent.confidence import PLACES, Confidence
from models.intent.encoding import learn_encoding
from models.intent.features import NAMES
from models.intent.model import IntentModel, Mix
from models.intent.past import ECHOES, PRIOR
from models.intent.recurrent import GATES, Weights, run_flat
from models.intent.renown import unheard
from models.intent.vocabulary import FIELDS, Columns


def warm(model: IntentModel) -> None:
    """Run every kernel that an answer of the model may need; changes nothing."""
    ats = np.arange(1, 4, dtype=np.int64) * MINUTE_MS
    kinds, items = np.full(3, int(Kind.click), np.uint8), np.arange(1, 4, dtype=np.uint64)
    values, currencies = np.zeros(3, np.int64), np.zeros(3, np.uint16)
    as_of = int(ats[-1]) + 1
    model.score_history((kinds, items, values, currencies, ats), as_of)
    visit = model.visit(model.columns(kinds, items, ats, values), as_of)
    model.trajectory_of(visit, as_of)
    model.score_of(visit, as_of)


def sample() -> IntentModel:
    """Answer a model of a forest alone; its figures mean nothing."""
    n = KINDS
    met = Columns(
        np.arange(n, dtype=np.int8),
        np.arange(1, n + 1, dtype=np.uint64),
        np.ones(n, np.int32),
        np.zeros(n, np.int64),
        np.arange(n, dtype=np.int64) * MINUTE_MS,
    )
    past = np.zeros((n, len(ECHOES))), np.zeros((1, len(PRIOR)))
    return IntentModel(
        definition={"target": "purchase", "horizon_hours": 0.0, "gap_ms": 30 * MINUTE_MS},
        encoding=learn_encoding(met, np.array([0, n]), *past),
        renown=unheard(),
        categories=Categories.made({}),
        network=None,
        forest=stump(len(NAMES)),
        mix=Mix(0.0, 1.0),
        calibration=Uncalibrated(),
        trust=Confidence(1.0, np.ones(3), np.tile([0.0, 1.0], (len(PLACES), 1))),
        rate=0.5,
    )


def warm_network() -> None:
    """Run the kernel of networks once, with weights that are no network's."""
    w, gates = 4, GATES["LSTM"]
    shapes = ((8, w), (2, w), (w,), (3, w), (w, gates * w), (gates * w,), (w, gates * w))
    shapes += ((gates * w,), (2 * w, w), (w,), (w, 1), (1,))
    weights = Weights(*(np.zeros(shape, np.float32) for shape in shapes))
    codes, numbers = np.zeros((1, len(FIELDS)), np.int64), np.zeros((1, 2), np.float32)
    out = np.empty((1, 1), np.float32)
    run_flat(codes, numbers, np.zeros(3, np.float32), out, *weights)
