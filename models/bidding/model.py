"""The bidding model: values of candidates and the landscape of prices, from one bundle.

Pure, may run in threads; a candidate is a row of numbers and an answer an array (see value).
Knows nothing of how any of it was learned, of campaigns' rules or of budgets.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
from numba import njit

from domain.errors import BundleRefused
from models.bidding.candidates import Fan, codes_of, fan_of, raw_of_candidates
from models.bidding.columns import (
    BUCKETS,
    CATEGORIES,
    COMMON,
    NAMES,
    OWN,
    WORDS,
    common_row,
    own_codes,
)
from models.bidding.evidence import PRIOR_VARIANCE
from models.bidding.landscape import Landscape, columns_of
from models.bidding.laws import LOGISTIC
from models.bidding.value import AIMS, Line, Valued, valued
from models.bundle import Bundle
from models.forest.forest import Forest

F64 = npt.NDArray[np.float64]
Numbers = tuple[float, float, float, float, float, float]
"""Slope, intercept and mean of click, then of conversion."""


class Calibrated(NamedTuple):
    """A forest, the line that calibrates its log-odds, and the outcome's rate in the log."""

    forest: Forest
    slope: float
    intercept: float
    mean: float


@njit(cache=True, nogil=True, error_model="numpy")
def value_lines(
    click: Fan,
    conversion: Fan,
    numbers: Numbers,
    variance: F64,
    categories: npt.NDArray[np.int64],
    common: F64,
    own: F64,
    lines: Line,
) -> Valued:
    """Answer the values of n candidates: one compiled call, no Python in between.

    click, conversion, numbers, variance, categories: see BiddingModel.kernel. common:
    float64[COMMON]. own: float64[n, 3]. lines: terms of the n candidates.
    """
    clicks, conversions = np.zeros(own.shape[0]), np.zeros(own.shape[0])
    codes, own_words = np.empty(common.shape[0], np.int64), np.empty(own.shape, np.int64)
    codes_of(common, codes)
    for row in range(own.shape[0]):
        codes_of(own[row], own_words[row])
    raw_of_candidates(click, common, codes, own_words, clicks)
    raw_of_candidates(conversion, common, codes, own_words, conversions)
    columns = (codes, own_words, categories)
    return valued((clicks, conversions), numbers, variance, columns, lines)


