"""The fit of intent from a log: tuned, tested on later sessions, learned again from everything.

    | learned from                    | tested on |      sessions by their start
    | network, forest   | tuned on    |           |

Knows nothing of tracking, release or bundles' files.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from feature_store.history import History
from feature_store.views.session import GAP_MS
from models.bundle import Golden, Metric
from models.intent.categories import Categories
from models.intent.model import IntentModel
from models.reliability import reliability_bins
from training.evaluate.intent import EVENTS, Rows, judge_events
from training.evaluate.probabilities import auc, measure
from training.fit.intent.baselines import RIVALS
from training.fit.intent.learner import (
    LEAST_HELD,
    Parts,
    Recipe,
    alone,
    answers_of,
    assemble,
    check_examples,
    examined,
    learn,
    tune,
)
from training.fit.intent.mixing import PARTS
from training.fit.intent.sessions import Labels, Sessions, Stream, cut, label, renown_of, stream_of
from training.fit.intent.settings import IntentSettings

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Progress = Callable[..., Any]
OWN = ("model", "network", "forest")
MOST_TESTED = 60_000
GOLDEN_ROWS = 12
GOLDEN_EVENTS = 60
GOLDEN_TOLERANCE = 1e-5


@dataclass(frozen=True)
class Judged:
    """m test rows. place: int64[m], of EVENTS. owner: int64[m], whose. session: int64[m].
    scores: "model", each part and rival → float64[m]. confidence: float64[m]."""

    y: npt.NDArray[np.uint8]
    place: I64
    owner: I64
    session: I64
    scores: dict[str, F64]
    confidence: F64


@dataclass(frozen=True)
class Fitted:
    """A fit's outcome; model is None when only the judgement was asked for. See churn's."""

    model: IntentModel | None
    judged: Judged
    metrics: dict[str, Metric]
    found: dict[str, Any]
    split: dict[str, Any]
    golden: Golden = field(default_factory=Golden)
    plots: dict[str, Any] = field(default_factory=dict)


class Ground(NamedTuple):
    """The table as a fit at `tested` sees it, labels, and which events learn and which test."""

    sessions: Sessions
    labels: Labels
    learned: Flags
    tested: Flags


def before(stream: Stream, until: int) -> Stream:
    """Keep the events before `until` (ms UTC)."""
    keep = stream.ats < until
    if keep.all():
        return stream
    counts = np.concatenate([[0], np.cumsum(keep)])
    columns = (getattr(stream, name)[keep] for name in Stream._fields[2:])
    return Stream(stream.entities, counts[stream.groups], *columns)


def ground_of(stream: Stream, until: int, settings: IntentSettings) -> Ground:
    """Part the sessions by their start; an answer not known by the part's end is no example."""
    starts = np.sort(cut(stream, GAP_MS, until).starts)
    share = 1 - settings.test_share
    tested = int(np.quantile(starts, share, method="higher")) if len(starts) else until
    sessions = cut(stream, GAP_MS, tested)
    labels = label(sessions, settings.target, settings.horizon_hours)
    begun = sessions.starts[sessions.session]
    usable = labels.asked & (labels.known < until)
    return Ground(
        sessions,
        labels,
        usable & (begun < tested) & (labels.known < tested),
        usable & (begun >= tested),
    )


def judge(ground: Ground, parts: Parts, recipe: Recipe, model: IntentModel) -> Judged:
    """Ask everyone after events EVENTS of the sessions that test; rivals are fitted here."""
    sessions, labels, learned, tested = ground
    asked = tested & np.isin(sessions.position, EVENTS)
    rng = np.random.default_rng(0)
    places = np.flatnonzero(asked)
    if len(places) > MOST_TESTED:
        asked[rng.permutation(places)[MOST_TESTED:]] = False
    part = examined(sessions, labels, asked)
    found = answers_of(model, part.sessions)
    every = {"model": found.probability, **alone(parts, part.sessions)}
    for name, fit_rival in RIVALS.items():
        if name != "lightgbm" or parts.forest is None:
            rival = fit_rival(sessions, labels.y, learned)
            every[name.replace("_", "")] = rival(part.sessions)
    session = part.sessions.session[part.rows]
    owner = np.unique(part.sessions.entities[session], return_inverse=True)[1]
    return Judged(
        part.y[part.rows],
        part.sessions.position[part.rows],
        owner.astype(np.int64),
        session,
        {name: np.asarray(one)[part.rows] for name, one in every.items()},
        found.confidence[part.rows],
    )


