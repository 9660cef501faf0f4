"""How far arms differ from one another: the variances of their deviations, learned by EM.

Expectation maximisation of a hierarchical Gaussian (Dempster, Laird and Rubin 1977), with an
inverse-gamma prior so that few arms cannot say "all alike". Knows nothing of rewards.
"""

from dataclasses import dataclass

import numpy as np

from models.bandits.evidence import Evidence, Floats
from models.bandits.pooling import Said, pool
from models.bandits.posterior import symmetric

NARROWEST_SPREAD, WIDEST_SPREAD = 1e-6, 100.0
"""Limits of a learned variance."""


@dataclass(frozen=True, slots=True)
class SpreadPrior:
    """What is expected of the spread before any outcome.

    sd: standard deviation of an arm's weights about those common to all arms. bias_sd: the same
    of the first feature, which is the constant 1. worth: how many weights' testimony it has.
    """

    sd: float = 0.5
    bias_sd: float = 0.1
    worth: float = 16.0

    def variances(self, features: int) -> Floats:
        """Answer float64[features]."""
        out = np.full(features, self.sd**2)
        out[0] = self.bias_sd**2
        return out


def learn_spread(
    evidence: Evidence, top: Said, spread: Floats, prior: SpreadPrior, rounds: int = 1
) -> Floats:
    """Answer the variances after some rounds of EM from `spread`: one for the bias, one for all
    other features, float64[d].

    The expected square of a deviation is its posterior variance plus its squared mean; the
    variance is their mean, drawn to the prior's by `worth` weights. Answers `spread` itself when
    the numbers leave the limits.
    """
    d = len(spread)
    for _ in range(rounds):
        squares = _expected_squares(evidence, top, spread)
        found = np.empty(d)
        wanted = prior.variances(d)
        # the bias has one weight an arm where the others have d - 1
        share = prior.worth / max(d - 1, 1)
        found[0] = (squares[:, 0].sum() + share * wanted[0]) / (evidence.arms + share)
        rest = squares[:, 1:]
        if d > 1:
            found[1:] = (rest.sum() + prior.worth * wanted[1]) / (rest.size + prior.worth)
        if not np.isfinite(found).all():
            return spread
        spread = np.clip(found, NARROWEST_SPREAD, WIDEST_SPREAD)
    return spread


def _expected_squares(evidence: Evidence, top: Said, spread: Floats) -> Floats:
    """Answer E[(w - parent)^2] of every arm and feature given all outcomes: float64[k, d]."""
    family = pool(evidence, top, spread)
    # given the parent u: w - u ~ N(C (b - A u), C), C = (A + D^-1)^-1; u ~ N(mean, covariance)
    own = symmetric(np.linalg.inv(evidence.precision + np.diag(1.0 / spread)))
    pull = own @ evidence.precision
    centre = (own @ evidence.shift[..., None])[..., 0] - pull @ family.mean
    doubt = np.einsum("kij,jl,kil->ki", pull, family.covariance, pull)
    return np.diagonal(own, axis1=1, axis2=2) + doubt + centre**2
