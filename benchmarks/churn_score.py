"""The `churn-score` benchmark: one churn answer with reasons, on one core, customer by customer.

Timed from the history as it lies in memory to the finished answer: three views, features,
score, shares, survival at three horizons, value, band, reasons in words. Every customer of the
retail log in turn, so that no row is in the cache from the time before. Not timed: reading the
history from the store and writing JSON; the `latency` benchmark has those.
"""

import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.harness import Arguments, Outcome, at_most, medians
from benchmarks.replay import retail_events
from benchmarks.servers import cores, pinned
from benchmarks.sweep import LARGEST, model_of
from feature_store.history import History
from feature_store.records import EMPTY_LIFETIME
from feature_store.store import EntityState
from feature_store.views.catalogue import views_named
from models.churn.answer import ChurnDesk, Person, limits_around
from models.churn.features import VIEWS
from service.settling import settle_memory
from service.states import view_rows
from training.importing.presets.retail import ONLINE_RETAIL

RUNS = 5
BAR_MS = 1.0


def states_of(history: History) -> list[EntityState]:
    """Answer what a store would hold of every user, without lifetimes beyond the history."""
    states: list[EntityState] = []
    for place, name in enumerate(history.entities):
        if name[0] == "u":
            own = slice(history.offsets[place], history.offsets[place + 1])
            records = history.records[own].copy()
            records.flags.writeable = False
            states.append(EntityState(EMPTY_LIFETIME, records, None, True))
    return states


def once(desk: ChurnDesk, states: list[EntityState], as_of: int, cap: int) -> dict[str, float]:
    """Time one answer for each state; answer the figures in milliseconds."""
    views, person = views_named(VIEWS), Person()
    times = np.empty((2, len(states)))
    for place, state in enumerate(states):
        begun, worked = time.perf_counter(), time.thread_time()
        desk.answers(view_rows(views, [state], [as_of], cap), [person])
        times[:, place] = time.perf_counter() - begun, time.thread_time() - worked
    p50, p99 = np.percentile(1e3 * times, [50, 99], axis=1)
    return {
        "score_p50_ms": float(p50[0]),
        "score_p99_ms": float(p99[0]),
        "score_cpu_p50_ms": float(p50[1]),
        "score_cpu_p99_ms": float(p99[1]),
        "answers_per_second": len(states) / float(times[0].sum()),
    }


def run(arguments: Arguments) -> Outcome:
    """Run the benchmark; raises TooLittleData without the retail log."""
    folder = arguments.need("online-retail")
    with tempfile.TemporaryDirectory() as scratch, pinned(cores()[0]):
        events = retail_events(folder, Path(scratch))
        history = History.from_events(events, house_currency=ONLINE_RETAIL.currency)
        desk = ChurnDesk(model_of(history), limits_around(0.5))
        states = states_of(history)
        as_of = int(history.records["at"].max()) + 1
        once(desk, states[:200], as_of, history.cap)
        settle_memory()
        rounds = [
            once(desk, states, as_of, history.cap) for _ in range(arguments.runs or RUNS)
        ]  # fmt: skip
        figures = medians(rounds) | {"customers": float(len(states))}
    notes = [
        "one core, compiled before, memory settled as in a worker; medians of the runs; "
        "the figures with cpu leave out what other processes took of the core",
        f"{LARGEST.trees} trees of {LARGEST.leaves} leaves, a line, a hazard over eight intervals",
    ]
    return Outcome(figures, [at_most("score_p99_ms", figures, BAR_MS)], notes)
