"""Sessions whose label is the order of two events: a bag of their events says nothing of it.

Each session holds one search and one request for support among clicks and ends on a click;
after that last event it is asked whether the search came first.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from domain.events import Kind
from models.intent.encoding import Encoding, learn_encoding
from models.intent.past import ECHOES, PRIOR
from models.intent.vocabulary import Columns
from training.fit.intent.network import Examples

FIRST, SECOND, OTHER = int(Kind.search), int(Kind.support), int(Kind.click)


class Ordered(NamedTuple):
    """Columns of s sessions, offsets, and of each event whether it is asked and the answer."""

    columns: Columns
    offsets: np.ndarray
    asked: np.ndarray
    y: np.ndarray


def ordered(sessions: int, seed: int) -> Ordered:
    """Draw sessions of 4 to 11 events."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(4, 12, sessions)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    n = int(offsets[-1])
    kinds, y, asked = np.full(n, OTHER, np.int8), np.zeros(n, np.uint8), np.zeros(n, np.bool_)
    for begin, end in pairwise(offsets):
        first, second = rng.choice(end - begin - 1, 2, replace=False)
        kinds[begin + first], kinds[begin + second] = FIRST, SECOND
        y[begin:end] = first < second
        asked[end - 1] = True
    columns = Columns(
        kinds,
        rng.integers(1, 50, n).astype(np.uint64),
        rng.integers(1, 5, n).astype(np.int32),
        np.zeros(n, np.int64),
        np.cumsum(rng.integers(1000, 60_000, n)),
    )
    return Ordered(columns, offsets, asked, y)


def encoding_of(data: Ordered) -> Encoding:
    """Learn the encoding of sessions without a past."""
    n, s = len(data.y), len(data.offsets) - 1
    nothing = np.full((n, len(ECHOES)), np.nan), np.full((s, len(PRIOR)), np.nan)
    return learn_encoding(data.columns, data.offsets, *nothing)


def examples_of(encoding: Encoding, data: Ordered) -> Examples:
    """Encode sessions without a past."""
    n, s = len(data.y), len(data.offsets) - 1
    nothing = np.full((n, len(ECHOES)), np.nan), np.full((s, len(PRIOR)), np.nan)
    encoded = encoding.encode(data.columns, data.offsets, *nothing)
    return Examples(encoded, data.offsets, data.asked, data.y)
