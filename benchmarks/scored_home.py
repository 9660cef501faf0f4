"""A home with histories, a churn model and an intent model of the sizes that fits make at most.

Customers of the retail log and shoppers of the browsing log lie in the embedded store; models
are learned in a hurry, since how good they are costs no time. What the score benchmarks stand
on; knows nothing of what is then measured.
"""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.harness import Arguments
from benchmarks.replay import retail_events
from benchmarks.sweep import bundle_of, model_of
from domain.clock import system_clock
from domain.events import Event
from feature_store.history import History
from feature_store.opening import open_store
from feature_store.settings import Home
from models.bundle import Bundle, Draft, write_bundle
from models.bundle_pointers import point
from models.intent.model import IntentModel
from training.fit.intent.run import fit
from training.fit.intent.settings import IntentSettings
from training.importing.checking import check_frame
from training.importing.presets.retail import ONLINE_RETAIL
from training.importing.presets.taobao import TAOBAO_BEHAVIOUR
from training.importing.sources import preset_events

CUSTOMERS = 2_000
"""Retail customers in the store: more than are asked about in the time between two of one."""
HURRIED = IntentSettings(champion="blend", epochs=1, patience=1, rounds=10)
"""Both parts in use, the network of its usual size: the dearest answer there is."""
LEARNED = 300
"""Shoppers whose events intent is learned from."""
_POURED = 5_000


@dataclass(slots=True, frozen=True)
class ScoredHome:
    """A filled home. customers, shoppers: users with a history each."""

    home: Path
    customers: list[str]
    shoppers: list[str]


def shopper_events(folder: Path, scratch: Path) -> list[Event]:
    """Answer the events of the browsing log in the order of the file."""
    events: list[Event] = []
    for source in preset_events(TAOBAO_BEHAVIOUR, folder, scratch):
        events.extend(check_frame(source.frame, system_clock()).events)
    return events


def hurried_intent(events: list[Event]) -> IntentModel:
    """Learn an intent model of the usual size, hardly at all."""
    fitted = fit(History.from_events(events), HURRIED, system_clock())
    assert fitted.model is not None
    return fitted.model


def release(home: Path, bundle: Bundle) -> None:
    """Let a bundle under the home's bundles be the one that answers."""
    point(home / "bundles" / bundle.family, bundle.version, system_clock())


def _users(events: list[Event]) -> list[str]:
    return [e[1:] for e in dict.fromkeys(event.entity for event in events) if e[0] == "u"]


async def _pour(home: Path, events: list[Event]) -> None:
    store = await open_store(home=Home(home))
    try:
        for start in range(0, len(events), _POURED):
            await store.append(events[start : start + _POURED], system_clock())
    finally:
        await store.close()


@contextmanager
def scored_home(arguments: Arguments) -> Iterator[ScoredHome]:
    """Fill a fresh home; raises TooLittleData without both logs."""
    retail = arguments.need("online-retail")
    browsing = arguments.need("taobao-behaviour")
    with tempfile.TemporaryDirectory(prefix="scored-") as folder:
        scratch, home = Path(folder) / "scratch", Path(folder) / "home"
        scratch.mkdir()
        bought, browsed = retail_events(retail, scratch), shopper_events(browsing, scratch)
        history = History.from_events(bought, house_currency=ONLINE_RETAIL.currency)
        some = set(_users(browsed)[:LEARNED])
        churn = model_of(history)
        intent = hurried_intent([event for event in browsed if event.entity[1:] in some])
        release(home, bundle_of(churn, home / "bundles"))
        draft = Draft("intent", system_clock(), intent.arrays(), intent.params())
        release(home, write_bundle(home / "bundles", draft))
        rng = np.random.default_rng(0)
        customers = sorted(rng.permutation(_users(bought))[:CUSTOMERS].tolist())
        chosen = {"u" + user for user in customers}
        own = [event for event in bought if event.entity in chosen]
        asyncio.run(_pour(home, [*own, *browsed]))
        yield ScoredHome(home, customers, _users(browsed))
