"""From learned members to what is released: weights, ranker and the choice among them.

All on validation cases: weights climb on short lists, the ranker is learned on candidates of the
blend, every contender is judged out of fold by user, and the rule of `choice` decides. Where
validation is thin, earlier held-out events of the same users are taken too, with members learned
before those. Knows nothing of the test split.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from models.forest import Forest
from models.recommend.candidates import columns_of
from models.recommend.member import Floats
from models.recommend.model import RecommendModel
from models.recommend.ranker import Ranker
from models.recommend.scenery import Scenery
from training.evaluate.ranking import rank
from training.fit.answered import Answered, queries_told
from training.fit.answered import Lesson as Asked
from training.fit.budget import Budget, in_turns
from training.fit.choice import Choice, Gain, choose, gain_of
from training.fit.decided import DECIDED, LEAST, ON_EVENTS, Held, Trial, try_answers
from training.fit.lambdarank import (
    Queries,
    Ranked,
    item_facts,
    learn_ranker,
    merged,
    queries_of,
)
from training.fit.lessons import Taught
from training.fit.settings import RankerSettings
from training.fit.shortlists import K, Shortlists, climb, joined, judged, shortlists
from training.metrics import per_case
from training.splits import Cases, Interactions

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
MEMBER, BLEND, RANKER = "member", "blend", "ranker"
LISTED = 50
"""Items of each member on a short list."""
LIST_BYTES = 160_000_000
"""What short lists may take; cases are drawn at random where all would take more."""
CHUNK = 2_000
PART = 250
"""Cases between two looks at the clock."""
LISTING, CLIMBING, RANKING = 0.25, 0.25, 0.85
"""Shares of the time left for a decision: for short lists, then for weights, then for a ranker."""
LOOKING = 0.25
"""Share of the ranker's time for candidates; about as much goes to what it is to be better than."""
RANKER_SECONDS = 10.0
"""With less time left than this no ranker is tried."""
ANSWERS = "decisions for the ranker"
LEAST_QUERIES = 200
"""Below this many queries no ranker is learned."""


class Assembling(Protocol):
    """Makes a model of learned members, their weights and, it may be, a ranker."""

    def __call__(
        self, members: dict[str, Any], weights: Floats, ranker: Ranker | None = None
    ) -> RecommendModel:
        """Answer the model."""
        ...


@dataclass(frozen=True)
class Learned:
    """What is kept of a ranker until members are learned again: all but the facts of items.

    scenery: None where the forest was told of no scenes. lean: see models.recommend.ranker.
    """

    forest: Forest
    voices: tuple[str, ...]
    most: int
    scenery: Scenery | None = None
    lean: F64 | None = None

    def beside(self, known: Interactions, as_of: int) -> Ranker:
        """Answer the ranker with the facts of the items as known at `as_of`."""
        facts = item_facts(known, as_of)
        return Ranker(self.voices, self.forest, facts, self.most, self.scenery, self.lean)


class Looked(NamedTuple):
    """Held-out queries, and the cases they are of: users, and NDCG by the blend that leads."""

    queries: Queries
    users: I64
    blend: F64

    def of_cases(self, ndcg: F64) -> F64:
        """Answer float64[c] of the cases for float64[q] of the queries; 0 without a query."""
        found = np.zeros(len(self.users))
        found[self.queries.cases] = ndcg
        return found


@dataclass(frozen=True)
class Decision:
    """Weights by member, the ranker or None, the choice with its reasons, the blend's NDCG."""

    weights: dict[str, float]
    ranker: Learned | None
    choice: Choice
    blend: float
    told: dict[str, Any]

    def facts(self) -> dict[str, Any]:
        """Answer the choice, its gains with intervals and how it was made, as JSON values."""
        return {**self.choice.told(), **{f"choice.{key}": one for key, one in self.told.items()}}


def folds_of(known: Interactions, count: int) -> I64:
    """Answer the fold of each user, int64[u], from what the user did: names change nothing."""
    mixed = (known.ats.astype(np.uint64) << np.uint64(20)) ^ known.items.astype(np.uint64)
    sums = np.zeros(len(known.offsets) - 1, np.uint64)
    np.add.at(sums, known.users, (mixed + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15))
    # The high bits are the well mixed ones.
    return ((sums >> np.uint64(33)) % np.uint64(count)).astype(np.int64)


