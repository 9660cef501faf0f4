"""From learned members to what is released: weights, ranker and the choice among them.

All on validation cases: weights climb on short lists, the ranker is learned on candidates of the
blend, every contender is judged out of fold by user, and the rule of `choice` decides. Where
validation is thin, earlier held-out events of the same users are taken too, with members learned
before those. Knows nothing of the test split.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from models.forest import Forest
from models.recommend.member import Floats, Member
from models.recommend.model import RecommendModel
from models.recommend.ranker import Ranker
from training.evaluate.ranking import rank
from training.fit.budget import Budget
from training.fit.choice import Choice, choose, gain_of
from training.fit.lambdarank import (
    Queries,
    item_facts,
    learn_ranker,
    merged,
    queries_of,
)
from training.fit.settings import RankerSettings
from training.fit.shortlists import K, Shortlists, climb, joined, judged, shortlists
from training.metrics import per_case
from training.splits import Cases, Interactions, Split, leave_one_out, time_split

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
MEMBER, BLEND, RANKER = "member", "blend", "ranker"
LISTED = 50
"""Items of each member on a short list."""
LIST_BYTES = 160_000_000
"""What short lists may take; cases are drawn at random where all would take more."""
THIN = 4_000
"""Below this many cases earlier lessons are taken too."""
CHUNK = 2_000
RANKER_SECONDS = 20.0
"""With less time left than this no ranker is tried."""
LEAST_QUERIES = 200
"""Below this many queries no ranker is learned."""


class Taught(NamedTuple):
    """Held-out cases, whose places are of `log`, and members learned from what lies before."""

    log: Interactions
    split: Split
    members: dict[str, Member]


class Assembling(Protocol):
    """Makes a model of learned members, their weights and, it may be, a ranker."""

    def __call__(
        self, members: dict[str, Any], weights: Floats, ranker: Ranker | None = None
    ) -> RecommendModel:
        """Answer the model."""
        ...


@dataclass(frozen=True)
class Learned:
    """What is kept of a ranker until members are learned again: all but the facts of items."""

    forest: Forest
    voices: tuple[str, ...]
    most: int

    def beside(self, known: Interactions, as_of: int) -> Ranker:
        """Answer the ranker with the facts of the items as known at `as_of`."""
        return Ranker(self.voices, self.forest, item_facts(known, as_of), self.most)


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


def earlier(log: Interactions, split: Split, back: int, cap: int, repeats: bool) -> Taught | None:
    """Answer the cases `back` windows, or events, before those of a split; None if there are none.

    log: what the split's cases are places of. Nothing after the split's cut is in it.
    """
    cases, known = split.cases, split.known
    if not len(cases):
        return None
    if len(cases) > 1 and np.all(cases.as_of == split.as_of):
        width = _until(log, cases) - split.as_of
        cut = split.as_of - back * width
        found = time_split(known, cut, cut + width, cap, repeats)
    else:
        found = leave_one_out(known, back, cap, repeats)
    return Taught(known, found, {}) if len(found.cases) else None


def folds_of(known: Interactions, count: int) -> I64:
    """Answer the fold of each user, int64[u], from what the user did: names change nothing."""
    mixed = (known.ats.astype(np.uint64) << np.uint64(20)) ^ known.items.astype(np.uint64)
    sums = np.zeros(len(known.offsets) - 1, np.uint64)
    np.add.at(sums, known.users, (mixed + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15))
    # The high bits are the well mixed ones.
    return ((sums >> np.uint64(33)) % np.uint64(count)).astype(np.int64)


def _until(log: Interactions, cases: Cases) -> int:
    """Answer when the window of some cases ends (ms UTC), as far as their targets tell."""
    last = 0
    for case, (user, end) in enumerate(zip(cases.users.tolist(), cases.ends.tolist(), strict=True)):
        later = slice(end, int(log.offsets[user + 1]))
        wanted = cases.targets[cases.target_offsets[case] : cases.target_offsets[case + 1]]
        items, first = np.unique(log.items[later], return_index=True)
        last = max(last, int(log.ats[later][first[np.isin(items, wanted)]].max()))
    return last + 1


class Blending:
    """The decision over one fit's members; `assemble` makes models of them."""

    def __init__(
        self,
        taught: Sequence[Taught],
        assemble: Assembling,
        settings: RankerSettings,
        *,
        seed: int,
        threads: int,
        step: Callable[[str], None],
    ) -> None:
        """Take the lessons, that of the validation split first."""
        self.taught, self.assemble, self.settings = taught, assemble, settings
        self.seed, self.threads, self.step = seed, threads, step
        self.names = list(taught[0].members)
        self.folds = folds_of(taught[0].split.known, settings.folds)
        self.rng = np.random.default_rng(seed)

    def decide(self, budget: Budget | None = None) -> Decision:
        """Answer the decision; without time for a ranker none is learned, and that is said."""
        budget = budget or Budget()
        lists = joined(self._listed())
        alone = judged(lists, np.eye(len(self.names), dtype=np.float32)).mean(axis=1)
        order = np.argsort(-alone, kind="stable").tolist()
        best = np.eye(len(self.names), dtype=np.float32)[order[0]]
        weights, _ = climb(lists, np.arange(len(lists)), order)
        out_of_fold = np.zeros(len(lists))
        for fold in range(self.settings.folds):
            there = self.folds[lists.users] == fold
            fitted, _ = climb(lists, np.flatnonzero(~there), order)
            mine = np.flatnonzero(there)
            out_of_fold[mine] = judged(lists, fitted[None], mine)[0]
            self.step(f"weights, part {fold + 1}")
        single = judged(lists, best[None])[0]
        choice = choose({MEMBER: single, BLEND: out_of_fold}, lists.users, self.seed)
        cases = len(lists)
        del lists
        blend = weights if choice.name == BLEND else best
        told = {
            "best_member": self.names[order[0]],
            "lessons": len(self.taught),
            "cases": cases,
        }
        ranker = None
        if self.settings.trees and budget.affords(RANKER_SECONDS, "the ranker"):
            ranker, choice, more = self._ranked(weights, blend, choice)
            told |= more
        final = weights if ranker else blend
        measured = float(self._alone(final, 0, self.taught[0].split.cases).mean())
        by_name = {name: float(one) for name, one in zip(self.names, final, strict=True)}
        return Decision(by_name, ranker, choice, measured, told)

    def _listed(self) -> list[Shortlists]:
        """Answer short lists of every lesson's cases, drawn so that all fit into memory."""
        m = len(self.names)
        most = max(500, LIST_BYTES // (m * m * LISTED * 4) // len(self.taught))
        found: list[Shortlists] = []
        for one in self.taught:
            model = self.assemble(one.members, np.ones(m, np.float32))
            cases = one.split.cases.sample(most, self.rng)
            found.append(shortlists(model, one.log, cases, LISTED, self.threads))
            self.step("short lists")
        return found

    def _alone(self, weights: Floats, lesson: int, cases: Cases) -> F64:
        """Answer float64[c]: NDCG of weights on cases of a lesson, fully ranked."""
        one = self.taught[lesson]
        model = self.assemble(one.members, weights)
        lists = rank(model, weights[None], one.log, cases, K, self.threads)[0]
        return per_case(lists, cases.targets, cases.target_offsets, (K,))[f"ndcg_at_{K}"]

    def _queries(self, weights: Floats) -> tuple[Queries, list[Cases]]:
        """Answer the queries, and of each lesson the cases that were looked through for them.

        Cases are looked through in random order until there are enough queries; a query's case
        is numbered over all that were looked through.
        """
        found: list[Queries] = []
        looked: list[Cases] = []
        room, before = self.settings.queries, 0
        for one in self.taught:
            model = self.assemble(one.members, weights)
            facts = item_facts(one.split.known, one.split.as_of)
            mixed = one.split.cases.take(self.rng.permutation(len(one.split.cases)))
            seen = 0
            while seen < len(mixed) and room > 0:
                some = mixed.take(np.arange(seen, min(seen + CHUNK, len(mixed))))
                part = queries_of(model, facts, one.log, some, self.settings.most, self.threads)
                found.append(part._replace(cases=part.cases + before + seen))
                room -= len(part.sizes)
                seen += len(some)
                self.step("candidates")
            looked.append(mixed.take(np.arange(seen)))
            before += seen
        return merged(found), looked

    def _ranked(
        self, weights: Floats, blend: Floats, choice: Choice
    ) -> tuple[Learned | None, Choice, dict[str, Any]]:
        """Learn a ranker over the blend's candidates and choose between it and what leads."""
        # What is the same for everybody costs nothing to hear; a weight too small to move a
        # score makes it a voice.
        members, settings = self.taught[0].members, self.settings
        still = [members[name].standing is not None for name in self.names]
        heard = np.where((weights == 0) & still, np.float32(1e-9), weights)
        queries, looked = self._queries(heard)
        told: dict[str, Any] = {"queries": len(queries.sizes)}
        if len(queries.sizes) < LEAST_QUERIES:
            return None, choice, told
        ranked = learn_ranker(
            queries,
            self.folds[queries.users],
            settings,
            seed=self.seed,
            threads=self.threads,
            step=self.step,
        )
        users = np.concatenate([cases.users for cases in looked])
        ours = np.zeros(len(users))
        ours[queries.cases] = ranked.out_of_fold
        # Against the blend it was told of, whose weights have seen these cases: hard on the ranker.
        theirs = [self._alone(blend, lesson, cases) for lesson, cases in enumerate(looked)]
        gain = gain_of(choice.name, RANKER, np.concatenate(theirs), ours, users, self.seed)
        means = {**choice.means, RANKER: float(ours.mean())}
        choice = replace(choice, means=means, gains=(*choice.gains, gain))
        share = len(queries.sizes) / max(len(users), 1)
        told |= {"trees": ranked.trees, "candidates_hold": round(share, 4)}
        if not gain.taken:
            return None, choice, told
        voices = self.assemble(members, heard).voices
        learned = Learned(ranked.forest, voices, settings.most)
        return learned, replace(choice, name=RANKER), told
