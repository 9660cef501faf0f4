"""Posteriors over arms' weights: prior and evidence put together, kept inside sanity limits.

Full covariance, in closed form. Knows nothing of where the prior came from, nor of choosing.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from models.bandits.evidence import Evidence, Floats, sound

LARGEST_WEIGHT = 50.0
"""No weight of an arm is believed to be larger: beyond it the arm falls back to its prior."""
WIDEST = 1e4
"""No direction of a prior or posterior has a larger variance."""
NARROWEST = 1e-12
"""Nor a smaller one."""


class Gaussians(NamedTuple):
    """Beliefs about k arms: mean float64[k, d], covariance float64[k, d, d]."""

    mean: Floats
    covariance: Floats

    def copy(self) -> "Gaussians":
        """Answer a copy that may be written to."""
        return Gaussians(
            np.ascontiguousarray(self.mean).copy(), np.ascontiguousarray(self.covariance).copy()
        )


class Believed(NamedTuple):
    """Beliefs, and of each arm whether they had to fall back to the prior: bool[k]."""

    beliefs: Gaussians
    fell_back: np.ndarray


def standard(arms: int, mean: Floats, variance: Floats) -> Gaussians:
    """Answer one belief for every arm: mean float64[d], independent variances float64[d]."""
    return Gaussians(np.tile(mean, (arms, 1)), np.tile(np.diag(variance), (arms, 1, 1)))


def symmetric(matrices: npt.NDArray[Any]) -> Floats:
    """Answer matrices [.., d, d] with what rounding turned put straight."""
    return np.asarray((matrices + np.swapaxes(matrices, -1, -2)) / 2, np.float64)


def sane(beliefs: Gaussians) -> np.ndarray:
    """Tell of each arm whether its belief is within the limits: bool[k]."""
    finite = np.all(np.isfinite(beliefs.mean), axis=1)
    finite &= np.all(np.isfinite(beliefs.covariance), axis=(1, 2))
    variances = np.diagonal(beliefs.covariance, axis1=1, axis2=2)
    within = np.all((variances > NARROWEST) & (variances < WIDEST), axis=1)
    largest = np.abs(np.where(finite[:, None], beliefs.mean, 0.0)).max(axis=1)
    return finite & within & (largest < LARGEST_WEIGHT)


def believe(prior: Gaussians, evidence: Evidence) -> Believed:
    """Put prior and evidence together.

    precision = prior precision + evidence; mean = covariance (prior shift + evidence's shift).
    An arm whose evidence cannot be true, or whose belief leaves the limits, keeps its prior.
    """
    good = sound(evidence)
    kept = good[:, None, None]
    prior_precision = np.linalg.inv(prior.covariance)
    precision = prior_precision + np.where(kept, evidence.precision, 0.0)
    pull = (prior_precision @ prior.mean[..., None])[..., 0]
    shift = pull + np.where(good[:, None], evidence.shift, 0.0)
    covariance = symmetric(np.linalg.inv(symmetric(precision)))
    mean = (covariance @ shift[..., None])[..., 0]
    found = Gaussians(mean, covariance)
    good &= sane(found)
    return Believed(
        Gaussians(
            np.where(good[:, None], found.mean, prior.mean),
            np.where(good[:, None, None], found.covariance, prior.covariance),
        ),
        ~good,
    )
