"""The fit of churn from a log: rolling tests, then the model learned from every known label.

    tests      at each, learned from labels known by then only; baselines beside it
    release    learned from every label known by as_of, tuned the same way

Knows nothing of tracking, release or bundles' files.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from domain.clock import DAY_MS
from feature_store.history import History
from models.btyd.features import Prospects
from models.bundle import Golden, Metric
from models.churn.attributes import Attributes
from models.churn.hazard import Hazard
from models.churn.model import ChurnModel
from models.churn.repute import Repute
from training.evaluate.probabilities import auc, measure
from training.fit.churn.checks import check_labels, check_leaks_by_cutoff, check_span
from training.fit.churn.cutoffs import cutoffs, drawn
from training.fit.churn.grade import Grade, grade
from training.fit.churn.hazard import fit_hazard
from training.fit.churn.judge import Judged, judge_cutoff, learn_from, prospects_for
from training.fit.churn.learner import Learned, Tuned
from training.fit.churn.repute import Purchases, columns_at
from training.fit.churn.settings import ChurnSettings
from training.fit.churn.table import Table, attributes_of
from training.labels import Reactivation, kind_flags, reactivation
from training.snapshots import people_of, take_snapshots

F64 = npt.NDArray[np.float64]
Profiles = Mapping[str, Mapping[str, Any]]
Progress = Callable[..., Any]
GOLDEN_ROWS = 16
GOLDEN_TOLERANCE = 1e-6
OPEN_CUTOFFS = 4


@dataclass(frozen=True)
class Fitted:
    """A fit's outcome. metrics: name → value with its 95 % interval, over all tests pooled.
    found: what was chosen and seen on the way, JSON values. split: how the log was parted.
    judged: the test rows."""

    model: ChurnModel
    metrics: dict[str, Metric]
    found: dict[str, Any]
    golden: Golden
    split: dict[str, Any]
    grade: Grade
    judged: Judged
    plots: dict[str, Any] = field(default_factory=dict)


def build_table(
    history: History,
    times: tuple[int, ...],
    settings: ChurnSettings,
    profiles: Profiles,
    attributes: Attributes | None = None,
) -> Table:
    """Answer the table of all snapshots at the times. Profiles have no past: they count as they
    are now at every cut-off, which is why a column that tells too much is refused."""
    meaning = settings.meaning()
    rows = take_snapshots(history, times, meaning)
    people = people_of(history, rows.entity, profiles) if profiles else []
    if attributes is None:
        attributes = attributes_of(people) if profiles else Attributes()
    extra = attributes.encode(people) if profiles else np.empty((len(rows), 0))
    repute = None
    if settings.repute:
        purchases = Purchases(history, meaning.horizon_days)
        if len(purchases):
            repute = columns_at(purchases, rows.views["goods"], rows.as_of)
    return Table(
        owner=rows.entity,
        as_of=rows.as_of,
        y=rows.y,
        waited=rows.waited,
        views=rows.views,
        extra=extra,
        attributes=attributes,
        window_ms=meaning.window_ms,
        repute=repute,
    )


def metrics_of(judged: Judged, settings: ChurnSettings) -> dict[str, Metric]:
    """Measure the pooled test rows, each cut-off alone, and customers new and seen."""
    out = measure(judged.y, judged.scores, judged.owner, seed=settings.seed, rounds=settings.rounds)
    parts = {"new": ~judged.seen, "seen": judged.seen}
    for number, cutoff in enumerate(np.unique(judged.as_of), 1):
        parts[f"cutoff_{number}"] = judged.as_of == cutoff
    for name, rows in parts.items():
        out[f"{name}_rows"] = Metric(*[float(rows.sum())] * 3)
        area = auc(judged.y[rows], judged.scores["model"][rows]) if rows.any() else float("nan")
        if area == area:
            out[f"{name}_auc"] = Metric(area, area, area)
    return out


def assemble(
    learned: Learned,
    x: F64,
    table: Table,
    settings: ChurnSettings,
    prospects: Prospects | None,
    hazard: Hazard | None,
    *,
    repute: Repute | None = None,
) -> ChurnModel:
    """Put a released model together; x are the rows it learned from, as `learned` reads them."""
    count = x.shape[1]
    known = ~np.isnan(x)
    quantiles = np.full((3, count), np.nan)
    for place in np.flatnonzero(known.any(axis=0)):
        quantiles[:, place] = np.quantile(x[known[:, place], place], (0.005, 0.5, 0.995))
    return ChurnModel(
        forest=learned.forest,
        linear=learned.linear,
        blend=learned.blend,
        calibration=learned.calibration,
        definition=settings.meaning().words(),
        low=quantiles[0],
        high=quantiles[2],
        reference=quantiles[1],
        attributes=table.attributes,
        prospects=prospects,
        hazard=hazard,
        events=bool(table.views),
        repute=repute,
    )


def golden_rows(model: ChurnModel, x: F64, seed: int) -> Golden:
    """Answer what the model says of some real rows and of one that is all missing, without ids."""
    rng = np.random.default_rng(seed)
    places = rng.choice(len(x), min(GOLDEN_ROWS, len(x)), replace=False)
    rows = [[None if value != value else float(value) for value in x[place]] for place in places]
    rows.append([None] * x.shape[1])
    answers = [{"input": {"features": row}, "output": None} for row in rows]
    for one in answers:
        one["output"] = model.answer(one["input"])
    return Golden(answers, GOLDEN_TOLERANCE)


class Ground(NamedTuple):
    """What a fit stands on: the log up to `until` (ms UTC), profiles, settings."""

    history: History
    until: int
    people: Profiles
    settings: ChurnSettings


def _survival(
    ground: Ground,
    open_: tuple[int, ...],
    table: Table,
    prospects: Prospects | None,
    learned: Learned,
) -> Hazard | None:
    history, until, people, settings = ground
    if not settings.hazard:
        return None
    x, waited, as_of = learned.own(table.x(prospects)), table.waited, table.as_of
    later = drawn(open_, OPEN_CUTOFFS)
    if later:
        more = build_table(history, later, settings, people, table.attributes)
        x = np.concatenate([x, learned.own(more.x(prospects))])
        waited = np.concatenate([waited, more.waited])
        as_of = np.concatenate([as_of, more.as_of])
    watched = (until - as_of) / DAY_MS - settings.lead_days
    if settings.definition == "contractual":
        # The label knows of cancellations inside the window only.
        watched = np.minimum(watched, settings.horizon_days)
    rng = np.random.default_rng(settings.seed)
    return fit_hazard(x, waited, watched, settings.horizon_days, rng, settings.threads)


def fit(
    history: History,
    settings: ChurnSettings,
    now_ms: int,
    profiles: Profiles | None = None,
    progress: Progress = tqdm,
) -> Fitted:
    """Fit churn on a log. profiles: user id → attributes. progress: called as tqdm is.

    Raises TooLittleData and ScientistError, saying what is missing, see checks.
    """
    people = profiles or {} if settings.attributes else {}
    ats = history.records["at"]
    until = settings.until(int(ats.max(initial=0)), now_ms)
    first = int(ats.min(initial=until))
    meaning = settings.meaning()
    check_span(first, until, meaning)
    plan = cutoffs(first, until, settings)
    with progress(desc="churn", unit="step", total=len(plan.tests) + 3) as bar:
        seen = _cut(history, until)
        table = build_table(seen, plan.learned, settings, people)
        bar.update(1)
        parts: list[Judged] = []
        for cutoff in plan.tests:
            parts.append(judge_cutoff(seen, table, cutoff, settings))
            bar.update(1)
        judged = Judged.joined(parts)
        check_labels(judged.y, judged.owner, "to test on")
        rows = np.ones(len(table), np.bool_)
        prospects = prospects_for(seen, table, rows, settings)
        x = table.x(prospects)
        check_leaks_by_cutoff(
            x, table.y, table.as_of, table.names(prospects), settings.allowed_leaks
        )
        learned, tuned, _, kind = learn_from(
            x, table, np.flatnonzero(rows), settings, table.optional(prospects)
        )
        bar.update(1)
        ground = Ground(seen, until, people, settings)
        hazard = _survival(ground, plan.open, table, prospects, learned)
        bar.update(1)
    heard = table.repute is not None and not learned.left_out
    repute = Purchases(seen, meaning.horizon_days).as_of(until) if heard else None
    x = learned.own(x)
    model = assemble(learned, x, table, settings, prospects, hazard, repute=repute)
    metrics = metrics_of(judged, settings)
    left = int(judged.y.sum())
    mark = grade(metrics, left, len(judged.y) - left)
    comeback = reactivation(seen, kind_flags(settings.kinds), until)
    found = {
        **told(tuned),
        "folds": kind,
        "grade": mark.letter,
        "grade_why": mark.why,
        "suggested_horizon_days": comeback.suggested_days,
        "survival": hazard is not None,
        "repute": heard,
    }
    split = {
        "kind": "rolling cut-offs",
        "tests": list(plan.tests),
        "learned": len(plan.learned),
        "until": until,
        "test_rows": len(judged.y),
        "rows": len(table),
        "left": left,
    }
    golden = golden_rows(model, x, settings.seed)
    return Fitted(model, metrics, found, golden, split, mark, judged, _plots(comeback))


def _plots(comeback: Reactivation) -> dict[str, Any]:
    return {
        "reactivation": {
            "title": "Share that still comes back after so many days of silence",
            "labels": [f"{day:.0f}" for day in comeback.days[::7]],
            "values": comeback.share[::7].tolist(),
        }
    }


def _cut(history: History, until: int) -> History:
    """Answer the history without what came at or after `until`."""
    if not len(history.records) or int(history.records["at"].max()) < until:
        return history
    keep = history.records["at"] < until
    counts = np.concatenate([[0], np.cumsum(keep)])
    return replace(history, records=history.records[keep], offsets=counts[history.offsets])


def told(tuned: Tuned) -> dict[str, Any]:
    """Answer what tuning chose and every trial on the way, as JSON values."""
    return {
        **tuned.recipe._asdict(),
        "calibration": tuned.calibration_name,
        "trials": tuned.trials,
    }
