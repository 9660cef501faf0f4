"""`python -m training recommend`: the service's answers for many users at once, as Parquet.

Histories come from the store as it stands, or from the log as of an earlier time; consent is
asked of the store either way. Knows nothing of how an answer is made: see models.recommend.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from domain.clock import Clock, system_clock
from domain.errors import CallerError, ScientistError
from domain.events import parse_at
from domain.ids import is_valid_id, user_entity
from domain.slates import Slate, Source
from domain.users import Purpose, may_use
from feature_store import segments
from feature_store.history import History
from feature_store.listing import deleted_items, held_items
from feature_store.membership import Named, member_of, named_of
from feature_store.opening import open_store
from feature_store.segment_trends import BLOB_NAME as SEGMENTS_BLOB
from feature_store.segment_trends import parse as parse_by_segment
from feature_store.segments import parse as parse_segments
from feature_store.settings import Home, settings_from_env
from feature_store.store import EntityState, Store
from feature_store.trends import BLOB_NAME, parse
from feature_store.views.purchases import standing
from models.bundle import current_bundle, open_bundle
from models.families import load_scorer
from models.recommend.ask import NOBODY, Ask, Asker, Origin, moment, remembered
from models.recommend.catalogue import Catalogue
from models.recommend.desk import Desk
from models.recommend.policy import recommend
from models.recommend.segments import parts_of
from training.batch_asking import add_controls, ask_of, everybody, option_of

FAMILY = "recommend"
TOGETHER = 256
"""Users read from the store in one call."""
SOURCE = pa.struct(
    [
        ("member", pa.string()),
        ("share", pa.float64()),
        ("because", pa.list_(pa.string())),
        ("text", pa.string()),
    ]
)
COLUMNS = pa.schema(
    [
        ("user", pa.string()),
        ("rank", pa.int16()),
        ("item", pa.string()),
        ("score", pa.float64()),
        ("fallback", pa.dictionary(pa.int8(), pa.string())),
        ("model", pa.dictionary(pa.int8(), pa.string())),
        ("as_of", pa.int64()),
        ("sources", pa.list_(SOURCE)),
        ("note", pa.dictionary(pa.int8(), pa.string())),
    ]
)
"""One row a place, rank from 1; `fallback` null for a personal place; `as_of` in ms UTC.

`sources`: the members that proposed the item, strongest first; `because` (ids of the history)
and `text` are null unless reasons were asked for. `note`: `pinned` for what the question put
there, `unknown` or `not_showable` for an item of --items that could not be ranked, else null.
"""

EPILOG = """\
FILE is text (one user a line), CSV with a column called user (else its first), or Parquet.
Users nobody has heard of, or who refused personalisation, get what everybody would get;
the column fallback says so.

examples:
  python -m training recommend --users users.txt --k 20 --out slates.parquet
  python -m training recommend --users users.csv --as-of 2024-05-01 --out may.parquet
  python -m training recommend --everybody --objective margin --cap attributes.seller=3 \\
      --pin summer-sale=1 --out mail.parquet
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the `recommend` command to the training command line."""
    parser = subparsers.add_parser(
        "recommend",
        help="write recommendations for many users",
        description="Write the answers that the service would give, for many users at once.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    whom = parser.add_mutually_exclusive_group(required=True)
    whom.add_argument("--users", type=Path, metavar="FILE", help="whom to recommend to")
    whom.add_argument("--everybody", action="store_true", help="every user the log names")
    add = parser.add_argument
    add("--out", type=Path, required=True, metavar="FILE.parquet", help="where the rows go")
    add("--as-of", help="answer from the log as of this time (default: the store, now)")
    add_controls(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the command; raises ScientistError for what the arguments or the files lack."""
    ask = ask_of(args)
    try:
        as_of = None if args.as_of is None else parse_at(args.as_of, system_clock())
    except CallerError as error:
        raise ScientistError(f"--{option_of(error.field)}: {error.message}") from error
    _, home, _ = settings_from_env()
    users, refused = (everybody(home.log, as_of), 0) if args.everybody else read_users(args.users)
    job = Batch(home, ask, as_of)
    print(asyncio.run(_carry_out(job, users, args.out)), file=sys.stderr)
    if refused:
        print(f"{refused:,} rows hold no valid user id and were left out", file=sys.stderr)
    return 0


