"""Recommenders measured on the same cases of one test split, none having learned from it.

A released model has learned from everything, its own test split included. So the challenger is
learned again from what lies before the split, with its tuned numbers; and so is the champion,
unless its bundle ends before the split: then that very bundle is scored. Knows nothing of
pointers or of what is decided.
"""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import NamedTuple

import numpy as np

from feature_store.history import History
from models.bundle import Bundle
from models.families import load_scorer
from models.recommend.model import RecommendModel
from training.evaluate.ranking import BLEND, contenders
from training.fit.blending import RANKER, Decision, Learned
from training.fit.choice import Choice
from training.fit.facts import ReadItems, facts_of, no_items
from training.fit.members import MEMBER_FITS
from training.fit.recommend import Catalogue, Fit
from training.fit.settings import RecommendSettings
from training.fit.tuning import Tuned
from training.gate import Cases, Contest
from training.metrics import CUTS, per_case
from training.splits import Cases as Questions
from training.splits import (
    Interactions,
    Split,
    cut_times,
    interactions_of,
    leave_one_out,
    time_split,
)

POPULARITY = "popularity"
SPLITS = ("as-fitted", "time", "leave-one-out")
_FROM_BUNDLE = "scored from its bundle, which ends before the test split"
_FROM_RECIPE = "its numbers learned again from before the test split, which its bundle has seen"
_UNKNOWN = "scored from its bundle, which has seen the test split: that favours the champion"


class _SilentBar:
    """Takes the place of a progress bar where a step says nothing."""

    def set_description_str(self, text: str) -> None:
        """Say nothing."""

    def update(self, steps: int) -> None:
        """Count nothing."""


class Ground(NamedTuple):
    """Where a contest is held: the lead's items and interactions, its settings, the split.

    read_items: answers the catalogue, and is asked only where a contender learns from it.
    """

    catalogue: Catalogue
    full: Interactions
    settings: RecommendSettings
    split: Split
    read_items: ReadItems = no_items


def settings_of(bundle: Bundle, model: RecommendModel) -> RecommendSettings:
    """Answer the settings a bundle was fitted with, its members and repeats as they came out."""
    known = {field.name for field in fields(RecommendSettings)}
    kept = {k: v for k, v in bundle.manifest.settings.get("fit", {}).items() if k in known}
    settings = RecommendSettings(**kept)
    members = tuple(dict.fromkeys((*model.members, POPULARITY)))
    return replace(settings, members=members, repeats=model.repeats)


def tuned_of(bundle: Bundle, model: RecommendModel) -> Tuned:
    """Answer the numbers that a bundle's fit had tuned. Raises KeyError for a lost member."""
    flat = bundle.manifest.settings.get("tuned", {})
    tuned = Tuned()
    for name in dict.fromkeys((*model.members, POPULARITY)):
        prefix = f"{name}."
        own = {key.removeprefix(prefix): flat[key] for key in flat if key.startswith(prefix)}
        own.pop("weight", None)
        tuned.params[name] = {**MEMBER_FITS[name].start, **own}
    weights = zip(model.members, model.weights, strict=True)
    tuned.weights = {POPULARITY: 0.0} | {name: float(weight) for name, weight in weights}
    if model.ranker is not None:
        own = model.ranker
        # Items have other numbers where another lead says which there are; cases have no scene.
        scenery = own.scenery and own.scenery.without_lifts()
        learned = Learned(own.forest, own.voices, own.most, scenery, own.lean)
        tuned.decision = Decision(tuned.weights, learned, Choice(RANKER), 0.0, {})
    return tuned


def _ground(history: History, bundle: Bundle, model: RecommendModel, kind: str) -> Ground:
    settings = settings_of(bundle, model)
    full = interactions_of(history, model.hashes, model.kind_weights)
    # What arrived since the fit is nobody's question.
    full = full.until(full.places_before(bundle.manifest.data.last_at + 1))
    parted = bundle.manifest.data.split
    if kind == "time" and parted.get("kind") != "time":
        _, cut, until = cut_times(full, settings.test_share)
    else:
        cut, until = parted.get("test_from", 0), parted.get("test_until", 0)
    if kind == "time" or (kind == "as-fitted" and parted.get("kind") == "time"):
        split = time_split(full, cut, until, settings.cap, model.repeats)
    else:
        split = leave_one_out(full, 1, settings.cap, model.repeats)
    return Ground(Catalogue(model.items, model.hashes, model.kind_weights), full, settings, split)


