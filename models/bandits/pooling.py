"""Pooling: what relatives' outcomes say of an arm that has few of its own.

A tree of Gaussians: every child's weights are its parent's plus a deviation with variances
`spread`. Messages up and priors down are exact, and no child hears its own outcomes twice
(belief propagation, Pearl 1988). Exchange to campaign, or all arms to one. Knows no names.
"""

from typing import NamedTuple

import numpy as np

from models.bandits.evidence import Evidence, Floats
from models.bandits.posterior import Gaussians, symmetric


class Said(NamedTuple):
    """Gaussians as evidence has them: precision float64[.., d, d], shift float64[.., d]."""

    precision: Floats
    shift: Floats


class Family(NamedTuple):
    """What pooling found: the parent's belief, mean [d] and covariance [d, d]; priors [k]."""

    mean: Floats
    covariance: Floats
    priors: Gaussians


def upward(said: Said, spread: Floats) -> Said:
    """Answer what each child's evidence says of its parent.

    With D = diag(spread): precision A (I + D A)^-1, shift (I + A D)^-1 b. Works without
    inverting A, which may say nothing in some directions.
    """
    d = len(spread)
    turned = np.linalg.inv(np.eye(d) + said.precision * spread)  # (I + A D)^-1
    shift = (turned @ said.shift[..., None])[..., 0]
    return Said(symmetric(turned @ said.precision), shift)


def downward(parent: Said, messages: Said, spread: Floats) -> Gaussians:
    """Answer each child's prior from its parent's belief without the child's own message."""
    precision = parent.precision - messages.precision
    shift = parent.shift - messages.shift
    covariance = symmetric(np.linalg.inv(symmetric(precision)))
    mean = (covariance @ shift[..., None])[..., 0]
    return Gaussians(mean, covariance + np.diag(spread))


def said_by(mean: Floats, variance: Floats) -> Said:
    """Answer an independent prior, mean float64[d] and variances float64[d], as evidence."""
    return Said(np.diag(1.0 / variance), mean / variance)


def pool(evidence: Evidence, top: Said, spread: Floats) -> Family:
    """Pool k siblings below one parent whose own prior (or message from above) is `top`.

    spread: float64[d], above 0: variances of a child's deviation from its parent.
    """
    messages = upward(Said(evidence.precision, evidence.shift), spread)
    parent = Said(top.precision + messages.precision.sum(0), top.shift + messages.shift.sum(0))
    covariance = symmetric(np.linalg.inv(symmetric(parent.precision)))
    return Family(covariance @ parent.shift, covariance, downward(parent, messages, spread))


def pool_campaigns(
    campaigns: list[Evidence], top: Said, arm_spread: Floats, campaign_spread: Floats
) -> list[Gaussians]:
    """Answer the priors of every campaign's arms, pooled over an exchange: one [k] a campaign.

    Three floors: a weight common to all arms (prior `top`), the arm's on the exchange (deviation
    arm_spread), the arm's in the campaign (deviation campaign_spread). Campaigns have the same
    arms. A new campaign is one without evidence: `nothing(k, d)`.
    """
    below = [upward(Said(one.precision, one.shift), campaign_spread) for one in campaigns]
    arms = Said(
        np.sum([one.precision for one in below], axis=0),
        np.sum([one.shift for one in below], axis=0),
    )
    messages = upward(arms, arm_spread)
    whole = Said(top.precision + messages.precision.sum(0), top.shift + messages.shift.sum(0))
    above = downward(whole, messages, arm_spread)
    precision = np.linalg.inv(above.covariance)
    shift = (precision @ above.mean[..., None])[..., 0]
    full = Said(precision + arms.precision, shift + arms.shift)
    return [downward(full, one, campaign_spread) for one in below]
