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


def cases_of(y: npt.NDArray[np.uint8], p: npt.NDArray[np.float64]) -> Cases:
    """Answer per-row values, larger is better: 1 - squared error (decides), and exp(-loss).

    Both are 1 for a sure and right answer; the first is a proper score (Brier, 1950).
    """
    return {"brier": 1 - (y - p) ** 2, "likelihood": np.exp(-losses(y, p))}


def hold(log: Log, challenger: Bundle, champion: Bundle | None, kind: str) -> Contest:
    """Answer everyone's cases; prevalence stands where popularity does for recommenders.

    Raises ScientistError for another kind of split than the fit's own.
    """
    if kind != "as-fitted":
        raise ScientistError("churn is evaluated on its rolling test cut-offs: --split as-fitted")
    lead = _judged(log, challenger)
    cases = {"challenger": cases_of(lead.y, lead.scores["model"])}
    note = ""
    if champion is not None:
        other = _judged(log, champion)
        if not _same(lead, other):
            note = "its own definition asks about other rows, so its rate of the rows stands for it"
            rate = np.full(len(lead.y), other.scores["model"].mean())
            cases["champion"] = cases_of(lead.y, rate)
        else:
            note = "learned again from before each test cut-off"
            cases["champion"] = cases_of(lead.y, other.scores["model"])
    cases[POPULARITY] = cases_of(lead.y, lead.scores["prevalence"])
    for name in _ALSO:
        if name in lead.scores:
            cases[name] = cases_of(lead.y, lead.scores[name])
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
