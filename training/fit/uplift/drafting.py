"""From a table or a log to an uplift bundle's draft: the trial, its fit, its card.

Knows nothing of how a fit learns or of where bundles lie.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from feature_store.settings import settings_from_env
from feature_store.views.catalogue import VIEWS
from models.bundle import DataStamp, Draft
from models.churn.features import OWN as USED
from training.card import Facts, card
from training.fit.churn.settings import ChurnSettings
from training.fit.uplift.exposures import trial_from_log
from training.fit.uplift.run import Fitted, fit_trial
from training.fit.uplift.settings import UpliftSettings
from training.fit.uplift.tables import digest_of, read_table, trial_from_table
from training.fit.uplift.trial import Trial
from training.logbook import Log, data_stamp, source_commit
from training.profiles import profiles_from_env


def load_trial(log: Log, settings: UpliftSettings, now_ms: int) -> Trial:
    """Answer the trial that the settings name, from a table or from the log.

    Raises ScientistError, TooLittleData, and what opening the store raises.
    """
    if settings.table:
        return trial_from_table(read_table(Path(settings.table)), settings)
    home = settings_from_env()[1]
    end = int(log.history.records["at"].max(initial=0))
    until = ChurnSettings(as_of=settings.as_of).until(end, now_ms)
    users = [name[1:] for name in log.history.entities if name[0] == "u"]
    people = profiles_from_env(users) if settings.attributes else {}
    trial = trial_from_log((home.log, home.decisions), log.history, settings, until, people)
    return replace(trial, told={"until": until})


def fit_log(log: Log, chosen: Mapping[str, Any], now_ms: int) -> tuple[Fitted, UpliftSettings]:
    """Fit uplift on what the settings name. Raises ScientistError and TooLittleData."""
    settings = UpliftSettings(**chosen)
    if settings.table:
        # Evaluation and release read it again, from wherever they are called.
        settings = replace(settings, table=str(Path(settings.table).resolve()))
    trial = load_trial(log, settings, now_ms)
    fitted = fit_trial(trial, settings)
    return replace(fitted, split={**fitted.split, **trial.told}), settings


def _stamp(log: Log, fitted: Fitted, settings: UpliftSettings) -> DataStamp:
    if not settings.table:
        return data_stamp(log.history, fitted.split)
    digest = digest_of(Path(settings.table))
    return DataStamp(digest, int(fitted.split["rows"]), 0, 0, dict(fitted.split))


def draft_of(log: Log, fitted: Fitted, settings: UpliftSettings, created_at: int) -> Draft:
    """Answer the draft of a fitted model."""
    model = fitted.model
    facts = Facts(
        family="uplift",
        created_at=created_at,
        metrics=fitted.metrics,
        data=_stamp(log, fitted, settings),
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
