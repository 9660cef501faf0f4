"""From a log to a churn bundle's draft: which of the two fits, its profiles, its card.

Knows nothing of how a fit learns or of where bundles lie.
"""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from domain.errors import ScientistError
from feature_store.settings import settings_from_env
from feature_store.views.catalogue import VIEWS
from models.bundle import Draft
from models.churn.features import VIEWS as USED
from training.card import Facts, card
from training.fit.churn.labelled import fit_labelled
from training.fit.churn.run import Fitted, fit
from training.fit.churn.settings import ChurnSettings
from training.importing.labels import load_labels
from training.logbook import Log, data_stamp, source_commit
from training.profiles import profiles_from_env


def fit_log(log: Log, chosen: Mapping[str, Any], now_ms: int) -> tuple[Fitted, ChurnSettings]:
    """Fit churn on a loaded log, from events or, when label_set names one, from its labels.

    Raises ScientistError, TooLittleData, and what opening the store raises.
    """
    settings = ChurnSettings(**chosen)
    if settings.label_set:
        if settings.definition != "contractual":
            raise ScientistError("a label set is for --definition contractual")
        labels, _ = load_labels(_home(), settings.label_set)
        until = settings.until(int(log.history.records["at"].max(initial=0)), now_ms)
        labels = labels.filter(labels["at"] < until) if settings.as_of else labels
        people = profiles_from_env(labels["user"].unique().to_list()) if settings.attributes else {}
        return fit_labelled(log.history, labels, settings, people), settings
    users = [name[1:] for name in log.history.entities if name[0] == "u"]
    people = profiles_from_env(users) if settings.attributes else {}
    return fit(log.history, settings, now_ms, people), settings


def _home() -> Path:
    return settings_from_env()[1].root


def draft_of(log: Log, fitted: Fitted, settings: ChurnSettings, created_at: int) -> Draft:
    """Answer the draft of a fitted model."""
    model = fitted.model
    facts = Facts(
        family="churn",
        created_at=created_at,
        metrics=fitted.metrics,
        data=data_stamp(log.history, fitted.split),
        params=model.params(),
        settings={"fit": asdict(settings), "tuned": fitted.found, **model.definition},
        views={name: VIEWS[name].signature for name in USED} if model.events else {},
        commit=source_commit(),
    )
    return Draft(
        **{name: getattr(facts, name) for name in Facts.__dataclass_fields__},
        arrays=model.arrays(),
        texts={"card.md": card(facts)},
        golden=fitted.golden,
    )
