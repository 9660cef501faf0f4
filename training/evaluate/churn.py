"""Churn models on the same test rows, none having learned from what it is asked.

Challenger and champion are learned again, each with its own settings, from labels known by each
test cut-off of the challenger. Knows nothing of pointers or of what is decided.
"""

import numpy as np
import numpy.typing as npt

from domain.errors import ScientistError
from models.bundle import Bundle
from training.evaluate.probabilities import losses
from training.fit.churn.drafting import fit_log
from training.fit.churn.judge import Judged
from training.gate import Cases, Contest
from training.logbook import Log

POPULARITY = "popularity"
_ALSO = ("recency", "logistic", "trees", "bgnbd", "mbgnbd", "pareto")


def cases_of(
    y: npt.NDArray[np.uint8], p: npt.NDArray[np.float64], rate: npt.NDArray[np.float64]
) -> Cases:
    """Answer per-row values, larger is better: gain (decides), brier, likelihood.

    gain: log-loss saved against saying the share `rate` of everybody, in nats, so that a share
    of it lost is a share of all that the model knows. brier: 1 - squared error (Brier, 1950).
    likelihood: the probability given to what happened.
    """
    lost = losses(y, p)
    return {
        "gain": losses(y, rate) - lost,
        "brier": 1 - (y - p) ** 2,
        "likelihood": np.exp(-lost),
    }


def hold(log: Log, challenger: Bundle, champion: Bundle | None, kind: str) -> Contest:
    """Answer everyone's cases; prevalence stands where popularity does for recommenders.

    Raises ScientistError for another kind of split than the fit's own.
    """
    if kind != "as-fitted":
        raise ScientistError("churn is evaluated on its rolling test cut-offs: --split as-fitted")
    lead = _judged(log, challenger)
    rate = lead.scores["prevalence"]
    cases = {"challenger": cases_of(lead.y, lead.scores["model"], rate)}
    note = ""
    if champion is not None:
        other = _judged(log, champion)
        if not _same(lead, other):
            note = "its own definition asks about other rows, so prevalence stands in its place"
            cases["champion"] = cases_of(lead.y, rate, rate)
        else:
            note = "learned again from before each test cut-off"
            cases["champion"] = cases_of(lead.y, other.scores["model"], rate)
    cases[POPULARITY] = cases_of(lead.y, rate, rate)
    for name in _ALSO:
        if name in lead.scores:
            cases[name] = cases_of(lead.y, lead.scores[name], rate)
    return Contest(cases, note)


def _judged(log: Log, bundle: Bundle) -> Judged:
    chosen = dict(bundle.manifest.settings["fit"])
    # The same rows as at the fit, although events have come since.
    until = bundle.manifest.data.split.get("until")
    if until:
        chosen["as_of"] = str(until)
    return fit_log(log, chosen, bundle.manifest.created_at)[0].judged


def _same(one: Judged, other: Judged) -> bool:
    return (
        len(one.y) == len(other.y)
        and bool((one.owner == other.owner).all())
        and bool((one.as_of == other.as_of).all())
    )
