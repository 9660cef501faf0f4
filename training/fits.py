"""The families that can be fitted: one visible line each, from the log to a bundle's draft.

Every family answers the same three questions: which settings there are, what a fit gives, and
how challenger and champion are asked the same. Knows nothing of files, pointers or MLflow.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from feature_store.settings import settings_from_env
from feature_store.views.catalogue import VIEWS
from models.bundle import Bundle, Draft
from training.card import Facts, card
from training.gate import Contest
from training.logbook import Log, data_stamp, source_commit

Charts = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Outcome:
    """What a fit gives: a draft to write, and charts for its record (see training.plots)."""

    draft: Draft
    charts: Charts = field(default_factory=dict)


@dataclass(frozen=True)
class Family:
    """What can be done with a family.

    settings: field names with their defaults and nothing else. fit: (log, chosen settings,
    created_at in ms UTC) → outcome; raises ScientistError. hold: (log, challenger, champion or
    None, kind of split) → the cases of everyone, for gate and evaluation. metric: the one of its
    cases that decides a release; shown: those an evaluation shows; told: the one of its manifests
    that a list of versions shows.
    """

    settings: Callable[[], dict[str, Any]]
    fit: Callable[[Log, dict[str, Any], int], Outcome]
    hold: Callable[[Log, Bundle, Bundle | None, str], Contest]
    metric: str = "ndcg_at_10"
    shown: str = "hr_at_10,recall_at_10,ndcg_at_10,mrr_at_10"
    told: str = "ndcg_at_10"


def _recommend_settings() -> dict[str, Any]:
    from training.fit.settings import RecommendSettings

    return asdict(RecommendSettings())


def _fit_recommend(log: Log, chosen: dict[str, Any], created_at: int) -> Outcome:
    from training.evaluate.default_mix import worth_here
    from training.fit.answers import read_answers
    from training.fit.recommend import fit
    from training.fit.settings import RecommendSettings

    home = settings_from_env()[1]
    answers = None
    if str(home.log) == log.source:
        # Of any other log nobody knows what was answered.
        window_ms = worth_here().window_ms
        answers = read_answers(home.decisions, log.history, created_at, window_ms)
    options: dict[str, Any] = {"cap": log.history.cap, **chosen}
    settings = RecommendSettings(**options)
    fitted = fit(log.history, log.items, settings, described=log.catalogue(), answers=answers)
    model = fitted.model
    facts = Facts(
        family="recommend",
        created_at=created_at,
        metrics=fitted.metrics,
        data=data_stamp(log.history, fitted.split),
        params=model.params(),
        settings={
            # Of what was begun from only the name is kept: its numbers are in its own bundle.
            "fit": asdict(settings)
            | {"last": {**settings.last, "params": {}, "alone": {}}, "budget_since": None},
            "tuned": fitted.params,
            "cost": fitted.cost,
        },
        # The model reads the history itself; its rows are those of the sequence view.
        views={"sequence": VIEWS["sequence"].signature},
        commit=source_commit(),
    )
    draft = Draft(
        **{name: getattr(facts, name) for name in Facts.__dataclass_fields__},
        arrays=model.arrays(),
        texts={"card.md": card(facts)},
        golden=fitted.golden,
    )
    return Outcome(draft, fitted.plots)


def _hold_recommend(log: Log, challenger: Bundle, champion: Bundle | None, kind: str) -> Contest:
    from training.evaluate.contest import hold
    from training.evaluate.default_mix import check_default

    contest = hold(log.history, challenger, champion, kind, log.catalogue)
    if champion is None:
        return contest
    return replace(contest, checks=(check_default(challenger, champion),))


def _churn_settings() -> dict[str, Any]:
    from training.fit.churn.settings import ChurnSettings

    return asdict(ChurnSettings())


def _fit_churn(log: Log, chosen: dict[str, Any], created_at: int) -> Outcome:
    from training.fit.churn.drafting import draft_of, fit_log

    fitted, settings = fit_log(log, chosen, created_at)
    return Outcome(draft_of(log, fitted, settings, created_at), fitted.plots)


def _hold_churn(log: Log, challenger: Bundle, champion: Bundle | None, kind: str) -> Contest:
    from training.evaluate.churn import hold

    return hold(log, challenger, champion, kind)


def _uplift_settings() -> dict[str, Any]:
    from training.fit.uplift.settings import UpliftSettings

    return asdict(UpliftSettings())


def _fit_uplift(log: Log, chosen: dict[str, Any], created_at: int) -> Outcome:
    from training.fit.uplift.drafting import draft_of, fit_log

    fitted, settings = fit_log(log, chosen, created_at)
    return Outcome(draft_of(log, fitted, settings, created_at), fitted.plots)


def _hold_uplift(log: Log, challenger: Bundle, champion: Bundle | None, kind: str) -> Contest:
    from training.evaluate.uplift import hold

    return hold(log, challenger, champion, kind)


def _intent_settings() -> dict[str, Any]:
    from training.fit.intent.settings import IntentSettings

    return asdict(IntentSettings())


def _fit_intent(log: Log, chosen: dict[str, Any], created_at: int) -> Outcome:
    from training.fit.intent.drafting import draft_of, fit_log

    fitted, settings = fit_log(log, chosen, created_at)
    return Outcome(draft_of(log, fitted, settings, created_at), fitted.plots)


def _hold_intent(log: Log, challenger: Bundle, champion: Bundle | None, kind: str) -> Contest:
    from training.evaluate.intent_contest import hold

    return hold(log, challenger, champion, kind)


def _bidding_settings() -> dict[str, Any]:
    from training.fit.bidding.settings import BiddingSettings

    return asdict(BiddingSettings())


def _fit_bidding(log: Log, chosen: dict[str, Any], created_at: int) -> Outcome:
    from training.fit.bidding.drafting import draft_of, fit_log

    fitted, settings = fit_log(log, chosen, created_at)
    return Outcome(draft_of(log, fitted, settings, created_at), fitted.plots)


def _hold_bidding(log: Log, challenger: Bundle, champion: Bundle | None, kind: str) -> Contest:
    from training.evaluate.bidding import hold

    return hold(log, challenger, champion, kind)


FITS: dict[str, Family] = {
    "recommend": Family(_recommend_settings, _fit_recommend, _hold_recommend),
    "churn": Family(
        _churn_settings,
        _fit_churn,
        _hold_churn,
        metric="gain",
        shown="gain,brier,likelihood",
        told="auc",
    ),
    "uplift": Family(
        _uplift_settings,
        _fit_uplift,
        _hold_uplift,
        metric="qini",
        shown="qini,saved_at_50",
        told="qini",
    ),
    "intent": Family(
        _intent_settings,
        _fit_intent,
        _hold_intent,
        metric="gain",
        shown="gain,brier,likelihood",
        told="auc",
    ),
    "bidding": Family(
        _bidding_settings,
        _fit_bidding,
        _hold_bidding,
        metric="gain",
        shown="gain,brier,likelihood",
        told="auc",
    ),
}
"""Family → how it is fitted and compared. A new family adds its line here."""