def metrics_of(judged: Judged, rate: float, settings: IntentSettings) -> dict[str, Metric]:
    """Measure the test rows together, then the model and its parts after each of EVENTS.

    rate: how common the goal was in training, the threshold of every accuracy.
    """
    seed, rounds = settings.seed, settings.rounds
    out = measure(judged.y, judged.scores, judged.owner, seed=seed, rounds=rounds)
    own = {name: judged.scores[name] for name in OWN if name in judged.scores}
    rows = Rows(judged.y, judged.owner, own)
    out |= judge_events(rows, judged.place, rate, rounds=rounds, seed=seed)
    for place in EVENTS:
        at = judged.place == place
        trust = float(judged.confidence[at].mean()) if at.any() else 0.0
        out[f"event_{place}_confidence"] = Metric(trust, trust, trust)
    # A manifest holds numbers only; what could not be measured is not there.
    return {name: metric for name, metric in out.items() if not np.isnan(metric).any()}


def golden_rows(model: IntentModel, stream: Stream, seed: int) -> Golden:
    """Answer what the model says of some users' latest events, and of a visitor's first."""
    rng = np.random.default_rng(seed)
    filled = np.flatnonzero(np.diff(stream.groups))
    rows: list[dict[str, Any]] = []
    for place in rng.permutation(filled)[:GOLDEN_ROWS].tolist():
        last = int(stream.groups[place + 1])
        own = slice(max(int(stream.groups[place]), last - GOLDEN_EVENTS), last)
        row = {name: getattr(stream, name)[own].tolist() for name in Stream._fields[2:]}
        row["items"] = [str(item) for item in row["items"]]
        rows.append({**row, "as_of": int(stream.ats[last - 1]) + 60_000})
    if rows:
        first = {name: values[:1] for name, values in rows[0].items() if name != "as_of"}
        rows.append({**first, "as_of": first["ats"][0] + 1})
    return Golden([{"input": row, "output": model.answer(row)} for row in rows], GOLDEN_TOLERANCE)


def charts_of(judged: Judged) -> dict[str, Any]:
    """Answer the charts of a fit: the area by event, and seen rates beside probabilities."""
    areas = {k: auc(judged.y[r], judged.scores["model"][r])
             for k in EVENTS if (r := judged.place == k).any()}  # fmt: skip
    areas = {k: value for k, value in areas.items() if value == value}
    bins = reliability_bins(judged.y, judged.scores["model"])
    return {
        "auc_by_event": {
            "title": "Area under the curve after so many events",
            "labels": [str(k) for k in areas],
            "values": list(areas.values()),
        },
        "reliability": {
            "title": "Share that reached the goal, by probability given",
            "labels": [f"{one.predicted:.3f}" for one in bins],
            "values": [one.observed for one in bins],
            "low": [one.low for one in bins],
            "high": [one.high for one in bins],
        },
    }


def fit(
    history: History,
    settings: IntentSettings,
    now_ms: int,
    categories: Mapping[int, int] | None = None,
    *,
    progress: Progress = tqdm,
    release: bool = True,
) -> Fitted:
    """Fit intent on a log. categories: item hash → category code. progress: called as tqdm is.

    release: learn the model to release too, not only the one that is judged. Raises
    TooLittleData and ScientistError, saying what is missing.
    """
    until = settings.until(int(history.records["at"].max(initial=0)), now_ms)
    stream = before(stream_of(history, categories), until)
    ground = ground_of(stream, until, settings)
    sessions, labels, learned, tested = ground
    check_examples(sessions, labels, learned, "to learn from")
    check_examples(sessions, labels, tested, "to test on", LEAST_HELD)
    definition = {
        "target": settings.target,
        "horizon_hours": float(settings.horizon_hours),
        "gap_ms": GAP_MS,
    }
    known = Categories.made(categories or {})
    with progress(desc="intent", unit="epoch") as bar:
        tick = bar.update
        recipe = tune(sessions, labels, learned, settings, tick)
        everyone = PARTS.get(settings.champion, (True, True))
        parts = learn(examined(sessions, labels, learned), recipe, settings, tick, everyone)
        rate = float(labels.y[learned].mean())
        cutoff = int(sessions.starts[sessions.session][tested].min())
        renown = renown_of(stream, cutoff)
        judged = judge(
            ground, parts, recipe, assemble(parts, recipe, definition, renown, known, rate)
        )
        model = None
        if release:
            whole = cut(stream, GAP_MS, until)
            asked = label(whole, settings.target, settings.horizon_hours)
            rows = asked.asked & (asked.known < until)
            used = PARTS[recipe.champion]
            final = learn(examined(whole, asked, rows), recipe, settings, tick, used)
            rate = float(asked.y[rows].mean())
            model = assemble(final, recipe, definition, renown_of(stream, until), known, rate)
    split = {
        "kind": "time",
        "test_from": cutoff,
        "until": until,
        "learned_events": int(learned.sum()),
        "test_rows": len(judged.y),
        "sessions": len(sessions),
    }
    return Fitted(
        model,
        judged,
        metrics_of(judged, float(labels.y[learned].mean()), settings),
        recipe.found,
        split,
        Golden() if model is None else golden_rows(model, stream, settings.seed),
        charts_of(judged),
    )