def _learned(ground: Ground, bundle: Bundle, model: RecommendModel) -> RecommendModel:
    """Learn a bundle's numbers again from what the split allows."""
    settings = replace(ground.settings, members=tuple(tuned_of(bundle, model).params))
    settings = replace(settings, repeats=model.repeats)
    facts = None
    if any(MEMBER_FITS[name].reads_items for name in settings.members or ()):
        facts = facts_of(ground.catalogue.items, ground.read_items())
    run = Fit(ground.catalogue, ground.full, settings, _SilentBar(), facts)
    # A member that the lead's log does not suit may still be the rival's: all are learned.
    run.names = list(settings.members or ())
    return run.learn(ground.split.known, ground.split.as_of, tuned_of(bundle, model))


def _measured(
    model: RecommendModel, names: Sequence[str], full: Interactions, cases: Questions, threads: int
) -> dict[str, Cases]:
    lists = contenders(model, names, full, cases, max(CUTS), threads)
    return {name: per_case(one, cases.targets, cases.target_offsets) for name, one in lists.items()}


def in_numbers_of(
    rival: RecommendModel, lead: RecommendModel, full: Interactions, cases: Questions
) -> tuple[Interactions, Questions]:
    """Answer interactions and cases in the item numbers of another model.

    Events of items it does not know leave the histories; such targets stay, as -2, and count
    as missed.
    """
    to_rival = rival.index_of(lead.hashes)
    items = to_rival[full.items]
    keep = items >= 0
    moved = np.concatenate([[0], np.cumsum(keep)])
    known = Interactions(
        len(rival),
        moved[full.offsets],
        items[keep],
        full.kinds[keep],
        full.ats[keep],
        full.ordinals[keep],
        full.weights[keep],
    )
    targets = to_rival[cases.targets]
    asked = replace(
        cases,
        starts=moved[cases.starts],
        ends=moved[cases.ends],
        targets=np.where(targets >= 0, targets, -2).astype(np.int32),
    )
    return known, asked


def _champion(ground: Ground, lead: RecommendModel, champion: Bundle) -> tuple[Cases, str]:
    rival: RecommendModel = load_scorer(champion, golden=False)
    full, cases, threads = ground.full, ground.split.cases, ground.settings.threads
    # Asked about times before its data ends, a bundle may have learned the very answers.
    unseen = len(cases) > 0 and champion.manifest.data.last_at < int(cases.as_of.min())
    if not unseen and all(name in MEMBER_FITS for name in rival.members):
        learned = _learned(ground, champion, rival)
        return _measured(learned, [], full, cases, threads)[BLEND], _FROM_RECIPE
    own = in_numbers_of(rival, lead, full, cases)
    return (
        _measured(rival, [], *own, threads)[BLEND],
        _FROM_BUNDLE if unseen else _UNKNOWN,
    )


def hold(
    history: History,
    challenger: Bundle,
    champion: Bundle | None,
    kind: str = "as-fitted",
    read_items: ReadItems = no_items,
) -> Contest:
    """Answer the cases of challenger, champion, popularity and each of the challenger's members.

    `kind` is one of SPLITS: the split the challenger's manifest describes, or another cut of
    the same log. read_items: answers the catalogue, if it is wanted. Takes one round of
    learning a contender, without tuning.
    """
    lead: RecommendModel = load_scorer(challenger, golden=False)
    ground = _ground(history, challenger, lead, kind)._replace(read_items=read_items)
    learned = _learned(ground, challenger, lead)
    threads = ground.settings.threads
    found = _measured(learned, learned.members, ground.full, ground.split.cases, threads)
    cases: dict[str, Cases] = {"challenger": found.pop(BLEND)}
    note = ""
    if champion is not None:
        cases["champion"], note = _champion(ground, lead, champion)
    return Contest(cases | found, note)
