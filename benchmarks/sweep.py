"""The `sweep` benchmark: everybody scored with reasons, ranked, banded and kept, on one core.

Histories are those of the retail log, each customer copied, with a model of the size that a fit
makes at most. Timed from the histories in memory to the pointer that readers follow: who is in
the population, replay of three views, score, shares, survival, value, reasons, bands, order, the
mapped table and Parquet. Not timed: reading the log, and what the store is asked and told; both
have figures of their own. Knows nothing of quality.
"""

import asyncio
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.harness import Arguments, Outcome, at_least, medians
from benchmarks.replay import retail_events, write_log
from benchmarks.servers import cores, pinned
from domain.clock import DAY_MS, system_clock
from domain.events import Event
from domain.ids import user_entity
from feature_store.history import History
from feature_store.opening import open_store
from feature_store.settings import Home
from feature_store.store import StoreSettings
from feature_store.sweeps.reading import Sweep
from feature_store.views.catalogue import VIEWS as ALL
from models.bundle import Bundle, Draft, open_bundle, write_bundle
from models.churn.features import VIEWS
from models.churn.model import ChurnModel
from training.fit.churn.hazard import fit_hazard
from training.fit.churn.judge import prospects_for
from training.fit.churn.learner import Recipe, Tuned, learn
from training.fit.churn.repute import Purchases
from training.fit.churn.run import assemble, build_table
from training.fit.churn.settings import ChurnSettings
from training.importing.presets.retail import ONLINE_RETAIL
from training.sweep.job import Job, Released, Wish
from training.sweep.people import READ, ask_people, cache_scores

COPIES = 12
RUNS = 5
BAR = 20_000
SETTINGS = ChurnSettings(horizon_days=60, active_days=400, attributes=False)
LARGEST = Recipe(max(SETTINGS.leaves), max(SETTINGS.trees), 0.02, 0.5)
"""The most that tuning may choose, both parts in use."""
STORE_USERS = 2_000
"""Users whose histories are poured into a store, to see what asking and telling it costs."""


def copied(history: History, copies: int) -> History:
    """Answer a history of `copies` of every user, under names of their own."""
    users = [place for place, name in enumerate(history.entities) if name[0] == "u"]
    spans = [slice(history.offsets[place], history.offsets[place + 1]) for place in users]
    one = np.concatenate([history.records[span] for span in spans])
    sizes = np.array([span.stop - span.start for span in spans])
    names = [f"{history.entities[place]}-{copy}" for copy in range(copies) for place in users]
    offsets = np.concatenate([[0], np.cumsum(np.tile(sizes, copies))]).astype(np.int64)
    return History.from_ordered(names, np.tile(one, copies), offsets, cap=history.cap)


def model_of(history: History) -> ChurnModel:
    """Learn a model of the largest size from three cut-offs; how good it is plays no part."""
    end = int(history.records["at"].max())
    times = tuple(end - back * DAY_MS for back in (160, 110, 60))
    table = build_table(history, times, SETTINGS, {})
    prospects = prospects_for(history, table, np.ones(len(table), np.bool_), SETTINGS)
    x = table.x(prospects)
    parts = learn(x, table.y, Tuned(LARGEST), SETTINGS)
    watched = (end - table.as_of) / DAY_MS
    rng = np.random.default_rng(0)
    hazard = fit_hazard(x, table.waited, watched, SETTINGS.horizon_days, rng)
    repute = Purchases(history, SETTINGS.horizon_days).as_of(end)
    return assemble(parts, x, table, SETTINGS, prospects, hazard, repute=repute)


def bundle_of(model: ChurnModel, folder: Path) -> Bundle:
    """Answer the model as an opened bundle, as a sweep is given it."""
    draft = Draft(
        family="churn",
        created_at=system_clock(),
        arrays=model.arrays(),
        params=model.params(),
        views={name: ALL[name].signature for name in VIEWS},
    )
    return open_bundle(write_bundle(folder, draft).path)


def once(history: History, released: Released) -> tuple[dict[str, float], Sweep]:
    """Time one sweep; answer the figures and the sweep."""
    at: dict[str, float] = {}

    def step(name: str) -> None:
        at[name] = time.perf_counter()

    with tempfile.TemporaryDirectory() as folder:
        job = Job(
            root=Path(folder) / "churn",
            open_model=lambda version: released,
            load=lambda: history,
            labelled=lambda name: [],
            step=step,
        )
        begun = time.perf_counter()
        sweep = job.run(Wish())
        count = len(sweep.table)
        return {
            "users_per_second": count / (at["pointed"] - begun),
            "scoring_users_per_second": count / (at["part"] - at["planned"]),
            "finishing_ms": 1e3 * (at["pointed"] - at["part"]),
        }, sweep


def reading(events: list[Event], scratch: Path) -> dict[str, float]:
    """Time reading the log, by user in it."""
    log = scratch / "log"
    write_log(events, log, StoreSettings(house_currency=ONLINE_RETAIL.currency))
    begun = time.perf_counter()
    history = History.load(log)
    seconds = time.perf_counter() - begun
    users = sum(name[0] == "u" for name in history.entities)
    return {"reading_users_per_second": users / seconds}


def exchange(events: list[Event], sweep: Sweep, home: Home) -> dict[str, float]:
    """Time what the embedded store is asked before and told after, of users with histories."""
    users = list(dict.fromkeys(e.entity[1:] for e in events if e.entity[0] == "u"))[:STORE_USERS]
    wanted = {user_entity(user) for user in users}
    theirs = [event for event in events if event.entity in wanted]

    async def run() -> dict[str, float]:
        store = await open_store(StoreSettings(), home)
        try:
            for start in range(0, len(theirs), 5_000):
                await store.append(theirs[start : start + 5_000], system_clock())
            begun = time.perf_counter()
            await ask_people(store, users, unanswered=True)
            asked = time.perf_counter()
            for start in range(0, len(users), READ):
                await cache_scores(store, sweep, start)
            told = time.perf_counter()
        finally:
            await store.close()
        count = len(users)
        return {
            "consent_users_per_second": count / (asked - begun),
            "caching_users_per_second": count / (told - asked),
        }

    return asyncio.run(run())


def run(arguments: Arguments) -> Outcome:
    """Run the benchmark; raises TooLittleData without the retail log."""
    folder = arguments.need("online-retail")
    with tempfile.TemporaryDirectory() as scratch, pinned(cores()[0]):
        events = retail_events(folder, Path(scratch))
        history = History.from_events(events, house_currency=ONLINE_RETAIL.currency)
        model = model_of(history)
        bundle = bundle_of(model, Path(scratch) / "bundles")
        released = Released(bundle, ChurnModel.from_bundle(bundle))
        _, sweep = once(copied(history, 1), released)
        many = copied(history, COPIES)
        figures = medians([once(many, released)[0] for _ in range(arguments.runs or RUNS)])
        users = float(len(sweep.table))
        figures |= {
            "users": COPIES * users,
            "events_per_user": history.events / len(history.entities),
            "features": float(len(model.names)),
            **reading(events, Path(scratch)),
            **exchange(events, sweep, Home(Path(scratch) / "home")),
        }
    notes = [
        f"one core, compiled before; median of the runs; {LARGEST.trees} trees of "
        f"{LARGEST.leaves} leaves, a line, a hazard, {', '.join(SETTINGS.btyd)}",
        "every figure is of users a second; users_per_second goes from histories in memory to "
        "the pointer, the others are not part of it",
    ]
    return Outcome(figures, [at_least("users_per_second", figures, BAR)], notes)