class Blending:
    """The decision over one fit's members; `assemble` makes models of them.

    answered: logged answers, where there are any.
    """

    def __init__(
        self,
        taught: Sequence[Taught],
        assemble: Assembling,
        settings: RankerSettings,
        *,
        seed: int,
        threads: int,
        step: Callable[[str], None],
        answered: Answered | None = None,
    ) -> None:
        """Take the lessons, that of the validation split first."""
        self.taught, self.assemble, self.settings = taught, assemble, settings
        self.answered = answered
        self.seed, self.threads, self.step = seed, threads, step
        self.names = list(taught[0].members)
        self.best = self.names[0]
        self.folds = folds_of(taught[0].split.known, settings.folds)
        self.rng = np.random.default_rng(seed)

    def decide(self, budget: Budget | None = None) -> Decision:
        """Answer the decision; without time for a ranker none is learned, and that is said."""
        budget = budget or Budget()
        lists = joined(self._listed(budget.share(LISTING)))
        alone = judged(lists, np.eye(len(self.names), dtype=np.float32)).mean(axis=1)
        order = np.argsort(-alone, kind="stable").tolist()
        best = np.eye(len(self.names), dtype=np.float32)[order[0]]
        self.best = self.names[order[0]]
        weights, out_of_fold = self._climbed(lists, order, budget.share(CLIMBING))
        single = judged(lists, best[None])[0]
        choice = choose({MEMBER: single, BLEND: out_of_fold}, lists.users, self.seed)
        cases = len(lists)
        del lists
        blend = weights if choice.name == BLEND else best
        told = {
            "best_member": self.best,
            "lessons": len(self.taught),
            "cases": cases,
        }
        ranker = None
        if self.settings.trees and budget.affords(RANKER_SECONDS, "the ranker"):
            ranker, choice, more = self._ranked(weights, blend, choice, budget.share(RANKING))
            told |= more
        final = weights if ranker else blend
        asked = self.taught[0].split.cases
        if budget.bounded:
            asked = asked.take(self.rng.permutation(len(asked)))
        measured = float(self._alone(final, 0, asked, budget).mean())
        by_name = {name: float(one) for name, one in zip(self.names, final, strict=True)}
        return Decision(by_name, ranker, choice, measured, told)

    def _climbed(
        self, lists: Shortlists, order: Sequence[int], budget: Budget
    ) -> tuple[Floats, F64]:
        """Answer the weights, and float64[c]: NDCG under weights climbed without the user."""
        folds = self.settings.folds
        own = budget.share(1 / (folds + 1))
        weights, _ = climb(lists, np.arange(len(lists)), order, lambda: own.left() > 0)
        out_of_fold = np.zeros(len(lists))
        for fold in range(folds):
            there = self.folds[lists.users] == fold
            part = budget.share(1 / (folds - fold))
            fitted, _ = climb(lists, np.flatnonzero(~there), order, lambda p=part: p.left() > 0)
            mine = np.flatnonzero(there)
            out_of_fold[mine] = judged(lists, fitted[None], mine)[0]
            self.step(f"weights, part {fold + 1}")
        if budget.left() <= 0:
            budget.give_up("part of the climb of the weights")
        return weights, out_of_fold

    def _listed(self, budget: Budget) -> list[Shortlists]:
        """Answer short lists of every lesson's cases, drawn so that all fit into memory."""
        m = len(self.names)
        most = max(500, LIST_BYTES // (m * m * LISTED * 4) // len(self.taught))
        found: list[Shortlists] = []
        for place, one in enumerate(self.taught):
            model = self.assemble(one.members, np.ones(m, np.float32))
            cases = one.split.cases.sample(most, self.rng)
            own = budget.share(1 / (len(self.taught) - place))
            for part in self._parts(len(cases), own, "cases that weights are climbed on", most):
                some = cases.take(part)
                found.append(shortlists(model, one.log, some, LISTED, self.threads))
            self.step("short lists")
        return found

    def _parts(self, count: int, budget: Budget, what: str, each: int) -> Iterator[I64]:
        """Answer case numbers in parts; under a budget small ones, drawn at random."""
        order, each = np.arange(count), max(each, 1)
        if budget.bounded:
            order, each = self.rng.permutation(count), PART
        for part in in_turns(count, each, budget, what):
            yield order[part.start : part.stop]

    def _alone(
        self, weights: Floats, lesson: int, cases: Cases, budget: Budget | None = None
    ) -> F64:
        """Answer float64[c]: NDCG of weights on the first cases of a lesson, fully ranked.

        All of them, unless there is a budget that has not the time for it.
        """
        one, budget = self.taught[lesson], budget or Budget()
        model = self.assemble(one.members, weights)
        found = [np.zeros(0)]
        each = PART if budget.bounded else max(1, len(cases))
        for part in in_turns(len(cases), each, budget, "cases that the choice is judged on"):
            some = cases.take(np.arange(part.start, part.stop))
            lists = rank(model, weights[None], one.log, some, K, self.threads)[0]
            found.append(per_case(lists, some.targets, some.target_offsets, (K,))[f"ndcg_at_{K}"])
        return np.concatenate(found)

    def _queries(self, weights: Floats, budget: Budget) -> tuple[Queries, list[Cases]]:
        """Answer the queries, and of each lesson the cases that were looked through for them.

        Cases are looked through in random order until there are enough queries; a query's case
        is numbered over all that were looked through.
        """
        found: list[Queries] = []
        looked: list[Cases] = []
        room, before = self.settings.queries, 0
        for place, one in enumerate(self.taught):
            model = self.assemble(one.members, weights)
            facts = item_facts(one.split.known, one.split.as_of)
            mixed = one.split.cases.take(self.rng.permutation(len(one.split.cases)))
            seen, each = 0, PART if budget.bounded else CHUNK
            own = budget.share(1 / (len(self.taught) - place))
            for turn in in_turns(len(mixed), each, own, "cases that the ranker learns from"):
                some = mixed.take(np.arange(turn.start, turn.stop))
                part = queries_of(model, facts, one.log, some, self.settings.most, self.threads)
                found.append(part._replace(cases=part.cases + before + seen))
                room -= len(part.sizes)
                seen = turn.stop
                self.step("candidates")
                if room <= 0:
                    break
            looked.append(mixed.take(np.arange(seen)))
            before += seen
            if room <= 0:
                break
        return merged(found), looked

    def _ranked(
        self, weights: Floats, blend: Floats, choice: Choice, budget: Budget
    ) -> tuple[Learned | None, Choice, dict[str, Any]]:
        """Learn a ranker over the blend's candidates and choose between it and what leads."""
        # What is the same for everybody costs nothing to hear; a weight too small to move a
        # score makes it a voice.
        members, settings = self.taught[0].members, self.settings
        still = [members[name].standing is not None for name in self.names]
        heard = np.where((weights == 0) & still, np.float32(1e-9), weights)
        since = budget.elapsed()
        queries, looked = self._queries(heard, budget.share(LOOKING))
        told: dict[str, Any] = {"queries": len(queries.sizes)}
        if len(queries.sizes) < LEAST_QUERIES:
            return None, choice, told
        users = np.concatenate([cases.users for cases in looked])
        # Against the blend it was told of, whose weights have seen these cases: hard on the ranker.
        theirs = [self._alone(blend, lesson, cases) for lesson, cases in enumerate(looked)]
        cases = Looked(queries, users, np.concatenate(theirs))
        trial = self._trial(heard, cases, budget, 2 * (budget.elapsed() - since), told)
        since = budget.elapsed()
        ranked = self._learn(cases, trial, budget)
        if ranked is None:
            budget.give_up("the ranker")
            return None, choice, told
        ours = cases.of_cases(ranked.out_of_fold[: len(queries.sizes)])
        gain = gain_of(choice.name, RANKER, cases.blend, ours, users, self.seed)
        choice = _with(choice, {RANKER: float(ours.mean())}, gain)
        share = len(queries.sizes) / max(len(users), 1)
        told |= {"trees": ranked.trees, "candidates_hold": round(share, 4)}
        voices = self.assemble(members, heard).voices
        learned = Learned(ranked.forest, voices, settings.most) if gain.taken else None
        choice = replace(choice, name=RANKER) if gain.taken else choice
        # What is judged again learns from more rows, which are wider, and is tried with shares.
        if trial and budget.affords(3 * (budget.elapsed() - since), ANSWERS):
            also, choice = self._with_answers(trial, cases, ranked, (voices, choice), told)
            learned = also or learned
        return learned, choice, told

    def _learn(self, cases: Looked, trial: Trial | None, budget: Budget) -> Ranked | None:
        """Learn from held-out queries; those of answers are judged as well, and teach nothing."""
        queries = trial.plain() if trial else cases.queries
        folds = trial.folds if trial else self.folds[queries.users]
        return learn_ranker(
            queries,
            folds,
            self.settings,
            weights=trial.held.astype(np.float64) if trial else None,
            seed=self.seed,
            threads=self.threads,
            step=self.step,
            budget=budget,
        )

    def _trial(
        self, heard: Floats, cases: Looked, budget: Budget, seconds: float, told: dict[str, Any]
    ) -> Trial | None:
        """Answer the queries of answers beside the held-out ones, None for too few of them.

        seconds: about how long their making takes at most.
        """
        found, asked, until = self.answered, list[Asked](), np.iinfo(np.int64).max
        for one in self.taught:
            split = one.split
            # Members of a split by position know of later times.
            if np.all(split.cases.as_of == split.as_of):
                model = self.assemble(one.members, heard)
                facts = item_facts(one.split.known, split.as_of)
                asked.append(Asked(model, facts, split.as_of, int(until)))
                until = split.as_of
        if found is None or not asked or not budget.affords(seconds, ANSWERS):
            return None
        own = queries_told(found, asked, self.folds, self.settings, self.threads)
        self.step("answers")
        told["decisions"] = len(own.queries.sizes)
        if len(own.queries.sizes) < LEAST:
            return None
        told |= found.examination.told()
        held = Held(cases.queries, self.folds[cases.queries.users])
        return Trial(held, own, self.settings, self.seed, self.threads)

    def _with_answers(
        self,
        trial: Trial,
        cases: Looked,
        ranked: Ranked,
        leads: tuple[tuple[str, ...], Choice],
        told: dict[str, Any],
    ) -> tuple[Learned | None, Choice]:
        """Choose between what leads and a ranker that has learned from answers as well.

        It leads if it gains on later answers and loses no more than noise on held-out events.
        """
        (voices, choice), found = leads, self.answered
        if choice.name == RANKER:
            lead, on_events = ranked.out_of_fold, cases.of_cases(ranked.out_of_fold[trial.held])
        else:
            columns = columns_of(voices)
            single = f"{self.best}.score"
            own = single if choice.name == MEMBER and single in columns else "blend.score"
            lead, on_events = trial.in_order_of(columns.index(own)), cases.blend
        share, trees, judged = try_answers(trial, ranked.trees, self.step)
        ours = cases.of_cases(judged[trial.held])
        gain = trial.gain(choice.name, lead, judged, self.seed)
        events = gain_of(choice.name, ON_EVENTS, on_events, ours, cases.users, self.seed)
        taken = found is not None and gain.taken and events.high >= 0
        choice = _with(_with(choice, {DECIDED: float(ours.mean())}, gain), {}, events)
        told |= {"decision_share": share, "decision_trees": trees}
        if found is None or not taken:
            return None, choice
        scenery = found.scenery(np.iinfo(np.int64).max)
        learned = Learned(trial.forest(share, trees), voices, self.settings.most, scenery)
        return learned, replace(choice, name=DECIDED)


def _with(choice: Choice, means: dict[str, float], gain: Gain) -> Choice:
    """Answer the choice with one more contender tried."""
    return replace(choice, means={**choice.means, **means}, gains=(*choice.gains, gain))