@dataclass(frozen=True, eq=False)
class BiddingModel:
    """A loaded model.

    click, conversion: what foretells them. variance: float64[2, words · BUCKETS], of words'
    weights for click and for conversion, see evidence.
    landscape: of prices. worth: micros that a conversion brings on average, by campaign under
    its name and under "" for all others. delay: mean ms from click to conversion.
    """

    click: Calibrated
    conversion: Calibrated
    variance: F64
    landscape: Landscape
    worth: Mapping[str, float] = field(default_factory=dict)
    delay: float = 0.0

    def __post_init__(self) -> None:
        for part in (self.click, self.conversion):
            if part.forest.features != len(NAMES):
                raise ValueError("its forests are over other features")
            if not (part.slope >= 0 and np.isfinite([part.slope, part.intercept]).all()):
                raise ValueError("a calibration never turns the order around")
            if not 0 < part.mean < 1:
                raise ValueError("a rate lies between 0 and 1")
        if self.variance.shape != (2, len(WORDS) * BUCKETS) or not (
            (self.variance >= 0).all() and (self.variance <= PRIOR_VARIANCE).all()
        ):
            raise ValueError("a word's variance is between 0 and the prior's")
        if not all(np.isfinite(one) and one >= 0 for one in (*self.worth.values(), self.delay)):
            raise ValueError("worth and delay are finite and 0 or more")
        # Laid out at once: a forest that candidates cannot ask is refused when it is loaded.
        _ = self.kernel

    @cached_property
    def kernel(self) -> tuple[Fan, Fan, Numbers, F64, npt.NDArray[np.int64]]:
        """Answer the arguments of `value_lines` that do not change, made once a model."""
        one, two = self.click, self.conversion
        return (
            fan_of(one.forest.trees, COMMON, CATEGORIES),
            fan_of(two.forest.trees, COMMON, CATEGORIES),
            (one.slope, one.intercept, one.mean, two.slope, two.intercept, two.mean),
            self.variance,
            np.array(CATEGORIES, np.int64),
        )

    def value(self, common: F64, own: F64, lines: Line) -> Valued:
        """Answer the values of n candidates; raises ValueError for rows of another width."""
        if common.shape != (COMMON,) or own.shape[1:] != (len(OWN),):
            raise ValueError("a row has what is shared and what tells candidates apart")
        click, conversion, numbers, variance, categories = self.kernel
        return value_lines(click, conversion, numbers, variance, categories, common, own, lines)

    def worth_of(self, campaign: str) -> float:
        """Answer the micros that a conversion of a campaign brings on average."""
        return float(self.worth.get(campaign, self.worth.get("", 0.0)))

    def answer(self, row: Any) -> Any:
        """Answer one golden row: context, scores, ids, aim, target, standard and bid.

        Answers value, chances, confidence, and the chance that the bid wins.
        """
        own = own_codes(row["campaign"], row["line"], row["creative"])[None, :]
        one = np.ones(1)
        lines = Line(
            np.array([AIMS[row["aim"]]]),
            one * float(row["target"]),
            one * float(row["standard"]),
            one * self.worth_of(row["campaign"]),
            one,
            one,
        )
        found = self.value(common_row(row["context"], row.get("scores")), own, lines)
        return {
            "value": float(found.value[0]),
            "click": float(found.click[0]),
            "conversion": float(found.conversion[0]),
            "confidence": float(found.confidence[0]),
            "win": float(self.landscape.chance(row["context"], float(row["bid"]))),
        }

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Answer every array by name, for a bundle."""
        found: dict[str, npt.NDArray[Any]] = {"variance": self.variance}
        for name, part in (("click", self.click), ("conversion", self.conversion)):
            found |= {f"{name}_{key}": value for key, value in part.forest.arrays().items()}
        return found | self.landscape.arrays()

    def params(self) -> dict[str, Any]:
        """Answer everything else as JSON values."""
        return {
            "names": list(NAMES),
            "buckets": BUCKETS,
            "click": _line(self.click),
            "conversion": _line(self.conversion),
            "landscape": self.landscape.params(),
            "worth": dict(self.worth),
            "delay": self.delay,
        }

    @classmethod
    def from_bundle(cls, bundle: Bundle) -> Self:
        """Load a bundle; raises BundleRefused when it does not hold such a model."""
        try:
            return cls.from_parts(bundle.arrays, bundle.params)
        except (KeyError, ValueError, TypeError) as error:
            raise BundleRefused(
                f"bundle {bundle.family}/{bundle.version} is no bidding model this release can "
                f"read ({type(error).__name__}: {error}); fit again"
            ) from error

    @classmethod
    def from_parts(cls, arrays: Mapping[str, npt.NDArray[Any]], params: Mapping[str, Any]) -> Self:
        """Make it of what `arrays` and `params` answered; raises KeyError and ValueError."""
        if params["names"] != list(NAMES) or params["buckets"] != BUCKETS:
            raise ValueError("its features are not those of this release")
        parts = [
            Calibrated(_forest(arrays, name), **{k: float(v) for k, v in params[name].items()})
            for name in ("click", "conversion")
        ]
        return cls(
            parts[0],
            parts[1],
            np.array(arrays["variance"], np.float64),
            Landscape.from_parts(arrays, params["landscape"]),
            {str(name): float(value) for name, value in params["worth"].items()},
            float(params["delay"]),
        )


def no_model() -> BiddingModel:
    """Answer a model that has learned nothing: its confidence is 0 but in prices agreed upon."""
    empty: dict[str, Any] = {name: [] for name in (*_ARRAYS, "value", "leaf_cover")}
    empty |= {name: [0] for name in ("splits", "leaves", "bits_start")}
    nobody = Calibrated(Forest.from_arrays({**empty, "features": [len(NAMES)]}), 1.0, 0.0, 0.5)
    variance = np.full((2, len(WORDS) * BUCKETS), PRIOR_VARIANCE)
    return BiddingModel(
        nobody,
        nobody,
        variance,
        Landscape(LOGISTIC, np.zeros(columns_of(1) + 1), np.eye(columns_of(1) + 1), 1),
    )


_ARRAYS = ("feature", "threshold", "kind", "missing_left", "left", "right", "cover", "bits")


def _line(part: Calibrated) -> dict[str, float]:
    return {"slope": part.slope, "intercept": part.intercept, "mean": part.mean}


def _forest(arrays: Mapping[str, npt.NDArray[Any]], name: str) -> Forest:
    prefix = f"{name}_"
    own = {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
    return Forest.from_arrays(own)
