"""Intent of every session in a file of events, as a Parquet file.

Columns: user, session (whichever the events name), started_at, at_event, events, probability,
confidence, as_of, target, horizon_hours, model, fallback. Only what happened up to the event
asked about is looked at. Knows nothing of the store or the log.
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from domain.clock import system_clock
from domain.errors import ScientistError
from domain.events import Event
from domain.ids import hash64
from feature_store.history import History
from models.families import load_scorer
from models.intent.categories import category_code
from models.intent.model import IntentModel
from models.intent.visit import add_renown
from training.desk import desk_from_env
from training.fit.intent.learner import answers_of
from training.fit.intent.sessions import cut, stream_of
from training.importing.checking import check_frame
from training.importing.mapping import Mapping, as_text
from training.importing.recognise import recognise
from training.importing.sources import Files, completed, event_frames
from training.score_log import chosen_bundle, moment_of, write_scores

CATEGORY_COLUMNS = ("category", "category_id", "categoryid", "categories")
"""Usual names of a column that tells an item's category."""


class Read(NamedTuple):
    """What a file holds: checked events, item hash → category code, rows that were refused."""

    events: list[Event]
    categories: dict[int, int]
    rejected: int


def read_events(path: Path, now_ms: int) -> Read:
    """Read a file of events with usual column names; see the import for those.

    Raises ScientistError when it cannot be read or holds no event.
    """
    if not path.is_file():
        raise ScientistError(f"no such file: {path.name}")
    files = Files((path,))
    names = files.names()

    def say(text: str) -> None:
        print(text, file=sys.stderr)

    mapping = completed(Mapping(columns={}), names, say)
    events: list[Event] = []
    rejected = 0
    with tempfile.TemporaryDirectory() as scratch:
        for source in event_frames(files, mapping, path.name, Path(scratch)):
            checked = check_frame(source.frame, now_ms)
            events += checked.events
            rejected += len(checked.rejected)
    if not events:
        raise ScientistError(f"{path.name} holds no event that can be used ({rejected:,} refused)")
    return Read(events, dict(_categories(files, names)), rejected)


def _categories(files: Files, names: list[str]) -> Iterator[tuple[int, int]]:
    found = {name.strip().lower(): name for name in names}
    column = next((found[name] for name in CATEGORY_COLUMNS if name in found), None)
    item = recognise(names).get("item")
    if column is None or item is None:
        return
    for _, frame in files.raw():
        pairs = zip(as_text(frame[item]), as_text(frame[column]), strict=True)
        for name, category in set(pairs):
            if name and category:
                yield hash64(name), category_code(category)


def scored(read: Read, model: IntentModel, at_event: int | None) -> pl.DataFrame:
    """Answer one row a session that has `at_event` events (None: after its last event).

    Renown is the model's own, as it would be served; categories the file does not tell are
    those the model knew at its fit.
    """
    history = History.from_events(read.events)
    stream = stream_of(history, read.categories)
    known = model.categories.of(stream.items)
    stream = stream._replace(categories=np.where(stream.categories, stream.categories, known))
    sessions = cut(stream, model.gap_ms)
    add_renown(sessions.items, sessions.categories, model.renown, sessions.echoes)
    found = answers_of(model, sessions)
    lengths = sessions.lengths
    places = sessions.offsets[1:] - 1 if at_event is None else sessions.offsets[:-1] + at_event - 1
    asked = lengths > 0 if at_event is None else lengths >= at_event
    names = {hash64(name): name for name in history.entities}
    owners = [names[one] for one in sessions.entities[asked].tolist()]
    rows = places[asked]
    columns: dict[str, Any] = {
        "user": [name[1:] if name[0] == "u" else None for name in owners],
        "session": [name[1:] if name[0] == "s" else None for name in owners],
        "started_at": sessions.starts[asked],
        "at_event": rows - sessions.offsets[:-1][asked] + 1,
        "events": lengths[asked],
        "probability": found.probability[rows],
        "confidence": found.confidence[rows],
        "as_of": sessions.ats[rows] + 1,
    }
    schema = {"user": pl.String, "session": pl.String}
    return pl.DataFrame(columns, schema_overrides=schema).with_columns(
        pl.lit(model.target).alias("target"), pl.lit(model.horizon_hours).alias("horizon_hours")
    )


def score(
    events: Path, at_event: int | None, out: Path, as_of: str | None, version: str | None
) -> int:
    """Score the sessions of a file with the deployment's model; answer how many were scored.

    as_of: events at or after it are not looked at. Raises ScientistError for a file or a place
    in sessions that cannot be asked about, OperatorError without a model.
    """
    if at_event is not None and at_event < 1:
        raise ScientistError("--at-event counts from 1")
    now = system_clock()
    until = moment_of(as_of, now)
    bundle = chosen_bundle(desk_from_env().family("intent"), version)
    model: Any = load_scorer(bundle)
    read = read_events(events, now)
    if until is not None:
        read = read._replace(events=[event for event in read.events if event.at < until])
    if not read.events:
        raise ScientistError(f"no event of {events.name} lies before --as-of")
    frame = scored(read, model, at_event)
    if not frame.height:
        raise ScientistError(f"no session of {events.name} has {at_event} events")
    if read.rejected:
        print(f"{read.rejected:,} rows of {events.name} were refused", file=sys.stderr)
    write_scores(frame, bundle, out)
    return frame.height
