"""The fit of bidding: impressions by time, learned, calibrated on later ones, tested on the last.

    train        learned from
    validation   how many trees, and the line that calibrates
    test         looked at once, for the figures
    release      learned again from everything, with what was chosen

Knows nothing of tracking, release or bundles' files.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from domain.clock import DAY_MS
from domain.errors import TooLittleData
from models.bidding.columns import BUCKETS, WORDS, places_in
from models.bidding.evidence import PRIOR_VARIANCE, evidence_of
from models.bidding.feedback import Rows
from models.bidding.landscape import Landscape, columns_of
from models.bidding.laws import LAWS
from models.bidding.model import BiddingModel, Calibrated
from models.bundle import Golden, Metric
from training.evaluate.probabilities import auc, calibration_check, losses
from training.fit.bidding.delays import correct
from training.fit.bidding.learner import (
    Line,
    boost,
    calibrate,
    calibrated,
    chances,
    flat,
    rounds_of,
)
from training.fit.bidding.prices import LEAST, fit_landscape
from training.fit.bidding.settings import BiddingSettings
from training.fit.bidding.table import Table

F64 = npt.NDArray[np.float64]

GOLDEN_TOLERANCE = 1e-6
_PSEUDO_ORDERS = 5.0
_BOOTSTRAPS = 300


class Judged(NamedTuple):
    """The test impressions: clicks 0 or 1, chances foretold, the rate known before."""

    y: npt.NDArray[np.uint8]
    chance: F64
    rate: F64


@dataclass(frozen=True)
class Fitted:
    """A fit's outcome. metrics: name → value with its 95 % interval. found: what was chosen and
    seen on the way, JSON values. split: how impressions were parted."""

    model: BiddingModel
    metrics: dict[str, Metric]
    found: dict[str, Any]
    golden: Golden
    split: dict[str, Any]
    judged: Judged
    plots: dict[str, Any] = field(default_factory=dict)


def parts_of(table: Table, settings: BiddingSettings) -> tuple[Table, Table, Table]:
    """Answer train, validation and test in order of time."""
    n = len(table.at)
    first = round(n * (1 - settings.test_share - settings.validation_share))
    second = round(n * (1 - settings.test_share))
    return (
        table.take(slice(0, first)),
        table.take(slice(first, second)),
        table.take(slice(second, n)),
    )


def fit_table(
    table: Table, notices: Rows, settings: BiddingSettings, until: int, *, release: bool = True
) -> Fitted:
    """Fit on impressions and notices; `release` False learns only what the figures need.

    Raises TooLittleData below the settings' clicks, or when a part of the time has none.
    """
    train, validation, test = parts_of(table, settings)
    counts = [int(part.clicked.sum()) for part in (train, validation, test)]
    if sum(counts) < settings.least_clicks or not all(counts):
        raise TooLittleData(
            f"{sum(counts)} clicks after logged bids ({counts} in train, validation and test); "
            f"{settings.least_clicks} are needed, and some in each"
        )
    labels = [part.clicked.astype(np.float64) for part in (train, validation)]
    booster, trees = rounds_of((train.x, labels[0]), (validation.x, labels[1]), settings)
    raw = booster.predict(validation.x, raw_score=True, num_iteration=trees)
    line = calibrate(np.asarray(raw), labels[1])
    rate = float(labels[0].mean())
    click = calibrated(booster, trees, line, rate)
    chance = chances(click, test.x)
    judged = Judged(test.clicked.astype(np.uint8), chance, np.full(len(chance), rate))
    found: dict[str, Any] = {
        "trees": trees,
        "slope": line.slope,
        "intercept": line.intercept,
        "clicks": counts,
        "notices": len(notices.kind),
    }
    if release:
        everything = table.clicked.astype(np.float64)
        click = calibrated(
            boost(table.x, everything, settings, trees), trees, line, float(everything.mean())
        )
    conversion, delay, told = conversions_of(table, settings)
    model = BiddingModel(
        click,
        conversion,
        variances_of(table, click, conversion),
        landscape_of(notices, settings),
        worth_of(table),
        delay,
    )
    split = {
        "kind": "time",
        "until": until,
        "validation_from": int(validation.at[0]),
        "test_from": int(test.at[0]),
    }
    golden = golden_of(model)
    return Fitted(model, metrics_of(judged), found | told, golden, split, judged)


def conversions_of(
    table: Table, settings: BiddingSettings
) -> tuple[Calibrated, float, dict[str, Any]]:
    """Answer what foretells a conversion after a click, the mean delay, and what was seen.

    Conversions still to come are allowed for. With too few, everybody has the same rate: that
    of the corrected labels, drawn to 1 % by one click.
    """
    clicks = table.take(table.clicked)
    window = settings.conversion_days * DAY_MS
    few = int(clicks.converted.sum()) < settings.least_conversions

    def same(labels: F64) -> F64:
        return np.full(len(labels), (float(labels.sum()) + 0.01) / (len(labels) + 1))

    fixed = correct(clicks.converted, clicks.waited, same, window)
    told: dict[str, Any] = {"conversions": int(clicks.converted.sum()), "conversion_trees": 0}
    part: Calibrated | None = None
    if not few:
        trees, line = _chosen(clicks, fixed.labels, settings)

        def learned(labels: F64) -> F64:
            booster = boost(clicks.x, labels, settings, trees)
            return chances(calibrated(booster, trees, line, 0.5), clicks.x)

        fixed = correct(clicks.converted, clicks.waited, learned, window, rounds=5)
        booster = boost(clicks.x, fixed.labels, settings, trees)
        mean = _rate(same(fixed.labels))
        part, told["conversion_trees"] = calibrated(booster, trees, line, mean), trees
    told |= {
        "conversions_to_come": float(fixed.labels.sum() - clicks.converted.sum()),
        "delay_hours": fixed.delay / 3_600_000,
    }
    return part or flat(_rate(same(fixed.labels))), fixed.delay, told


def _chosen(clicks: Table, labels: F64, settings: BiddingSettings) -> tuple[int, Line]:
    """Answer how many trees learned from the earlier half are best on the later, and the line."""
    half = len(clicks.at) // 2
    later = (clicks.x[half:], labels[half:])
    booster, trees = rounds_of((clicks.x[:half], labels[:half]), later, settings)
    raw = booster.predict(later[0], raw_score=True, num_iteration=trees)
    return trees, calibrate(np.asarray(raw), later[1])


def _rate(mean: F64) -> float:
    return float(np.clip(mean[0], 1e-6, 0.9))


def variances_of(table: Table, click: Calibrated, conversion: Calibrated) -> F64:
    """Answer float64[2, words · BUCKETS]: how unsure each word's weights are."""
    size = len(WORDS) * BUCKETS
    clicks = table.take(table.clicked)
    return np.stack(
        [
            np.minimum(
                evidence_of(places_in(part.x), chances(model, part.x), size).variance,
                PRIOR_VARIANCE,
            )
            for part, model in ((table, click), (clicks, conversion))
        ]
    )


