"""The `parity` benchmark: what replay rebuilds from the log is what was served, bit for bit.

Whole public logs go through the real endpoint in shuffled batches with repeats, by several
clients at once. Then every view of every user and session is computed twice, from the live
store and from the Parquet log, and compared byte by byte. Knows nothing of speed.
"""

import asyncio
import http.client
import json
import random
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.harness import Arguments, Outcome, exactly
from benchmarks.servers import our_service
from domain.clock import DAY_MS, system_clock
from domain.errors import ScientistError
from domain.events import Event
from domain.money import MICROS
from feature_store.history import History
from feature_store.log.drain import drain_now
from feature_store.opening import open_store, open_streams
from feature_store.settings import Home
from feature_store.store import EntityState, StoreSettings
from feature_store.views import VIEWS
from training.importing.checking import check_frame
from training.importing.presets import Preset
from training.importing.presets.retail import ONLINE_RETAIL
from training.importing.presets.taobao import TAOBAO_BEHAVIOUR
from training.importing.sources import preset_events

DATASETS: dict[str, Preset] = {
    "taobao-behaviour": TAOBAO_BEHAVIOUR,
    "online-retail": ONLINE_RETAIL,
}
BATCH = 100
CLIENTS = 4
REPEATED = 0.05
SEED = 11
_READ = 256


class Compared(NamedTuple):
    """What a comparison saw: rows compared, rows that differ, events absent from the log."""

    rows: int
    mismatches: int
    lost: int


def load_events(preset: Preset, folder: Path) -> list[Event]:
    """Answer the events a preset makes of its folder."""
    with tempfile.TemporaryDirectory() as scratch:
        events: list[Event] = []
        for source in preset_events(preset, folder, Path(scratch)):
            events.extend(check_frame(source.frame, system_clock()).events)
        return events


def body(event: Event) -> dict[str, Any]:
    """Answer the JSON object that the endpoint turns into `event`."""
    known = event.entity[0] == "u"
    row: dict[str, Any] = {
        "event_id": event.event_id,
        "kind": event.kind.name,
        "at": event.at,
        "quantity": event.quantity,
        "user" if known else "session": event.entity[1:],
    }
    if known and event.session:
        row["session"] = event.session
    for name in ("item", "currency", "channel", "campaign", "decision_id"):
        if text := getattr(event, name):
            row[name] = text
    if event.value is not None:
        row["value"] = event.value / MICROS
    if event.properties:
        row["properties"] = json.loads(event.properties)
    return row


def shuffled_batches(events: Sequence[Event], seed: int = SEED) -> Iterator[tuple[Event, ...]]:
    """Yield the events in random order and batches, one in twenty of them a second time."""
    chance = random.Random(seed)
    sent = [*events, *chance.sample(list(events), round(len(events) * REPEATED))]
    chance.shuffle(sent)
    for start in range(0, len(sent), BATCH):
        yield tuple(sent[start : start + BATCH])


def feed(address: tuple[str, int], batches: Sequence[tuple[Event, ...]]) -> tuple[int, int]:
    """Post batches through several connections; answer (accepted, duplicates).

    Raises ScientistError when an answer is not 202 or rejects a row.
    """

    def post(part: Sequence[tuple[Event, ...]]) -> tuple[int, int]:
        link = http.client.HTTPConnection(*address, timeout=60)
        accepted = duplicates = 0
        for batch in part:
            text = json.dumps([body(event) for event in batch])
            link.request("POST", "/v1/events", text, {"Content-Type": "application/json"})
            answer = link.getresponse()
            told = json.loads(answer.read())
            if answer.status != 202 or told["rejected"]:
                raise ScientistError(f"a batch was answered with {answer.status}")
            accepted += told["accepted"]
            duplicates += told["duplicates"]
        link.close()
        return accepted, duplicates

    with ThreadPoolExecutor(CLIENTS) as pool:
        counts = list(pool.map(post, [batches[client::CLIENTS] for client in range(CLIENTS)]))
    return sum(a for a, _ in counts), sum(d for _, d in counts)


async def _states(
    settings: StoreSettings, home: Home, entities: Sequence[str]
) -> list[EntityState]:
    store = await open_store(settings, home)
    try:
        states: list[EntityState] = []
        for start in range(0, len(entities), _READ):
            states.extend((await store.read(entities[start : start + _READ])).states)
        return states
    finally:
        await store.close()


def differing(history: History, states: Sequence[EntityState], as_of: int) -> int:
    """Answer how many rows of all views differ between the live states and replay."""
    views = list(VIEWS.values())
    replayed = history.replay(views, [(entity, as_of) for entity in history.entities])
    return sum(
        view.row(state.lifetime, state.records, as_of, history.cap).tobytes()
        != replayed.views[view.name][place].tobytes()
        for place, state in enumerate(states)
        for view in views
    )


def compare(settings: StoreSettings, home: Home, events: Sequence[Event]) -> Compared:
    """Compare live and replayed rows as of now, of a day after the last event, and of its eve."""
    streams = open_streams(settings, home)
    try:
        drain_now(streams, home, 600.0)
    finally:
        streams.close()
    history = History.load(home.log, cap=settings.history_cap)
    states = asyncio.run(_states(settings, home, history.entities))
    last = max(event.at for event in events)
    times = (system_clock(), last + DAY_MS, last)
    wrong = sum(differing(history, states, as_of) for as_of in times)
    rows = len(times) * len(states) * len(VIEWS)
    return Compared(rows, wrong, len(events) - history.events)


def measure(preset: Preset, folder: Path) -> dict[str, float]:
    """Feed one log and compare; answer the figures."""
    events = load_events(preset, folder)
    settings = StoreSettings(house_currency=preset.currency)
    with tempfile.TemporaryDirectory(prefix="parity-") as root:
        home = Home(Path(root))
        extra = {"SANDERLING_CURRENCY": preset.currency}
        with our_service(home.root, None, extra) as service:
            accepted, duplicates = feed(service.address, list(shuffled_batches(events)))
            compared = compare(settings, home, events)
    return {
        "mismatches": float(compared.mismatches),
        "rows": float(compared.rows),
        "lost": float(compared.lost),
        "events": float(len(events)),
        "miscounted": float(accepted - len(events)),
        "duplicates": float(duplicates),
    }


def run(arguments: Arguments) -> Outcome:
    """Run the benchmark; raises TooLittleData when a log is not there."""
    names = [name for name in DATASETS if arguments.dataset in ("", name)]
    figures: dict[str, float] = {"mismatches": 0.0, "lost": 0.0, "miscounted": 0.0}
    for name in names:
        found = measure(DATASETS[name], arguments.need(name))
        for figure in ("mismatches", "lost", "miscounted"):
            figures[figure] += found[figure]
        prefix = name.replace("-", "_")
        figures |= {f"{prefix}_{figure}": value for figure, value in found.items()}
    bars = [exactly(name, figures, 0) for name in ("mismatches", "lost", "miscounted")]
    notes = [
        "every user and session, every view, byte by byte, as of three times: the last event, "
        "a day later, and now",
        f"{CLIENTS} clients, shuffled batches of {BATCH}, {REPEATED:.0%} sent twice",
    ]
    return Outcome(figures, bars, notes)
