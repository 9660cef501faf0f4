"""From a log to an intent bundle's draft: the items' categories, the fit, its card.

Knows nothing of how a fit learns or of where bundles lie.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from domain.ids import hash64
from feature_store.listing import held_items
from feature_store.opening import open_store
from feature_store.store import Store
from feature_store.views.catalogue import VIEWS
from models.bundle import Draft
from models.intent.categories import category_code
from training.card import Facts, card
from training.fit.intent.run import Fitted, fit
from training.fit.intent.settings import IntentSettings
from training.logbook import Log, data_stamp, source_commit

USED = ("session",)
"""Views whose rules the sessions of a fit follow."""


async def read_categories(store: Store) -> dict[int, int]:
    """Answer item hash → code of its first category, of every item that has one."""
    out: dict[int, int] = {}
    async for items in held_items(store):
        out |= {hash64(one.item): category_code(one.categories[0])
                for one in items if one.categories}  # fmt: skip
    return out


def categories_from_env() -> dict[int, int]:
    """Read the categories from the store that the environment names.

    Raises StoreUnavailable or StoreMisconfigured.
    """

    async def read() -> dict[int, int]:
        store = await open_store()
        try:
            return await read_categories(store)
        finally:
            await store.close()

    return asyncio.run(read())


def fit_log(
    log: Log, chosen: Mapping[str, Any], now_ms: int, *, release: bool = True
) -> tuple[Fitted, IntentSettings]:
    """Fit intent on a loaded log, with the categories that items have now.

    Raises ScientistError, TooLittleData, and what opening the store raises.
    """
    settings = IntentSettings(**chosen)
    categories = categories_from_env()
    return fit(log.history, settings, now_ms, categories, release=release), settings


def draft_of(log: Log, fitted: Fitted, settings: IntentSettings, created_at: int) -> Draft:
    """Answer the draft of a fitted model."""
    model = fitted.model
    assert model is not None
    facts = Facts(
        family="intent",
        created_at=created_at,
        metrics=fitted.metrics,
        data=data_stamp(log.history, fitted.split),
        params=model.params(),
        settings={"fit": asdict(settings), "tuned": fitted.found, **model.definition},
        views={name: VIEWS[name].signature for name in USED},
        commit=source_commit(),
    )
    return Draft(
        **{name: getattr(facts, name) for name in Facts.__dataclass_fields__},
        arrays=model.arrays(),
        texts={"card.md": card(facts)},
        golden=fitted.golden,
    )
