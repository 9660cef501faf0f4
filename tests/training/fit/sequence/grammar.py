"""Logs by construction, where one item is always followed by the same other."""

import numpy as np

from domain.events import Kind
from training.fit.sequence.settings import START
from training.splits import Interactions

HOUR_MS = 3_600_000
SMALL = {**START, "width": 16, "inner": 32, "dropout": 0.1, "epochs": 8, "tokens": 64}


def log_of(histories, n, steps=None, kinds=None) -> Interactions:
    """A log of users' item numbers, seven hours apart unless `steps` (in ms, a list a user)."""
    offsets = np.concatenate([[0], np.cumsum([len(one) for one in histories])]).astype(np.int64)
    e = int(offsets[-1])
    ats = [
        np.cumsum([0, *(steps[user] if steps else [7 * HOUR_MS] * (len(one) - 1))])
        for user, one in enumerate(histories)
    ]
    return Interactions(
        n,
        offsets,
        np.array([item for one in histories for item in one], np.int32),
        np.full(e, Kind.purchase, np.uint8) if kinds is None else np.array(kinds, np.uint8),
        1_700_000_000_000 + np.concatenate(ats).astype(np.int64),
        np.arange(e) - np.repeat(offsets[:-1], np.diff(offsets)),
        np.ones(e, np.float32),
    )


def successors(n=30, users=200, seed=0):
    """Answer (the log, int[n] what follows each item): a random permutation, walked along."""
    rng = np.random.default_rng(seed)
    # One ring: nobody comes back to where he was.
    ring = rng.permutation(n)
    after = np.empty(n, np.int64)
    after[ring] = np.roll(ring, -1)
    histories = []
    for length in rng.integers(3, 9, users):
        walk = [int(rng.integers(n))]
        while len(walk) < length:
            walk.append(int(after[walk[-1]]))
        histories.append(walk)
    return log_of(histories, n), after
