"""Beliefs about arms, pooled over a tree of two floors, ready to choose from.

Leaves hang on groups, groups on one root: campaigns of a multiplier on an exchange, creatives of
a campaign. What little a leaf has seen is filled up by its relatives; see models.bandits.pooling
for the messages. Knows nothing of what arms stand for.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.bandits.evidence import Evidence, Floats
from models.bandits.pooling import Said, downward, upward
from models.bandits.posterior import Gaussians, symmetric


class Beliefs(NamedTuple):
    """What models.bandits.choosing asks of: mean float64[k, d], covariance float64[k, d, d], both
    contiguous and read-only; outcomes: how many were learned from, faded ones less."""

    mean: Floats
    covariance: Floats
    outcomes: float


def frozen(mean: Floats, covariance: Floats, outcomes: float) -> Beliefs:
    """Answer beliefs laid out for kernels, that nobody may write to."""
    made = Beliefs(np.ascontiguousarray(mean), np.ascontiguousarray(covariance), outcomes)
    made.mean.setflags(write=False)
    made.covariance.setflags(write=False)
    return made


class Pooled(NamedTuple):
    """Priors of n leaves [n], of one more leaf in each of g groups [g], and of a leaf in a group
    that was never seen [1]."""

    leaves: Gaussians
    newcomers: Gaussians
    strangers: Gaussians


def pool_tree(
    evidence: Evidence,
    groups: npt.NDArray[np.int64],
    count: int,
    top: Said,
    spreads: tuple[Floats, Floats],
) -> Pooled:
    """Answer every leaf's prior from all leaves but itself.

    groups: int64[n], each leaf's group below `count`. top: the root's own prior. spreads:
    float64[d] variances of a group about the root, and of a leaf about its group.
    """
    group_spread, leaf_spread = spreads
    d = len(group_spread)
    below = upward(Said(evidence.precision, evidence.shift), leaf_spread)
    held = Said(np.zeros((count, d, d)), np.zeros((count, d)))
    np.add.at(held.precision, groups, below.precision)
    np.add.at(held.shift, groups, below.shift)
    messages = upward(held, group_spread)
    root = Said(top.precision + messages.precision.sum(0), top.shift + messages.shift.sum(0))
    above = downward(root, messages, group_spread)
    full = _said(above)
    full = Said(full.precision + held.precision, full.shift + held.shift)
    alone = Said(full.precision[groups], full.shift[groups])
    nobody = Said(np.zeros((1, d, d)), np.zeros((1, d)))
    return Pooled(
        downward(alone, below, leaf_spread),
        downward(full, Said(np.zeros((count, d, d)), np.zeros((count, d))), leaf_spread),
        downward(_said(downward(root, nobody, group_spread)), nobody, leaf_spread),
    )


def _said(beliefs: Gaussians) -> Said:
    """Answer beliefs in natural parameters."""
    precision = symmetric(np.linalg.inv(beliefs.covariance))
    return Said(precision, (precision @ beliefs.mean[..., None])[..., 0])
