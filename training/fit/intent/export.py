"""From a learned network to the one that serves: ONNX, checked, and asked the same questions.

Knows nothing of how it was learned.
"""

import numpy as np
import onnx

from models.calibration import sigmoid
from models.intent.network import Network
from models.intent.vocabulary import FIELDS
from training.fit.intent.net import Learner

TOLERANCE = 1e-5
"""How far the probabilities of the two may be apart: float32 sums in another order."""
ASKED = ((1, 1), (1, 7), (2, 300), (64, 9))
"""(sessions, events) that are asked of both."""


def export(learner: Learner, seed: int = 0) -> Network:
    """Answer the network as it will serve. Raises ValueError when it answers otherwise."""
    data = learner.to_onnx(len(FIELDS))
    onnx.checker.check_model(onnx.load_from_string(data), full_check=True)
    network = Network(data)
    rng = np.random.default_rng(seed)
    rows, numbers, prior = learner.widths
    for sessions, events in ASKED:
        asked = (
            rng.integers(0, rows, (sessions, events, len(FIELDS))),
            rng.normal(size=(sessions, events, numbers)).astype(np.float32),
            rng.normal(size=(sessions, prior)).astype(np.float32),
        )
        wanted = learner.log_odds(*asked)
        apart = np.abs(sigmoid(network.log_odds(*asked, np.arange(events))) - sigmoid(wanted))
        if not apart.max() <= TOLERANCE:
            raise ValueError(
                f"the exported network is {apart.max():.1e} off in probability for "
                f"{sessions} sessions of {events} events"
            )
    return network
