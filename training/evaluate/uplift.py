"""Uplift models on the same held-out people, none having learned from them.

Challenger and champion are learned again, each by its own recipe, from everybody but the people
that the challenger's fit held out. Knows nothing of pointers or of what is decided.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from domain.errors import ScientistError
from models.bundle import Bundle
from training.evaluate.qini import qini_cases
from training.fit.uplift.balance import without_certain
from training.fit.uplift.drafting import load_trial
from training.fit.uplift.learners import Recipe
from training.fit.uplift.run import Judged, judge
from training.fit.uplift.settings import UpliftSettings
from training.fit.uplift.tables import digest_of
from training.fit.uplift.trial import held_out
from training.gate import Cases, Contest
from training.logbook import Log

POPULARITY = "popularity"


def cases_of(score: npt.NDArray[np.float64], seen: npt.NDArray[np.float64]) -> Cases:
    """Answer per-person values whose means are the Qini coefficient (decides) and the outcomes
    gained a head by contacting the better half."""
    gain = qini_cases(score, seen)
    better = qini_cases(score, np.ones(len(score))) > 0
    return {"qini": gain, "saved_at_50": np.where(better, seen, 0.0)}


def settings_of(bundle: Bundle) -> UpliftSettings:
    """Answer the settings a bundle was fitted with, up to the time that its fit knew."""
    chosen = dict(bundle.manifest.settings["fit"])
    until = bundle.manifest.data.split.get("until")
    if until:
        chosen["as_of"] = str(until)
    return UpliftSettings(**chosen)


def recipe_of(bundle: Bundle) -> Recipe:
    """Answer what a bundle's fit had chosen."""
    tuned = bundle.manifest.settings["tuned"]
    return Recipe(**{name: tuned[name] for name in Recipe._fields})


def hold(log: Log, challenger: Bundle, champion: Bundle | None, kind: str) -> Contest:
    """Answer everyone's cases; contact by lot stands where popularity does for recommenders.

    Raises ScientistError for another kind of split than the fit's own, or when the table that
    the challenger was fitted on has changed since.
    """
    if kind != "as-fitted":
        raise ScientistError("uplift is evaluated on the people held out: --split as-fitted")
    settings = settings_of(challenger)
    if settings.table and digest_of(Path(settings.table)) != challenger.manifest.data.digest:
        raise ScientistError("the table that the challenger was fitted on has changed: fit again")
    trial = without_certain(load_trial(log, settings, challenger.manifest.created_at))
    apart = held_out(trial.keys, settings.test_share, settings.seed)

    def judged(bundle: Bundle) -> Judged:
        own = replace(settings, repeats=settings_of(bundle).repeats)
        return judge(trial.take(~apart), trial.take(apart), recipe_of(bundle), own)

    lead = judged(challenger)
    cases = {"challenger": cases_of(lead.effect, lead.seen)}
    note = ""
    if champion is not None:
        # Its recipe, on the challenger's people: their outcomes are what is asked about.
        cases["champion"] = cases_of(judged(champion).effect, lead.seen)
        note = "its recipe learned again from the people that were not held out"
    cases[POPULARITY] = cases_of(lead.rivals["random"], lead.seen)
    cases["risk"] = cases_of(lead.rivals["risk"], lead.seen)
    return Contest(cases, note)
