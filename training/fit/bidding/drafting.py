"""From a log to a bidding bundle's draft: bids read and replayed, the fit, its card.

Knows nothing of how a fit learns or of where bundles lie.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from feature_store.settings import settings_from_env
from feature_store.views.catalogue import VIEWS
from models.bidding.columns import VIEWS as USED
from models.bundle import Draft
from training.card import Facts, card
from training.fit.bidding.bids import read_bids
from training.fit.bidding.run import Fitted, fit_table
from training.fit.bidding.settings import BiddingSettings
from training.fit.bidding.table import notices_of, table_of
from training.logbook import Log, data_stamp, source_commit


def fit_log(
    log: Log, chosen: Mapping[str, Any], now_ms: int, *, release: bool = True
) -> tuple[Fitted, BiddingSettings]:
    """Fit bidding on a loaded log and the decisions beside it.

    Nothing after now_ms is looked at. Raises ScientistError and TooLittleData.
    """
    settings = BiddingSettings(**chosen)
    home = settings_from_env()[1]
    until = min(settings.until(int(log.history.records["at"].max(initial=0))), now_ms + 1)
    bids = read_bids(home.log, home.decisions, settings, until)
    table = table_of(bids, log.history, until)
    notices = notices_of(bids, settings.price_buckets)
    return fit_table(table, notices, settings, until, release=release), settings


def draft_of(log: Log, fitted: Fitted, settings: BiddingSettings, created_at: int) -> Draft:
    """Answer the draft of a fitted model."""
    model = fitted.model
    facts = Facts(
        family="bidding",
        created_at=created_at,
        metrics=fitted.metrics,
        data=data_stamp(log.history, fitted.split),
        params=model.params(),
        settings={"fit": asdict(settings), "tuned": fitted.found},
        views={name: VIEWS[name].signature for name in USED},
        commit=source_commit(),
    )
    return Draft(
        **{name: getattr(facts, name) for name in Facts.__dataclass_fields__},
        arrays=model.arrays(),
        texts={"card.md": card(facts)},
        golden=fitted.golden,
    )
