"""How well the recommender ranks: leave-one-out over three public logs, every item ranked.

A user's last event is asked for, given all before it; the one before validates. Numbers and
weights are tuned on the validation events only, then learned again with those events. A user's
own items are masked. Every rating counts as an interaction whatever its stars; events of one
user at the same time are ordered by the hash of their event id, as the store orders them.
"""

from tqdm import tqdm

from benchmarks.harness import Arguments, Outcome, at_least
from domain.errors import TooLittleData
from training.evaluate.logs import history_of
from training.fit.recommend import Fit, prepare, splits_of
from training.fit.settings import RecommendSettings
from training.importing.presets import PRESETS

BARS = {"amazon-beauty": 0.055, "lastfm": 0.043, "ml-100k": 0.10}
"""NDCG at 10 that each log must reach."""

SETTINGS = RecommendSettings(
    kind_weights={"click": 1.0, "purchase": 1.0, "rating": 1.0},
    split="leave-one-out",
    repeats=False,
    min_item_events=1,
)


def measure(dataset: str, arguments: Arguments) -> tuple[dict[str, float], list[str]]:
    """Answer (figures, remarks) of one log."""
    frames = PRESETS[dataset].events(arguments.need(dataset))
    history, items = history_of(frames)
    catalogue, full = prepare(history, items, SETTINGS)
    valid, test, _ = splits_of(full, SETTINGS, repeats=False)
    with tqdm(desc=dataset, unit="step", disable=None) as bar:
        run = Fit(catalogue, full, SETTINGS, bar)
        tuned = run.tune(valid)
        metrics, _ = run.measure(run.learn(test.known, test.as_of, tuned), test.cases)
    figures: dict[str, float] = {}
    for name in ("hr_at_10", "ndcg_at_10", "recall_at_10"):
        metric = metrics[name]
        figures |= {name: metric.value, f"{name}_low": metric.low, f"{name}_high": metric.high}
    figures |= {f"{name}_ndcg_at_10": metrics[f"{name}_ndcg_at_10"].value for name in run.names}
    figures["popularity_hr_at_10"] = metrics["popularity_hr_at_10"].value
    figures["coverage_at_10"] = metrics["coverage_at_10"].value
    figures["validation_ndcg_at_10"] = tuned.blend
    figures["cases"] = len(test.cases)
    figures["items"] = len(catalogue.items)
    chosen = (f"{name} {tuned.weights[name]:.2f} {tuned.params[name]}" for name in run.names)
    return figures, [f"{dataset}: {line}" for line in chosen]


def run(arguments: Arguments) -> Outcome:
    """Measure the chosen log, or all; with several, figures are named `<log>_<figure>`.

    Raises TooLittleData when the log is not known or not there.
    """
    chosen = [arguments.dataset] if arguments.dataset else list(BARS)
    if not set(chosen) <= BARS.keys():
        raise TooLittleData("no such log; one of " + ", ".join(BARS))
    outcome = Outcome({}, [])
    for dataset in chosen:
        figures, notes = measure(dataset, arguments)
        prefix = "" if arguments.dataset else dataset.replace("-", "_") + "_"
        outcome.figures |= {prefix + name: value for name, value in figures.items()}
        outcome.bars.append(at_least(f"{prefix}ndcg_at_10", outcome.figures, BARS[dataset]))
        outcome.notes += notes
    return outcome
