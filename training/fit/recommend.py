"""Fitting the recommender: tune on validation, measure on test, learn again from everything.

    before the validation cut   learned from while tuning; judged on the validation window
    before the test cut         learned from with the tuned numbers; measured on the test window
    everything                  learned from for the released model, with the same numbers

Knows nothing of tracking, release or bundles' files.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from domain.errors import TooLittleData
from domain.ids import hash64
from feature_store.history import History
from models.bundle import Golden, Metric
from models.recommend.member import frozen
from models.recommend.model import RecommendModel
from models.recommend.ranker import Ranker
from training.fit.answered import Answered, answered_of
from training.fit.answers import Answers
from training.fit.blending import Blending, Decision
from training.fit.budget import Budget, peak_mb, planned
from training.fit.cells import indexed_beside
from training.fit.facts import Catalogued, ItemFacts, facts_of
from training.fit.lessons import Taught, earlier_lessons
from training.fit.measuring import Asked, measured
from training.fit.members import MEMBER_FITS, Learner, Lesson
from training.fit.numbers import tune_numbers
from training.fit.relearning import MEASURING, Relearning
from training.fit.settings import RankerSettings, RecommendSettings
from training.fit.tuning import Judge, Tuned
from training.plots import recommend_charts
from training.splits import (
    Cases,
    Interactions,
    Split,
    cut_times,
    entities_of,
    interactions_of,
    leave_one_out,
    repeat_share,
    time_split,
)

GOLDEN_ROWS = 16
GOLDEN_TOLERANCE = 1e-3
DECIDING = 0.8
"""Share of what is left, but for the end, that weights and ranker may take."""
CARRIED = ("popularity", "graph", "content")
"""Members a released model has whatever their weight: fallbacks, likeness and items that nobody
has had yet rest on them."""


@dataclass(frozen=True)
class Fitted:
    """A fit's outcome.

    metrics: name → value with its 95 % interval, measured on the test split. params: every
    tuned number, flat, as JSON values. split: how the log was parted. plots: name → data of a
    figure. per_case: name → float64[c] for the blend, for paired comparisons with another
    model on the same `cases`. cost: what the fit took, and what it gave up to take no more.
    """

    model: RecommendModel
    metrics: dict[str, Metric]
    params: dict[str, Any]
    plots: dict[str, Any]
    golden: Golden
    split: dict[str, Any] = field(default_factory=dict)
    per_case: dict[str, npt.NDArray[np.float64]] = field(default_factory=dict)
    cost: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Catalogue:
    """The items that are learned about, by number, and what an event of each kind says.

    items: n ids. hashes: uint64[n]. kind_weights: float32[KINDS], the largest that occurs is 1.
    """

    items: tuple[str, ...]
    hashes: npt.NDArray[np.uint64]
    kind_weights: npt.NDArray[np.float32]


def prepare(
    history: History, items: Iterable[str], settings: RecommendSettings
) -> tuple[Catalogue, Interactions]:
    """Answer the items with enough events, and the interactions with them.

    Raises TooLittleData when fewer than two items or two users are left.
    """
    ids = tuple(dict.fromkeys(items))
    hashes = np.array([hash64(item) for item in ids], np.uint64)
    weights = settings.weights_by_kind()
    full = interactions_of(history, hashes, weights)
    events = np.bincount(full.items, minlength=len(ids))
    least = settings.min_item_events
    if least is None:
        least = 5 if np.count_nonzero(events) > settings.many_items else 1
    kept = np.flatnonzero(events >= max(least, 1))
    if len(kept) < 2 or len(full.offsets) < 3:
        raise TooLittleData(
            f"{len(kept)} items and {len(full.offsets) - 1} users with interactions; a "
            "recommender needs at least two of each (which kinds count is kind_weights)"
        )
    weights /= weights[np.unique(full.kinds)].max()
    catalogue = Catalogue(tuple(ids[i] for i in kept), hashes[kept], weights)
    return catalogue, interactions_of(history, catalogue.hashes, weights)


def splits_of(
    full: Interactions, settings: RecommendSettings, repeats: bool
) -> tuple[Split, Split, dict[str, Any]]:
    """Answer (validation, test, how it was parted)."""
    if settings.split != "leave-one-out":
        valid_cut, test_cut, end = cut_times(full, settings.test_share)
        valid = time_split(full, valid_cut, test_cut, settings.cap, repeats)
        test = time_split(full, test_cut, end, settings.cap, repeats)
        if settings.split == "time" or min(len(valid.cases), len(test.cases)) >= settings.min_cases:
            times = {"validation_from": valid_cut, "test_from": test_cut, "test_until": end}
            return valid, test, {"kind": "time", **times}
    valid = leave_one_out(full, 2, settings.cap, repeats)
    test = leave_one_out(full, 1, settings.cap, repeats)
    return valid, test, {"kind": "leave-one-out"}


def assemble(
    catalogue: Catalogue,
    repeats: bool,
    members: dict[str, Any],
    weights: npt.NDArray[np.float32],
    ranker: Ranker | None = None,
) -> RecommendModel:
    """Make a model of learned members, their weights and, it may be, a ranker."""
    return RecommendModel(
        items=catalogue.items,
        hashes=frozen(catalogue.hashes, np.uint64),
        members=tuple(members),
        scorers=tuple(members.values()),
        weights=frozen(weights, np.float32),
        kind_weights=frozen(catalogue.kind_weights, np.float32),
        repeats=repeats,
        ranker=ranker,
    )


class Fit:
    """One run over one log; methods answer and change nothing but the progress bar and `names`.

    Its budget begins when it is made; tuning may leave out members for it. answered: logged
    answers that a ranker may learn from.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        full: Interactions,
        settings: RecommendSettings,
        bar: Any,
        facts: ItemFacts | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take what was prepared, a tqdm-like bar, and what is known of the catalogue's items.

        clock: seconds; a budget that has begun already must have begun by it.
        """
        self.facts = facts
        self.budget = Budget(settings.budget_seconds, clock, since=settings.budget_since)
        settings = planned(settings, self.budget)
        self.catalogue, self.full, self.settings, self._bar = catalogue, full, settings, bar
        self.repeat_share = repeat_share(full)
        self.repeats = (
            self.repeat_share >= settings.repeat_share
            if settings.repeats is None
            else settings.repeats
        )
        names = MEMBER_FITS if settings.members is None else settings.members
        self.names = [name for name in names if self.repeats or not MEMBER_FITS[name].only_repeats]
        self.assemble = partial(assemble, catalogue, self.repeats)
        self.answered: Answered | None = None
        self._relearning = Relearning(
            self.learner, self.budget, len(full.items), settings.budget_after, self.step
        )

    def cost(self) -> dict[str, Any]:
        """Answer what the fit took so far, and what it gave up to take no more."""
        return {
            "seconds": round(self.budget.elapsed(), 1),
            "peak_mb": round(peak_mb()),
            "given_up": list(self.budget.given_up),
        }

    def step(self, what: str) -> None:
        """Show one step done."""
        self._bar.set_description_str(what)
        self._bar.update(1)

    def learner(self, known: Interactions, as_of: int) -> Learner:
        """Learn from the known events as of `as_of`."""
        settings, facts = self.settings, self.facts
        facts = None if facts is None else facts.before(as_of)
        return Learner(Lesson(known, as_of, self.repeats, settings.seed, settings.threads, facts))

    def tune(self, split: Split) -> Tuned:
        """Tune every member and the weights on a validation split."""
        settings = self.settings
        rng = np.random.default_rng(settings.seed)
        most = max(200, settings.tuning_scores // len(self.catalogue.items))
        cases = split.cases.sample(most, rng)
        judge = Judge(self.full, cases, self.assemble, settings.threads)
        known = split.known.sample_users(settings.tuning_events, rng)
        grown = len(split.known.items) / max(len(known.items), 1)
        tuned = tune_numbers(
            self.names,
            self.learner(known, split.as_of),
            judge,
            settings,
            self.budget,
            self.step,
            grown=grown,
        )
        self.names = [name for name in self.names if name in tuned.params]
        members, tuned.members = {name: tuned.members[name] for name in self.names}, {}
        self._relearning.remember(members)
        if grown > 1:
            members = self._relearning.members(
                split.known, split.as_of, tuned.params, self.names, ("all events", 0), anew=True
            )
            tuned.alone = {n: float(judge.values(n, m).mean()) for n, m in members.items()}
        tuned.decision = self.decide(split, members, tuned)
        tuned.weights, tuned.blend = tuned.decision.weights, tuned.decision.blend
        return tuned

    def decide(self, split: Split, members: dict[str, Any], tuned: Tuned) -> Decision:
        """Answer weights, ranker and the choice among them, on the validation split."""
        settings = self.settings
        numbers = RankerSettings(**settings.ranker)
        before = earlier_lessons(self.full, split, numbers.earlier, settings.cap, self.repeats)
        taught = [Taught(self.full, split, members)]
        taught += self._relearning.lessons(split, before, tuned.params, self.names)
        budget = self.budget.share(DECIDING, self._relearning.ending(2))
        return Blending(
            taught,
            self.assemble,
            numbers,
            seed=settings.seed,
            threads=settings.threads,
            step=self.step,
            answered=self.answered,
        ).decide(budget)

    def learn(
        self, known: Interactions, as_of: int, tuned: Tuned, names: Iterable[str] | None = None
    ) -> RecommendModel:
        """Learn every member, or those named for release, with the tuned numbers."""
        what = ("what lies before the test", 1) if names is None else ("everything", 0)
        names = list(self.names if names is None else names)
        members = self._relearning.members(known, as_of, tuned.params, names, what)
        weights = np.array([tuned.weights[name] for name in members], np.float32)
        ranker = tuned.decision and tuned.decision.ranker
        return self.assemble(members, weights, ranker.beside(known, as_of) if ranker else None)

    def released(self, tuned: Tuned) -> list[str]:
        """Answer the members worth carrying: those with a weight, and those others build on."""
        ranker = tuned.decision and tuned.decision.ranker
        heard = ranker.voices if ranker else ()
        return [
            name
            for name in self.names
            if tuned.weights[name] > 0 or name in CARRIED or name in heard
        ]

    def measure(
        self, model: RecommendModel, cases: Cases, known: Interactions
    ) -> tuple[dict[str, Metric], dict[str, npt.NDArray[np.float64]]]:
        """Answer (metrics of the blend and of each member, the blend's value for each case).

        known: what the model was learned from.
        """
        told = measured(
            model, self.names, Asked(self.full, cases, known), self.settings, self._room()
        )
        self.step("measured")
        return told.metrics, told.cases

    def _room(self) -> Budget:
        """Answer what there is for measuring, a little at least; what comes after is kept."""
        budget, after = self.budget, self._relearning.ending(1)
        whole = budget.seconds
        if whole is None:
            return budget
        return budget.share(1.0, min(after - MEASURING * whole, (1 - MEASURING) * budget.left()))


def golden_rows(model: RecommendModel, full: Interactions, cap: int, seed: int) -> Golden:
    """Answer what the model says for some real histories and for none, without user ids."""
    rng = np.random.default_rng(seed)
    users = rng.choice(len(full.offsets) - 1, min(GOLDEN_ROWS, len(full.offsets) - 1), False)
    rows: list[dict[str, Any]] = []
    empty: dict[str, Any] = {"items": [], "kinds": [], "ats": [], "as_of": 0, "k": 10}
    for mine in [slice(0, 0)] + [slice(*full.offsets[user : user + 2]) for user in users]:
        items, ats = full.items[mine][-cap:], full.ats[mine][-cap:]
        row = (
            empty
            if not len(items)
            else {
                "items": [model.items[i] for i in items],
                "kinds": full.kinds[mine][-cap:].tolist(),
                "ats": ats.tolist(),
                "as_of": int(ats[-1]) + 1,
                "k": 10,
            }
        )
        # Neighbours closer than the tolerance may change places on another processor.
        scores = model.answer({**row, "k": 11})["scores"]
        if row is empty or all(a - b > 1e-4 for a, b in pairwise(scores)):
            rows.append({"input": row, "output": model.answer(row)})
    return Golden(rows, GOLDEN_TOLERANCE)


def _flat(fit: Fit, tuned: Tuned) -> dict[str, Any]:
    out: dict[str, Any] = {
        "repeats": fit.repeats,
        "repeat_share": round(fit.repeat_share, 4),
        "items": len(fit.catalogue.items),
        "cap": fit.settings.cap,
        "seed": fit.settings.seed,
        "validation_ndcg_at_10": tuned.blend,
        "alone": dict(tuned.judged),
        "carried_on": list(tuned.carried),
        **(tuned.decision.facts() if tuned.decision else {}),
    }
    for name in fit.names:
        out[f"{name}.weight"] = tuned.weights[name]
        out |= {f"{name}.{key}": value for key, value in tuned.params[name].items()}
    return out


Progress = Callable[..., Any]


def fit(
    history: History,
    items: Iterable[str],
    settings: RecommendSettings | None = None,
    progress: Progress = tqdm,
    described: Catalogued | None = None,
    answers: Answers | None = None,
) -> Fitted:
    """Fit a recommender on a log.

    items: ids of every item that may be recommended; events of others are left out. progress:
    called as tqdm is, answers a bar. described: what the store's catalogue says, by item id.
    answers: what was answered and what came of it; of use where the log is parted by time.
    Memory: about 100 bytes an event, 1.8 kB an item, and
    for two threads 2 * members * items * 4 bytes.
    Raises TooLittleData when there is too little to learn from or nobody to ask.
    """
    settings = settings or RecommendSettings()
    catalogue, full = prepare(history, items, settings)
    with progress(desc="recommend", unit="step") as bar:
        facts = facts_of(catalogue.items, described) if described else None
        run = Fit(catalogue, full, settings, bar, facts)
        valid, test, split = splits_of(full, settings, run.repeats)
        if not len(valid.cases) or not len(test.cases):
            raise TooLittleData(
                "nobody to validate or test on: a user needs an interaction before the "
                "validation window and one in it, and likewise for the test window"
            )
        if answers is not None and "test_from" in split:
            users = entities_of(history, catalogue.hashes, catalogue.kind_weights)
            until = split["test_from"]
            run.answered = answered_of(answers, history, catalogue.hashes, users, until)
        tuned = run.tune(valid)
        before = run.learn(test.known, test.as_of, tuned)
        metrics, cases = run.measure(before, test.cases, test.known)
        model = run.learn(full, int(full.ats.max()) + 1, tuned, run.released(tuned))
        model, told = indexed_beside(model, full, settings, run.step)
    split |= {
        "validation_cases": len(valid.cases),
        "test_cases": len(next(iter(cases.values()))),
        "interactions": len(full.items),
        "users": len(full.offsets) - 1,
    }
    golden = golden_rows(model, full, settings.cap, settings.seed)
    plots = recommend_charts(metrics, {name: tuned.weights[name] for name in run.names})
    return Fitted(model, metrics, _flat(run, tuned), plots, golden, split, cases, run.cost() | told)
