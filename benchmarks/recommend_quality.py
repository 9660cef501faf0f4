"""How well the recommender ranks: public logs, parted as published, every item ranked.

What is tuned is tuned on validation; what is measured was learned from all before the test. A
user's own items are masked unless repeats are the task. A log and its split are a track (see
recommend_tracks); with several tracks each runs in a process of its own, so that `peak_mb` is
its own, and figures are named `<log>_<split>_<figure>`.

over_best_member is the share by which we beat the best single member (best on the very test,
which favours it), paired by user; fit_seconds is tuning and learning once from what lies before
the test; coverage is that of the first ten.
"""

import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import repeat
from multiprocessing import get_context

from tqdm import tqdm

from benchmarks.harness import Arguments, Bar, Outcome, at_least, at_most, medians
from benchmarks.recommend_cold import BARS as COLD_BARS
from benchmarks.recommend_cold import measure_cold
from benchmarks.recommend_data import facts
from benchmarks.recommend_tracks import CAP, TRACKS, Track, part
from domain.errors import TooLittleData
from models.bundle import Metric
from training.fit.budget import peak_mb
from training.fit.recommend import Fit
from training.fit.settings import RecommendSettings

SETTINGS = RecommendSettings(cap=CAP, min_item_events=1)
BARS: dict[str, dict[str, float]] = {
    "amazon_beauty_leave_one_out": {"hr_at_10": 0.118, "ndcg_at_10": 0.074},
    "lastfm_leave_one_out": {"hr_at_10": 0.098, "ndcg_at_10": 0.052},
    "ml_100k_leave_one_out": {"hr_at_10": 0.235, "ndcg_at_10": 0.131},
    # Recent popularity, measured by others under the same protocol.
    "ml_100k_time": {"recall_at_10": 0.172, "ndcg_at_10": 0.216},
    "online_retail_time": {"recall_at_10": 0.192, "ndcg_at_10": 0.375},
    "online_retail_discover": {"recall_at_10": 0.083, "ndcg_at_10": 0.134},
    "completejourney_time": {"ndcg_at_10": 0.427, "over_best_member": 0.015},
    "taobao_behaviour_session": {"over_best_member": 0.03},
}
"""What each track must reach. Besides: nowhere is the best member better beyond noise."""

FIT_S = 900.0
LEAST_LIVE = 0.001
"""Share of the places in live answers that items nobody has had must be given."""

_SHOWN = {
    "hr_at_10": "hr_at_10",
    "recall_at_10": "recall_at_10",
    "ndcg_at_10": "ndcg_at_10",
    "mrr_at_10": "mrr_at_10",
    "coverage": "coverage_at_10",
    "best_member_ndcg_at_10": "best_member_ndcg_at_10",
    "over_best_member": "over_best_member",
    "over_popularity": "over_popularity",
}
"""Figure → metric of the report; each with its interval."""

_BESIDE = ("gini_at_10", "novelty_at_10", "ndcg_at_5", "ndcg_at_20", "recall_at_20")
_PARTS = ("repeat", "explore", "short", "rare")
_NAMES = {"graph": "item_graph"}
"""Members that have a longer name in figures."""

Figures = dict[str, float]


def shown(metrics: dict[str, Metric], members: Iterable[str]) -> Figures:
    """Answer the figures of one track, the main ones with the ends of their intervals."""
    figures: Figures = {}
    for name, metric in _SHOWN.items():
        if metric in metrics:
            value, low, high = metrics[metric]
            figures |= {name: value, f"{name}_low": low, f"{name}_high": high}
    parts = [f"{part}_ndcg_at_10" for part in _PARTS]
    figures |= {name: metrics[name].value for name in (*_BESIDE, *parts) if name in metrics}
    for name in members:
        figures[f"{_NAMES.get(name, name)}_ndcg_at_10"] = metrics[f"{name}_ndcg_at_10"].value
    return figures


def settings_of(track: Track, arguments: Arguments, seed: int) -> RecommendSettings:
    """Answer how a track is fitted: within its time, repeats only where they are the task."""
    seconds = arguments.budget or track.seconds
    changed = {"repeats": track.repeats, "budget_seconds": seconds, "seed": SETTINGS.seed + seed}
    return replace(SETTINGS, **changed)


