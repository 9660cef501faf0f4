"""How well probabilities agree with what happened: slope, intercept, bins and tests.

Every figure that is above zero by chance alone comes with what chance alone would give.
Knows nothing of models or of how probabilities were calibrated.
"""

from math import erfc, inf, nan, sqrt
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.calibration import Floats, inside, logit, sigmoid

_NEWTON_STEPS = 50
_SETTLED = 1e-10


class Line(NamedTuple):
    """logit(P(label)) = slope * logit(p) + intercept; 1 and 0 when calibrated.

    in_the_large: the intercept when the slope is held at 1: above 0, the probabilities are too
    low on the whole. A slope below 1 says that they are too extreme.
    """

    slope: float
    intercept: float
    in_the_large: float


class Spiegelhalter(NamedTuple):
    """z of Spiegelhalter 1986 ("Probabilistic prediction in patient management"), two-sided p."""

    z: float
    p: float


class Bin(NamedTuple):
    """Rows of like probability: how many, their mean, the rate seen, its 95 % Wilson interval."""

    count: int
    predicted: float
    observed: float
    low: float
    high: float


class Error(NamedTuple):
    """Expected calibration error, its mean and 95th percentile under calibration, and p.

    p: how often perfectly calibrated labels give an error at least as large, never 0.
    """

    error: float
    null_mean: float
    null_high: float
    p: float


def _pair(labels: npt.ArrayLike, probabilities: npt.ArrayLike) -> tuple[Floats, Floats]:
    seen, predicted = np.asarray(labels, np.float64), inside(probabilities)
    if seen.shape != predicted.shape or seen.ndim != 1 or not len(seen):
        raise ValueError("labels and probabilities are two rows of one length, not empty")
    if not np.all((seen == 0) | (seen == 1)) or np.any(np.isnan(predicted)):
        raise ValueError("labels are 0 or 1 and probabilities are numbers")
    return seen, predicted


def line(labels: npt.ArrayLike, probabilities: npt.ArrayLike) -> Line:
    """Answer slope and intercept by maximum likelihood (Cox 1958).

    With labels that the probabilities part without overlap there is none: the slope is
    infinite and the intercept NaN. Raises ValueError for labels of one kind only.
    """
    seen, predicted = _pair(labels, probabilities)
    if seen.min() == seen.max():
        raise ValueError("labels of one kind say nothing of a slope")
    odds = logit(predicted)
    in_the_large = _newton(seen, np.ones((len(seen), 1)), odds)[0]
    if predicted[seen == 0].max() <= predicted[seen == 1].min():
        flat = predicted.min() == predicted.max()
        return Line(nan if flat else inf, nan, in_the_large)
    if predicted[seen == 1].max() <= predicted[seen == 0].min():
        return Line(-inf, nan, in_the_large)
    design = np.column_stack([odds, np.ones(len(odds))])
    slope, intercept = _newton(seen, design, np.zeros(len(odds)))
    return Line(float(slope), float(intercept), in_the_large)


def _newton(seen: Floats, design: Floats, offset: Floats) -> list[float]:
    """Maximise the likelihood of a logistic regression; steps that overshoot are halved."""
    found = np.zeros(design.shape[1])

    def loss(candidate: Floats) -> float:
        odds = design @ candidate + offset
        return float(np.sum(np.logaddexp(0, odds) - seen * odds))

    best = loss(found)
    for _ in range(_NEWTON_STEPS):
        rates = sigmoid(design @ found + offset)
        curve = design.T @ (design * (rates * (1 - rates))[:, None])
        step = np.linalg.lstsq(curve, design.T @ (seen - rates), rcond=None)[0]
        while (now := loss(found + step)) > best + _SETTLED and np.abs(step).max() > _SETTLED:
            step /= 2
        found, best = found + step, now
        if np.abs(step).max() < _SETTLED:
            break
    return [float(value) for value in found]


def spiegelhalter(labels: npt.ArrayLike, probabilities: npt.ArrayLike) -> Spiegelhalter:
    """Answer z and p: a small p says that the labels do not follow the probabilities."""
    seen, predicted = _pair(labels, probabilities)
    tilt = 1 - 2 * predicted
    spread = sqrt(float(np.sum(tilt**2 * predicted * (1 - predicted))))
    z = float(np.sum((seen - predicted) * tilt)) / spread if spread > 0 else 0.0
    return Spiegelhalter(z, erfc(abs(z) / sqrt(2)))


def _places(predicted: Floats, bins: int) -> npt.NDArray[np.int64]:
    """Answer the bin of each row: as equal in size as ties of one probability allow."""
    if bins < 1:
        raise ValueError("at least one bin is wanted")
    edges = np.unique(np.quantile(predicted, np.arange(1, bins) / bins))
    numbers = np.searchsorted(edges, predicted, side="left")
    return np.unique(numbers, return_inverse=True)[1]


def reliability_bins(
    labels: npt.ArrayLike, probabilities: npt.ArrayLike, bins: int = 10
) -> tuple[Bin, ...]:
    """Answer at most `bins` bins of about equal size, from the lowest probability up."""
    seen, predicted = _pair(labels, probabilities)
    places = _places(predicted, bins)
    counts = np.bincount(places)
    means, rates = (np.bincount(places, one) / counts for one in (predicted, seen))
    return tuple(
        Bin(int(count), float(mean), float(rate), *_wilson(float(rate), int(count)))
        for count, mean, rate in zip(counts, means, rates, strict=True)
    )


def _wilson(rate: float, count: int, z: float = 1.959964) -> tuple[float, float]:
    middle = (rate + z * z / (2 * count)) / (1 + z * z / count)
    half = sqrt(rate * (1 - rate) / count + z * z / (4 * count * count)) * z / (1 + z * z / count)
    return max(0.0, middle - half), min(1.0, middle + half)


def calibration_error(
    labels: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    rng: np.random.Generator,
    bins: int = 10,
    draws: int = 500,
) -> Error:
    """Answer the mean absolute gap of bins, weighted by size, against its null by simulation.

    The error of even a perfect model is above zero; `draws` sets of labels drawn from the
    probabilities themselves say how far above.
    """
    seen, predicted = _pair(labels, probabilities)
    places = _places(predicted, bins)
    sums = np.bincount(places, predicted)

    def error(outcome: Floats) -> float:
        return float(np.abs(np.bincount(places, outcome) - sums).sum() / len(predicted))

    found = error(seen)
    null = np.array(
        [error((rng.random(len(predicted)) < predicted).astype(float)) for _ in range(draws)]
    )
    high = float(np.quantile(null, 0.95))
    # The observed labels count as one more draw, so that p is never 0 (Davison, Hinkley 1997).
    p = (1 + int(np.sum(null >= found - 1e-15))) / (1 + draws)
    return Error(found, float(null.mean()), high, p)
