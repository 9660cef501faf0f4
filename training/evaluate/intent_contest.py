"""Intent models on the same test sessions, none having learned from what it is asked.

Challenger and champion are tuned and learned again, each with its own settings, from what was
known before the challenger's test sessions began. Knows nothing of pointers or of what is decided.
"""

from domain.errors import ScientistError
from models.bundle import Bundle
from training.evaluate.churn import cases_of
from training.fit.intent.drafting import fit_log
from training.fit.intent.run import Judged
from training.gate import Cases, Contest
from training.logbook import Log

POPULARITY = "popularity"
RATE = "majority"


def hold(log: Log, challenger: Bundle, champion: Bundle | None, kind: str) -> Contest:
    """Answer everyone's cases; the majority's rate stands where popularity does for recommenders.

    Raises ScientistError for another kind of split than the fit's own.
    """
    if kind != "as-fitted":
        raise ScientistError("intent is evaluated on its latest sessions: --split as-fitted")
    lead = _judged(log, challenger, challenger)
    rate = lead.scores[RATE]
    cases: dict[str, Cases] = {"challenger": cases_of(lead.y, lead.scores["model"], rate)}
    note = ""
    if champion is not None:
        scores = rate
        note = "it asks another question, so the majority's rate stands in its place"
        if champion.params["definition"] == challenger.params["definition"]:
            scores = _judged(log, champion, challenger).scores["model"]
            note = "learned again from before the test sessions"
        cases["champion"] = cases_of(lead.y, scores, rate)
    cases[POPULARITY] = cases_of(lead.y, rate, rate)
    for name, scores in lead.scores.items():
        if name not in ("model", RATE):
            cases[name] = cases_of(lead.y, scores, rate)
    return Contest(cases, note)


def _judged(log: Log, bundle: Bundle, lead: Bundle) -> Judged:
    """Judge a bundle's settings on the lead's sessions."""
    chosen = dict(bundle.manifest.settings["fit"])
    # The same rows as at the lead's fit, although events have come since.
    chosen["as_of"] = str(lead.manifest.data.split["until"])
    chosen["test_share"] = lead.manifest.settings["fit"]["test_share"]
    return fit_log(log, chosen, lead.manifest.created_at, release=False)[0].judged
