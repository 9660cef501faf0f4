"""Bidding models on the same test impressions, none having learned from what it is asked.

Challenger and champion are tuned and learned again, each with its own settings, from what was known
before the challenger's test impressions. Knows nothing of pointers or of what is decided.
"""

from domain.clock import system_clock
from domain.errors import ScientistError
from feature_store.settings import settings_from_env
from models.bundle import Bundle
from training.evaluate.churn import cases_of
from training.evaluate.shadow import check_shadow, read_shadows
from training.fit.bidding.bids import read_bids
from training.fit.bidding.drafting import fit_log
from training.fit.bidding.run import Judged
from training.fit.bidding.settings import BiddingSettings
from training.gate import Cases, Check, Contest
from training.logbook import Log

POPULARITY = "popularity"


def hold(log: Log, challenger: Bundle, champion: Bundle | None, kind: str) -> Contest:
    """Answer everyone's cases; the known rate of clicks stands where popularity does elsewhere.

    Raises ScientistError for another kind of split than the fit's own.
    """
    if kind != "as-fitted":
        raise ScientistError("bidding is evaluated on its latest impressions: --split as-fitted")
    lead = _judged(log, challenger, challenger)
    cases: dict[str, Cases] = {"challenger": cases_of(lead.y, lead.chance, lead.rate)}
    note = ""
    checks: tuple[Check, ...] = ()
    if champion is not None:
        other = _judged(log, champion, challenger)
        cases["champion"] = cases_of(lead.y, other.chance, lead.rate)
        note = "learned again from before the test impressions"
        checks = (off_policy(challenger.version, BiddingSettings()),)
    cases[POPULARITY] = cases_of(lead.y, lead.rate, lead.rate)
    return Contest(cases, note, checks)


def off_policy(version: str, settings: BiddingSettings) -> Check:
    """Judge a challenger by what it bid in shadow and what came of the bids beside it."""
    home = settings_from_env()[1]
    until = system_clock()
    bids = read_bids(home.log, home.decisions, settings, until)
    return check_shadow(bids, read_shadows(home.decisions, version))


def _judged(log: Log, bundle: Bundle, lead: Bundle) -> Judged:
    """Judge a bundle's settings on the lead's impressions."""
    chosen = dict(bundle.manifest.settings["fit"])
    asked = lead.manifest.settings["fit"]
    # The same impressions and labels as at the lead's fit, although events have come since.
    chosen["as_of"] = str(lead.manifest.data.split["until"])
    for name in ("test_share", "click_days"):
        chosen[name] = asked[name]
    return fit_log(log, chosen, lead.manifest.created_at, release=False)[0].judged