def landscape_of(notices: Rows, settings: BiddingSettings) -> Landscape:
    """Answer the landscape, or one that is hardly sure of anything when notices are too few."""
    law, buckets = LAWS[settings.law], settings.price_buckets
    try:
        return fit_landscape(notices, law, buckets)
    except TooLittleData:
        weights = np.zeros(columns_of(buckets) + 1)
        # About one unit a thousand, give or take a factor of e².
        weights[0] = np.log(1e6)
        return Landscape(law, weights, np.diag(np.full(len(weights), 4.0 / LEAST)), buckets)


def worth_of(table: Table) -> dict[str, float]:
    """Answer the mean micros of a conversion, by campaign and under "" for all.

    A campaign's mean is drawn to everybody's by a few orders.
    """
    paid = table.converted & (table.worth > 0)
    everybody = float(table.worth[paid].mean()) if paid.any() else 0.0
    found = {"": everybody}
    for name in np.unique(table.campaigns[paid]):
        own = table.worth[paid & (table.campaigns == name)]
        drawn = (own.sum() + _PSEUDO_ORDERS * everybody) / (len(own) + _PSEUDO_ORDERS)
        found[str(name)] = float(drawn)
    return found


def metrics_of(judged: Judged, seed: int = 0) -> dict[str, Metric]:
    """Answer the figures of the test impressions with 95 % bootstrap intervals."""
    y, chance, rate = judged
    gain = losses(y, rate) - losses(y, chance)
    rng = np.random.default_rng(seed)
    draws = [rng.integers(0, len(y), len(y)) for _ in range(_BOOTSTRAPS)]
    check = calibration_check(y, chance, seed, rounds=200)
    single = {
        "base_rate": lambda rows: float(y[rows].mean()),
        "auc": lambda rows: auc(y[rows], chance[rows]),
        "gain": lambda rows: float(gain[rows].mean()),
        "log_loss": lambda rows: float(losses(y[rows], chance[rows]).mean()),
        "foretold_over_seen": lambda rows: float(chance[rows].sum() / max(y[rows].sum(), 1)),
    }
    every = np.arange(len(y))
    found: dict[str, Metric] = {}
    for name, figure in single.items():
        low, high = np.nanquantile([figure(rows) for rows in draws], (0.025, 0.975))
        found[name] = Metric(figure(every), float(low), float(high))
    found["calibration_error"] = Metric(check.error, check.error, check.error)
    found["calibration_p"] = Metric(check.p, check.p, check.p)
    return found


def golden_of(model: BiddingModel) -> Golden:
    """Answer rows of made-up contexts with what the model makes of them."""
    rows: list[dict[str, Any]] = []
    for number, aim in enumerate(("cpm", "cpc", "cpa", "roas", "clicks", "conversions")):
        given = {
            "context": {"exchange": f"exchange-{number % 2}", "hour": str(4 * number)},
            "scores": {"intent": number / 6} if number % 2 else {},
            "campaign": f"campaign-{number}",
            "line": f"line-{number}",
            "creative": "creative",
            "aim": aim,
            "target": 2_000_000,
            "standard": 1_000_000,
            "bid": 500_000 * (1 + number),
        }
        rows.append({"input": given, "output": model.answer(given)})
    return Golden(rows, GOLDEN_TOLERANCE)
