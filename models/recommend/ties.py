"""Ties: an order among equal scores that every worker and every start agrees on.

Indices of new items tell in which order somebody happened to hear of them; when an item was
created, and the hash of its name, do not change. Knows nothing of what is scored.
"""

import numpy as np

from models.recommend.catalogue import Catalogue, Scores


def untied(catalogue: Catalogue, scores: Scores) -> Scores:
    """Answer float32[m] scores, of those above 0 no two equal: the newer higher, then by hash.

    Each steps down from its equals by what float32 can tell apart, and never below the next that
    scored less; so the first ten of any answer are the first ten of a longer one.
    """
    rows = np.flatnonzero(scores > 0)
    values = scores[rows]
    order = np.argsort(-values, kind="stable")
    same = values[order][1:] == values[order][:-1]
    if not same.any():
        return scores
    newest = -catalogue.created[rows]
    order = np.lexsort((catalogue.name_hashes()[rows], newest, -values))
    ranked = values[order]
    first = np.concatenate([[True], ranked[1:] != ranked[:-1]])
    starts = np.flatnonzero(first)
    group = np.cumsum(first) - 1
    steps = np.arange(len(ranked)) - starts[group]
    # One unit in the last place of the value itself for each step.
    lower = ranked - steps.astype(np.float32) * np.spacing(ranked)
    below = np.append(ranked[starts[1:]], np.float32(0))[group]
    out = scores.copy()
    out[rows[order]] = np.maximum(lower, np.nextafter(below, np.float32(np.inf)))
    return out
