"""Tables of sessions with a planted rule, for the tests of rivals and judge."""

import numpy as np

from domain.clock import HOUR_MS
from training.fit.intent.sessions import Sessions, Stream, cut

START = 1_700_006_400_000
CLICK, ADD, BUY, SEARCH = 2, 3, 5, 8


def table_of(kinds: list[list[int]], items: list[list[int]] | None = None) -> Sessions:
    """Answer one session a list of kinds, each of a user of its own, in one category."""
    lengths = [len(one) for one in kinds]
    groups = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    n = int(groups[-1])
    things = np.ones(n, np.uint64) if items is None else np.concatenate(items).astype(np.uint64)
    inside = np.arange(n) - np.repeat(groups[:-1], lengths)
    began = np.repeat(np.arange(len(kinds)), lengths) * HOUR_MS
    return cut(
        Stream(
            entities=np.arange(1, len(kinds) + 1, dtype=np.uint64),
            groups=groups,
            kinds=np.concatenate(kinds).astype(np.int8),
            items=things,
            categories=np.ones(n, np.int32),
            values=np.zeros(n, np.int64),
            ats=(START + began + inside * 1000).astype(np.int64),
        )
    )


def alternating(count: int, seed: int, length: int = 9) -> Sessions:
    """Answer sessions of clicks and searches that tell by order alone who will buy.

    Half of them repeat each event with 80 % of chance the one two places before it, and end with
    a purchase; the others do the opposite. The kinds themselves are as common in both, and so are
    their pairs.
    """
    rng = np.random.default_rng(seed)
    kinds = []
    for _ in range(count):
        buys = rng.random() < 0.5
        bits = rng.integers(0, 2, 2).tolist()
        while len(bits) < length:
            same = rng.random() < (0.8 if buys else 0.2)
            bits.append(bits[-2] if same else 1 - bits[-2])
        kinds.append([SEARCH if bit else CLICK for bit in bits] + [BUY if buys else CLICK])
    return table_of(kinds)
