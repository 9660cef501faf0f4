"""Joining network and forest on the log-odds scale, and letting validation say who answers.

    log-odds = share · network + (1 - share) · forest

One number is all that validation decides: its sessions are few users' and resemble each other,
and free weights and a constant would learn their season. Knows nothing of what the parts are.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.calibration import sigmoid
from models.intent.model import Mix
from training.evaluate.probabilities import losses

F64 = npt.NDArray[np.float64]
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Shares of the network that are tried."""
EVEN = 0.5
PARTS = {"network": (True, False), "forest": (False, True), "blend": (True, True)}
"""Champion → which of network and forest it is made of."""


class Mixed(NamedTuple):
    """The champion, how its parts are joined, and the log-loss of every share of the network."""

    champion: str
    mix: Mix
    log_loss: dict[str, float]


def champion_of(share: float) -> str:
    """Answer who answers when the network has this share."""
    return {0.0: "forest", 1.0: "network"}.get(share, "blend")


def choose_mix(
    network: F64, forest: F64, y: npt.ArrayLike, owner: npt.NDArray[np.int64], wanted: str = "best"
) -> Mixed:
    """Choose the network's share by log-loss; log-odds float64[n], owner int64[n], whose row.

    The even blend answers unless another share is better by more than one standard error over
    owners. wanted: a champion that is taken as it is, a blend with its best share.
    """
    y = np.asarray(y)
    lost = {s: losses(y, sigmoid(s * network + (1 - s) * forest)) for s in SHARES}
    allowed = [s for s in SHARES if wanted in ("best", champion_of(s))]
    best = min(allowed, key=lambda share: float(lost[share].mean()))
    if EVEN in allowed:
        gain = np.bincount(owner, lost[EVEN] - lost[best])
        # Owners without a row count for nothing.
        gain = gain[np.bincount(owner) > 0]
        if gain.mean() <= gain.std() / np.sqrt(len(gain)):
            best = EVEN
    means = {f"{share:g}": float(one.mean()) for share, one in lost.items()}
    return Mixed(champion_of(best), Mix(best, 1 - best), means)