def measure(track: Track, arguments: Arguments, seed: int = 0) -> tuple[Figures, list[str]]:
    """Answer (figures, remarks) of one track."""
    parted = part(track, arguments)
    settings = settings_of(track, arguments, seed)
    about = facts(track.dataset, arguments, parted.catalogue.items)
    begun = time.monotonic()
    with tqdm(desc=track.name, unit="step", disable=None) as bar:
        run = Fit(parted.catalogue, parted.full, settings, bar, about)
        tuned = run.tune(parted.valid)
        model = run.learn(parted.test.known, parted.test.as_of, tuned)
        fit_seconds = time.monotonic() - begun
        metrics, _ = run.measure(model, parted.test.cases, parted.test.known)
    figures = shown(metrics, run.names)
    figures |= {"validation_ndcg_at_10": tuned.blend, "fit_seconds": fit_seconds}
    figures |= {"peak_mb": peak_mb(), "cases": len(parted.test.cases), "items": len(model)}
    given_up = [f"{track.name}: given up for its time: {what}" for what in run.cost()["given_up"]]
    chosen = (f"{name} {tuned.weights[name]:.2f} {tuned.params[name]}" for name in run.names)
    return figures, [*(f"{track.name}: {line}" for line in chosen), *given_up]


def measured(track: Track, arguments: Arguments) -> tuple[Figures, list[str]]:
    """Measure a track once, or with several seeds: then the medians, and the first's remarks."""
    rounds = [measure(track, arguments, seed) for seed in range(max(1, arguments.runs))]
    return medians([figures for figures, _ in rounds]), rounds[0][1]


def by_name(name: str, arguments: Arguments) -> tuple[Figures, list[str]]:
    """Measure the track of that name: a name can be told to another process, a track cannot."""
    return measured(next(track for track in TRACKS if track.name == name), arguments)


def bars(track: Track, figures: Figures, prefix: str) -> list[Bar]:
    """Answer what the figures of a track, named with the prefix, must hold."""
    out = [
        at_least(prefix + name, figures, bound) for name, bound in BARS.get(track.name, {}).items()
    ]
    if f"{prefix}over_best_member_high" in figures:
        out.append(at_least(f"{prefix}over_best_member_high", figures, 0.0))
    return [*out, at_most(f"{prefix}fit_seconds", figures, FIT_S)]


def tracks(arguments: Arguments) -> list[Track]:
    """Answer the tracks that the command line chose; raises TooLittleData when there is none."""
    chosen = [
        track
        for track in TRACKS
        if arguments.dataset in ("", track.dataset) and arguments.split in ("", track.split)
    ]
    if not chosen:
        known = ", ".join(f"{track.dataset} {track.split}" for track in TRACKS)
        raise TooLittleData(f"no such log, or it is not parted so; there are {known}")
    return chosen


def run_cold(arguments: Arguments) -> Outcome:
    """Measure items that nobody has had, on the chosen log or on all that have such a bar."""
    outcome = Outcome({}, [])
    chosen = [name for name in COLD_BARS if arguments.dataset in ("", name)]
    if not chosen:
        raise TooLittleData("items nobody has had are measured on " + ", ".join(COLD_BARS))
    for dataset in chosen:
        figures, notes = measure_cold(dataset, arguments)
        prefix = "" if len(chosen) == 1 else dataset.replace("-", "_") + "_"
        outcome.figures |= {prefix + name: value for name, value in figures.items()}
        over = at_least(f"{prefix}over_random", outcome.figures, COLD_BARS[dataset])
        live = at_least(f"{prefix}new_share_of_slates", outcome.figures, LEAST_LIVE)
        outcome.bars += [over, live]
        outcome.notes += notes
    return outcome


def run(arguments: Arguments) -> Outcome:
    """Measure the chosen tracks, or all; with --cold items that nobody has had.

    Raises TooLittleData when a log is not known, not there or not the published one.
    """
    if arguments.cold:
        return run_cold(arguments)
    chosen = tracks(arguments)
    if len(chosen) == 1:
        figures, notes = measured(chosen[0], arguments)
        return Outcome(figures, bars(chosen[0], figures, ""), notes)
    outcome, names = Outcome({}, []), [track.name for track in chosen]
    # One process a track, one after the other: memory and compiled code are each its own.
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as pool:
        for track, (figures, notes) in zip(
            chosen, pool.map(by_name, names, repeat(arguments)), strict=True
        ):
            outcome.figures |= {f"{track.name}_{name}": value for name, value in figures.items()}
            outcome.bars += bars(track, outcome.figures, f"{track.name}_")
            outcome.notes += notes
    return outcome