def read_users(path: Path) -> tuple[list[str], int]:
    """Answer the users in a file, each once, in its order, and how many rows hold none.

    Raises ScientistError when the file cannot be read or names nobody.
    """
    try:
        if path.suffix in (".parquet", ".csv", ".tsv"):
            frame = (
                pl.read_parquet(path)
                if path.suffix == ".parquet"
                else pl.read_csv(
                    path, separator="\t" if path.suffix == ".tsv" else ",", infer_schema=False
                )
            )
            name = "user" if "user" in frame.columns else frame.columns[0]
            texts: Sequence[str | None] = frame[name].cast(pl.String).to_list()
        else:
            texts = [line.strip() for line in path.read_text("utf-8-sig").splitlines()]
            texts = [text for text in texts if text]
    except (OSError, UnicodeDecodeError, pl.exceptions.PolarsError) as error:
        raise ScientistError(f"{path.name} cannot be read as a file of users") from error
    users = dict.fromkeys(text for text in texts if text and is_valid_id(text))
    if not users:
        raise ScientistError(f"{path.name} names no user")
    return list(users), sum(not text or not is_valid_id(text) for text in texts)


@dataclass(slots=True, frozen=True)
class Batch:
    """What one run answers. `as_of` is ms UTC, None for now and the store's own histories."""

    home: Home
    ask: Ask
    as_of: int | None = None
    unanswered: bool = True
    clock: Clock = system_clock


async def _carry_out(job: Batch, users: Sequence[str], out: Path) -> str:
    consent = os.environ.get("SANDERLING_CONSENT", "opt-out")
    if consent not in ("opt-out", "opt-in"):
        raise ScientistError("SANDERLING_CONSENT is opt-out or opt-in")
    store = await open_store()
    try:
        job = replace(job, unanswered=consent == "opt-out")
        desk = await open_desk(store, job.home)
        with tqdm(total=len(users), unit=" users", file=sys.stderr) as bar:
            rows = await write_slates(job, store, desk, users, out, bar.update)
    finally:
        await store.close()
    return f"{rows:,} rows for {len(users):,} users in {out.name}, by {desk.name or 'no model'}"


async def open_desk(store: Store, home: Home) -> Desk:
    """Lay out what answers are made from: the released model, the store's items and trends."""
    path = current_bundle(home.bundles, FAMILY)
    if path is None:
        desk = Desk(Catalogue())
    else:
        bundle = open_bundle(path)
        model = load_scorer(bundle)
        name = f"{FAMILY}/{bundle.version}"
        desk = Desk(Catalogue(model.items, model.hashes), model, name)
    async for deleted in deleted_items(store):
        for item_id in deleted:
            desk.catalogue.delete(item_id)
    async for items in held_items(store):
        for item in items:
            desk.catalogue.put(item)
    trends = parse(await store.get_blob(BLOB_NAME))
    if trends.items:
        parts = parts_of(parse_by_segment(await store.get_blob(SEGMENTS_BLOB)))
        desk.show_trends(
            trends.items, trends.rising[0], trends.wanted, trends.deeds, trends.people, parts
        )
    return desk


async def write_slates(
    job: Batch,
    store: Store,
    desk: Desk,
    users: Sequence[str],
    out: Path,
    progress: Callable[[int], object],
) -> int:
    """Answer for every user and write all rows to `out`, all or nothing; answer how many."""
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(out.name + ".tmp")
    rows = 0
    try:
        with pq.ParquetWriter(partial, COLUMNS, compression="zstd") as writer:
            async for some, askers in _askers(job, store, desk, users):
                now = job.clock() if job.as_of is None else job.as_of
                table = _table(desk, job.ask, some, askers, now)
                writer.write_table(table)
                rows += table.num_rows
                progress(len(some))
        os.replace(partial, out)
    finally:
        partial.unlink(missing_ok=True)
    return rows


async def _askers(
    job: Batch, store: Store, desk: Desk, users: Sequence[str]
) -> AsyncIterator[tuple[list[str], list[Asker]]]:
    """Yield users together and what may be known of each."""
    past = None if job.as_of is None else _Log(History.load(job.home.log, until=job.as_of))
    cap = store.settings.history_cap
    named = await _counted(store, desk)
    for some in _together(users):
        read = await store.read([user_entity(user) for user in some])
        askers: list[Asker] = []
        for user, state in zip(some, read.states, strict=True):
            if not may_use(state.profile, Purpose.personalisation, unanswered=job.unanswered):
                askers.append(NOBODY)
            elif past is None or job.as_of is None:
                asker = _stored(state, cap)
                if named and not asker.ats.size:
                    told = member_of(named, state, job.clock(), cap, job.unanswered)
                    asker = asker._replace(segments=told)
                askers.append(asker)
            else:
                askers.append(past.asker(user, job.as_of, cap))
        yield some, askers


