"""How well the next purchase is foreseen while the session runs, each log by its stated protocol.

taobao-behaviour   after the third event without a purchase, sessions of at least four events: will
                   the session buy later? Learned from sessions before 2 December 2017 in Shanghai
simulated          after the fifth event, shoppers and weeks held out, of a simulated shop whose
                   best possible answer is known

Epochs, sizes, shares and calibration are chosen on the latest of the sessions to learn from.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from benchmarks.harness import Arguments, Outcome, at_least
from domain.clock import DAY_MS
from domain.errors import TooLittleData
from domain.ids import hash64
from feature_store.views.session import GAP_MS
from models.intent.categories import Categories, category_code
from models.intent.renown import unheard
from training.datasets.synthetic.shop import START, simulate
from training.evaluate.intent import Rows, measure_rows, share_of_gap
from training.evaluate.logs import history_of
from training.fit.intent.baselines import RIVALS
from training.fit.intent.learner import alone, answers_of, assemble, examined, learn, tune
from training.fit.intent.sessions import Labels, Sessions, cut, label, stream_of
from training.fit.intent.settings import IntentSettings
from training.importing.presets import PRESETS

Figures = dict[str, float]
Flags = npt.NDArray[np.bool_]
TAOBAO_CUT = int((datetime(2017, 12, 2, tzinfo=UTC) - timedelta(hours=8)).timestamp() * 1000)
SHOPPERS = 10_000
SHOP_SEED = 20_261_122
SHOP_CUT = START + 42 * DAY_MS
HELD_OUT = 5
"""Of so many shoppers one is held out."""

TAOBAO = IntentSettings()
SIMULATED = IntentSettings(width=48, layers=1, dropout=0.1, patience=2, epochs=14)
BARS: dict[str, dict[str, float]] = {
    "taobao-behaviour": {"auc": 0.65, "lstm_over_lightgbm": -0.01},
    "simulated": {"lstm_over_lightgbm": 0.0, "oracle_share": 0.95},
}
"""What each log must show at least."""


class Case(NamedTuple):
    """A table and what is asked: which events are learned from, which are tested. best: the best
    possible answer after every event, where it is known."""

    sessions: Sessions
    labels: Labels
    learned: Flags
    tested: Flags
    settings: IntentSettings
    best: npt.NDArray[np.float64] | None = None


def taobao_case(arguments: Arguments) -> Case:
    """Answer the public log's table."""
    folder = arguments.need("taobao-behaviour")
    preset = PRESETS["taobao-behaviour"]
    history, _ = history_of(preset.events(folder))
    categories = {
        hash64(item): category_code(names[0])
        for frame in preset.items(folder)
        for item, names in frame.select("item", "categories").iter_rows()
    }
    sessions = cut(stream_of(history, categories), until=TAOBAO_CUT)
    labels = label(sessions)
    begun = sessions.starts[sessions.session]
    long = sessions.lengths[sessions.session] >= 4
    return Case(
        sessions,
        labels,
        labels.asked & (begun < TAOBAO_CUT) & (labels.known < TAOBAO_CUT),
        labels.asked & (begun >= TAOBAO_CUT) & (sessions.position == 3) & long,
        TAOBAO,
    )


def simulated_case(arguments: Arguments) -> Case:
    """Answer the simulated shop's table; --runs limits the shoppers, for a look in a hurry."""
    shop = simulate(arguments.runs or SHOPPERS, seed=SHOP_SEED)
    sessions = cut(shop.stream(), until=SHOP_CUT)
    labels = label(sessions)
    begun = sessions.starts[sessions.session]
    held = (sessions.entities % HELD_OUT == 0)[sessions.session]
    return Case(
        sessions,
        labels,
        labels.asked & ~held & (begun < SHOP_CUT) & (labels.known < SHOP_CUT),
        labels.asked & held & (begun >= SHOP_CUT) & (sessions.position == 5),
        SIMULATED,
        shop.best.intent,
    )


CASES: dict[str, Callable[[Arguments], Case]] = {
    "taobao-behaviour": taobao_case,
    "simulated": simulated_case,
}


def contest(case: Case, name: str) -> tuple[Figures, list[str]]:
    """Learn everybody from the same events, ask everybody the same; answer (figures, remarks)."""
    sessions, labels, learned, tested, settings, best = case
    definition = {"target": "purchase", "horizon_hours": 0.0, "gap_ms": GAP_MS}
    rate = float(labels.y[learned].mean())
    with tqdm(desc=name, unit="epoch", disable=None) as bar:
        recipe = tune(sessions, labels, learned, settings, bar.update)
        part = examined(sessions, labels, learned)
        parts = learn(part, recipe, settings, bar.update, (True, True))
    model = assemble(parts, recipe, definition, unheard(), Categories.made({}), rate)
    asked = examined(sessions, labels, tested)
    found = alone(parts, asked.sessions)
    scores = {
        "model": answers_of(model, asked.sessions).probability,
        "lstm": found["network"],
        "lightgbm": found["forest"],
    }
    for rival, fit in RIVALS.items():
        if rival not in scores:
            scores[rival] = fit(sessions, labels.y, learned)(asked.sessions)
    scores = {one: np.asarray(p)[asked.rows] for one, p in scores.items()}
    if best is not None:
        scores["optimum"] = best[tested]
    owner = asked.sessions.entities[asked.sessions.session[asked.rows]]
    figures = _told(Rows(asked.y[asked.rows], owner, scores), rate)
    notes = [f"champion {recipe.champion}, epochs {len(recipe.rates)}, {recipe.mix}"]
    return figures, notes


def _told(rows: Rows, rate: float) -> Figures:
    figures: Figures = {}
    for name, metric in measure_rows(rows, rate).items():
        figures[name] = metric.value
        if metric.low < metric.high and name.endswith(("auc", "average_precision", "base_rate")):
            figures |= {f"{name}_low": metric.low, f"{name}_high": metric.high}
    figures["lstm_over_lightgbm"] = figures["lstm_auc"] - figures["lightgbm_auc"]
    floor = max(figures[f"markov_{order}_auc"] for order in (1, 2, 3))
    top = figures.get("optimum_auc", float("nan"))
    figures["oracle_share"] = share_of_gap(figures["lstm_auc"], floor, top)
    figures["model_oracle_share"] = share_of_gap(figures["auc"], floor, top)
    return figures


def run(arguments: Arguments) -> Outcome:
    """Measure the chosen log, or both; with both, figures are named `<log>_<figure>`.

    Raises TooLittleData when the log is not known or not there.
    """
    chosen = [arguments.dataset] if arguments.dataset else list(CASES)
    if not set(chosen) <= CASES.keys():
        raise TooLittleData("no such log; one of " + ", ".join(CASES))
    outcome = Outcome({}, [])
    for dataset in chosen:
        figures, notes = contest(CASES[dataset](arguments), dataset)
        prefix = "" if arguments.dataset else dataset.replace("-", "_") + "_"
        outcome.figures |= {prefix + name: value for name, value in figures.items()}
        for name, bound in BARS[dataset].items():
            outcome.bars.append(at_least(prefix + name, outcome.figures, bound))
        outcome.notes += [f"{dataset}: {note}" for note in notes]
    return outcome
