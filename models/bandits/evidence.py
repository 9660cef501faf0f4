"""Evidence: what outcomes say about the arms, as sums that add up in any order.

An outcome says of an arm's weights w what a Gaussian with precision `A` and shift `A w` says;
evidence of several workers is the sum of theirs, and forgetting is a factor. Knows nothing of
priors, nor of how an outcome became a Gaussian.
"""

import struct
from collections.abc import Iterable
from math import prod
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

MAGIC = b"SBE1"
_HEADER = struct.Struct("<4sIIdd")
COUNT, REWARD, SQUARE = 0, 1, 2
"""Columns of the tallies: outcomes, the sum of their rewards, the sum of the squares."""
LARGEST_PRECISION = 1e12
"""No feature of an arm is ever known better than this; more is a fault, not knowledge."""
_LEAST_EIGENVALUE = -1e-6


class Evidence(NamedTuple):
    """What k arms with d features each have shown.

    precision: float64[k, d, d], symmetric. shift: float64[k, d]. tallies: float64[k, 3], the
    columns COUNT, REWARD and SQUARE. All three fade together.
    """

    precision: Floats
    shift: Floats
    tallies: Floats

    @property
    def arms(self) -> int:
        """How many arms there are."""
        return self.precision.shape[0]

    @property
    def features(self) -> int:
        """How many features an arm has."""
        return self.precision.shape[1]

    def rows(self, arms: npt.ArrayLike) -> "Evidence":
        """Answer the evidence of some arms, in the order they are named."""
        index = np.asarray(arms)
        return Evidence(*(array[index] for array in self))


def nothing(arms: int, features: int) -> Evidence:
    """Answer the evidence of no outcome."""
    return Evidence(
        np.zeros((arms, features, features)), np.zeros((arms, features)), np.zeros((arms, 3))
    )


def total(parts: Iterable[Evidence]) -> Evidence:
    """Answer the sum of evidence of one shape; raises ValueError for none or for unlike shapes."""
    kept = list(parts)
    if not kept:
        raise ValueError("there is no evidence to add")
    if len({part.precision.shape for part in kept}) != 1:
        raise ValueError("evidence of unlike shapes does not add up")
    return Evidence(*(np.sum(arrays, axis=0) for arrays in zip(*kept, strict=True)))


def faded(evidence: Evidence, factor: float) -> Evidence:
    """Answer evidence that counts `factor` (0 to 1) as much: forgetting as a power prior does."""
    if not 0.0 <= factor <= 1.0:
        raise ValueError("evidence fades by a factor from 0 to 1")
    return Evidence(*(array * factor for array in evidence))


def fading(seconds: float, half_life: float) -> float:
    """Answer the factor of `seconds` that passed; a half-life of 0 never forgets.

    A clock that went back changes nothing.
    """
    return 0.5 ** (max(seconds, 0.0) / half_life) if half_life > 0 else 1.0


def sound(evidence: Evidence) -> npt.NDArray[np.bool_]:
    """Tell of each arm whether its evidence can be true: bool[k].

    Finite, symmetric, not negative in any direction, counts and squares not below zero, and
    nowhere surer than LARGEST_PRECISION.
    """
    k = evidence.arms
    flat = [array.reshape(k, prod(array.shape[1:])) for array in evidence]
    finite = np.logical_and.reduce([np.isfinite(array).all(axis=1) for array in flat])
    precision = np.where(finite[:, None, None], evidence.precision, 0.0)
    largest = np.abs(precision).max(axis=(1, 2), initial=0.0)
    turned = np.abs(precision - np.swapaxes(precision, 1, 2)).max(axis=(1, 2), initial=0.0)
    least = np.linalg.eigvalsh((precision + np.swapaxes(precision, 1, 2)) / 2).min(axis=1)
    tallies = evidence.tallies[:, [COUNT, SQUARE]]
    scale = np.maximum(largest, 1.0)
    return (
        finite
        & (largest <= LARGEST_PRECISION)
        & (turned <= 1e-6 * scale)
        & (least >= _LEAST_EIGENVALUE * scale)
        & (np.where(np.isfinite(tallies), tallies, -1.0) >= 0).all(axis=1)
    )


def packed(evidence: Evidence, as_of: float, half_life: float) -> bytes:
    """Write evidence as of a time (seconds) as bytes; only one triangle of a precision travels."""
    k, d = evidence.shift.shape
    lower = np.tril_indices(d)
    body = (evidence.precision[:, lower[0], lower[1]], evidence.shift, evidence.tallies)
    header = _HEADER.pack(MAGIC, k, d, as_of, half_life)
    return header + b"".join(np.ascontiguousarray(part, "<f8").tobytes() for part in body)


class Dated(NamedTuple):
    """Evidence as of a time, in seconds, and the half-life it fades by (0: it does not)."""

    evidence: Evidence
    as_of: float
    half_life: float

    def at(self, now: float) -> Evidence:
        """Answer what is left of it; the future of another's clock counts as now."""
        return faded(self.evidence, fading(now - self.as_of, self.half_life))


def unpacked(blob: bytes) -> Dated:
    """Read what `packed` wrote.

    Raises ValueError for anything else. Arms whose numbers cannot be true come back as nothing:
    one worker's fault must not reach the others.
    """
    if len(blob) < _HEADER.size:
        raise ValueError("these bytes are no evidence")
    magic, k, d, as_of, half_life = _HEADER.unpack_from(blob)
    triangle = d * (d + 1) // 2
    width = triangle + d + 3
    if magic != MAGIC or len(blob) != _HEADER.size + 8 * k * width:
        raise ValueError("these bytes are no evidence")
    if not (np.isfinite(as_of) and np.isfinite(half_life) and half_life >= 0):
        raise ValueError("evidence has a time and a half-life")
    body = np.frombuffer(blob, "<f8", offset=_HEADER.size)
    cut = np.split(body, [k * triangle, k * (triangle + d)])
    precision = np.zeros((k, d, d))
    lower = np.tril_indices(d)
    precision[:, lower[0], lower[1]] = cut[0].reshape(k, triangle)
    precision[:, lower[1], lower[0]] = cut[0].reshape(k, triangle)
    evidence = Evidence(precision, cut[1].reshape(k, d).copy(), cut[2].reshape(k, 3).copy())
    good = sound(evidence)
    for array in evidence:
        array[~good] = 0.0
    return Dated(evidence, float(as_of), float(half_life))