async def _counted(store: Store, desk: Desk) -> list[Named]:
    """Answer the segments that trends are counted of, ready to be judged."""
    if desk.segments is None:
        return []
    saved = parse_segments(await store.get_blob(segments.BLOB_NAME))
    counted = desk.segments.names
    return [one for one in named_of(saved, lambda why: None) if one.name in counted]


def _together(users: Sequence[str]) -> Iterator[list[str]]:
    rest = iter(users)
    while some := list(islice(rest, TOGETHER)):
        yield some


def _stored(state: EntityState, cap: int) -> Asker:
    records = standing(state.records, state.lifetime)
    return remembered(Origin.user, records["item"], records["kind"], records["at"], cap)


class _Log:
    """The log's histories by user."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._place = {entity: place for place, entity in enumerate(history.entities)}

    def asker(self, user: str, as_of: int, cap: int) -> Asker:
        """Answer what was known of `user` before `as_of`."""
        history = self._history
        entity = np.array([self._place.get(user_entity(user), -1)], np.int64)
        group = int(history.spans.group_at(entity, np.array([as_of], np.int64))[0])
        if group < 0:
            return NOBODY._replace(origin=Origin.user)
        records = history.records[history.offsets[group] : history.offsets[group + 1]]
        records = standing(records[: int(np.searchsorted(records["at"], as_of))])
        return remembered(Origin.user, records["item"], records["kind"], records["at"], cap)


def _table(
    desk: Desk, ask: Ask, users: Sequence[str], askers: Sequence[Asker], now: int
) -> pa.Table:
    moments = [moment(asker, now) for asker in askers]
    slates: list[Slate] = [
        recommend(desk, ask, asker, as_of) for asker, as_of in zip(askers, moments, strict=True)
    ]
    lengths = [len(slate.ids) for slate in slates]
    columns = [
        pa.array(np.repeat(np.array(users, object), lengths), pa.string()),
        pa.array([rank for length in lengths for rank in range(1, length + 1)], pa.int16()),
        pa.array([item for slate in slates for item in slate.ids], pa.string()),
        pa.array([score for slate in slates for score in slate.scores], pa.float64()),
        pa.array(
            [mark for slate in slates for mark in slate.marks], pa.string()
        ).dictionary_encode(),
        pa.array([desk.name or None] * sum(lengths), pa.string()).dictionary_encode(),
        pa.array(np.repeat(np.array(moments, np.int64), lengths), pa.int64()),
        _source_column([some for slate in slates for some in slate.sources]),
        pa.array(
            [note for slate in slates for note in _notes(slate)], pa.string()
        ).dictionary_encode(),
    ]
    return pa.table(columns, COLUMNS.names).cast(COLUMNS)


def _notes(slate: Slate) -> list[str | None]:
    """Answer what is to be said of each place that was not filled by its score."""
    notes: list[str | None] = [None] * len(slate.ids)
    if slate.aside is not None:
        for place in slate.aside.pinned:
            notes[place] = "pinned"
        notes[len(notes) - len(slate.aside.unranked) :] = slate.aside.unranked
    return notes


def _source_column(places: Sequence[tuple[Source, ...]]) -> pa.Array:
    """Lay out the sources of every place as a column of lists."""
    flat = [source for some in places for source in some]
    explained = [source.text != "" for source in flat]
    whys = [source.because if told else None for source, told in zip(flat, explained, strict=True)]
    texts = [source.text if told else None for source, told in zip(flat, explained, strict=True)]
    fields = [
        pa.array([source.member for source in flat], pa.string()),
        pa.array([source.share for source in flat], pa.float64()),
        pa.array(whys, pa.list_(pa.string())),
        pa.array(texts, pa.string()),
    ]
    offsets = pa.array(np.cumsum([0, *map(len, places)]), pa.int32())
    structs = pa.StructArray.from_arrays(fields, fields=list(SOURCE))
    return pa.ListArray.from_arrays(offsets, structs)
