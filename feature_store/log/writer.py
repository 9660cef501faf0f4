"""The log writer: moves the streams to Parquet files and keeps the trends, until told to stop.

May be killed at any byte: what is on disk decides where the next one begins. Only one runs at
a time. Knows nothing of how a stream is read.
"""

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from domain.clock import SECOND_MS, Clock, system_clock
from domain.errors import StoreUnavailable
from domain.ids import hash64
from feature_store.log import decisions, events
from feature_store.log.channel import Channel
from feature_store.log.files import Step, no_step, parse_id
from feature_store.log.latest import latest_rows
from feature_store.log.notes import open_notes
from feature_store.records import PAYLOAD_FIELDS, RECORD, Records, unpack_payload
from feature_store.redis.streams import Streams as RedisStreams
from feature_store.segment_trends import BLOB_NAME as SEGMENTS_BLOB
from feature_store.segment_trends import SegmentTally, SegmentTrends
from feature_store.segment_trends import pack as pack_segments
from feature_store.segment_trends import parse as parse_segments
from feature_store.settings import Home
from feature_store.store import DecisionEntry, StoreSettings, StreamEntry
from feature_store.trends import BLOB_NAME, Counted, Tally, Trends, pack, parse

if TYPE_CHECKING:
    from feature_store.log.segmenting import Segmenting

_LOG = logging.getLogger(__name__)
_ITEM = PAYLOAD_FIELDS.index("item")
_ENTITY = PAYLOAD_FIELDS.index("entity")
_hash = lru_cache(maxsize=65_536)(hash64)


SEGMENTS_MS = 5 * SECOND_MS
REMEMBERED = 300_000
"""Rows of the latest files that tell a new writer who has counted for trends."""


class Streams(Protocol):
    """What the writer needs of a store; `feature_store.redis.streams` has it."""

    settings: StoreSettings

    def read(self, bucket: int, after_id: str, count: int) -> list[StreamEntry]:
        """Answer up to `count` entries after `after_id`, in order."""
        ...

    def read_new(self, after_ids: Mapping[int, str], count: int) -> dict[int, list[StreamEntry]]:
        """Answer up to `count` entries of each bucket after its id, in one round trip."""
        ...

    def trim(self, bucket: int, up_to_id: str) -> object:
        """Remove the entries up to and including `up_to_id`."""
        ...

    def read_decisions(self, bucket: int, after_id: str, count: int) -> list[DecisionEntry]:
        """Answer up to `count` entries of decisions after `after_id`, in order."""
        ...

    def read_new_decisions(
        self, after_ids: Mapping[int, str], count: int
    ) -> dict[int, list[DecisionEntry]]:
        """Answer up to `count` entries of decisions of each bucket, in one round trip."""
        ...

    def trim_decisions(self, bucket: int, up_to_id: str) -> object:
        """Remove the entries of decisions up to and including `up_to_id`."""
        ...

    def get_blob(self, name: str) -> bytes | None:
        """Answer a small named value."""
        ...

    def put_blob(self, name: str, value: bytes) -> object:
        """Replace a small named value."""
        ...


@dataclass(slots=True, frozen=True)
class WriterSettings:
    """When rows become files.

    rows: a bucket is written when it holds this many. age_ms: or when the oldest it holds has
    waited so long. held: or, the fullest first, when all buckets together hold this many.
    publish_ms: trends are published at most so often. pause_s: the wait when nothing is new;
    retry_s: after the store or the disk refused.
    """

    rows: int = 20_000
    age_ms: int = 30 * SECOND_MS
    held: int = 200_000
    publish_ms: int = SECOND_MS
    pause_s: float = 0.5
    retry_s: float = 2.0


class Writer:
    """One run of the writer; make it only while holding the lock (see feature_store.log.drain)."""

    def __init__(
        self,
        streams: Streams,
        log: Path,
        decision_log: Path,
        buckets: int,
        clock: Clock,
        settings: WriterSettings | None = None,
        *,
        who: "Segmenting | None" = None,
        step: Step = no_step,
    ) -> None:
        """who: tells segments, for trends by segment; None counts none."""
        self._streams = streams
        self._who = who
        self._by_segment = SegmentTally({} if who is None else _stored_by_segment(streams))
        self._segments_changed, self._segments_published = False, 0
        self._clock = clock
        self._settings = settings or WriterSettings()
        stored = _stored_trends(streams)
        self._tally = Tally(stored)
        self._changed = False
        # Trends of before people were counted have nobody: all count as they come back.
        self._reminded = stored.people is None or not np.any(stored.people > 0)
        self._published = 0
        self.events = Channel(
            root=log,
            buckets=buckets,
            schema=events.SCHEMA,
            options=events.WRITE_OPTIONS,
            read=streams.read,
            read_new=streams.read_new,
            trim=streams.trim,
            rows_of=lambda entry: len(entry.payloads),
            table_of=events.table_of_entries,
            on_entries=self._count,
            before_write=self._publish,
            step=step,
        )
        self.decisions = Channel(
            root=decision_log,
            buckets=buckets,
            schema=decisions.SCHEMA,
            options=decisions.WRITE_OPTIONS,
            read=streams.read_decisions,
            read_new=streams.read_new_decisions,
            trim=streams.trim_decisions,
            rows_of=lambda entry: len(entry.decisions),
            table_of=decisions.table_of_entries,
            step=step,
        )
        self.events.recover()
        self.decisions.recover()

    def _count(self, bucket: int, entries: list[StreamEntry]) -> None:
        """Take what trends have not yet counted of a bucket."""
        if not self._reminded:
            self._remind()
        counted = self._tally.positions.get(bucket, (0, 0))
        known = [entry for entry in entries if parse_id(entry.stream_id) <= counted]
        if known:
            records, items, people = _arrays(known)
            self._tally.remember(records["item"], records["kind"], records["at"], people)
        if len(known) == len(entries):
            return
        records, items, people = _arrays(entries[len(known) :])
        found = self._tally.add(items, records["kind"], records["at"], people)
        self._tally.positions[bucket] = parse_id(entries[-1].stream_id)
        if found is not None:
            self._changed = True
            self._count_segments(found, entries[len(known) :])

    def _count_segments(self, counted: Counted, entries: list[StreamEntry]) -> None:
        """Count for segments what counted for the whole; of whom nothing is known, nothing."""
        if self._who is None:
            return
        try:
            if self._who.look():
                self._by_segment.keep(self._who.keys)
                self._segments_changed = True
            if not self._who.keys:
                return
            texts = [text for entry in entries for text in entry.payloads]
            people = [unpack_payload(texts[row])[_ENTITY] for row in counted.rows]
            known = self._who.of(people)
        except StoreUnavailable:
            # The whole has counted them: trends go on without their segments.
            return
        told = [known.get(one, ()) for one in people]
        self._segments_changed |= self._by_segment.add(counted, told)

    def _remind(self) -> None:
        """Learn from the latest files who has counted, that a new writer counts nobody twice."""
        self._reminded = True
        if self._tally.positions:
            for rows in latest_rows(self.events.root, REMEMBERED):
                self._tally.remember(*rows)

    def _publish(self) -> None:
        """Publish the trends when they changed since they were last published; those of segments
        no more often than every few seconds."""
        if self._changed:
            self._streams.put_blob(BLOB_NAME, pack(self._tally.snapshot()))
            self._changed = False
            self._published = self._clock()
        if self._segments_changed and self._clock() - self._segments_published >= SEGMENTS_MS:
            self._streams.put_blob(SEGMENTS_BLOB, pack_segments(self._by_segment.snapshot()))
            self._segments_changed, self._segments_published = False, self._clock()

    def turn(self) -> bool:
        """Read on in every bucket and write what is due; tell whether there may be more to read.

        Raises StoreUnavailable or OSError; the next turn goes on where this one stopped.
        """
        settings = self._settings
        more = False
        for channel in (self.events, self.decisions):
            # When nothing is new this is all that is asked of the store.
            busy = channel.glance(self._clock())
            self._relieve(channel)
            for bucket in busy:
                more |= channel.read_bucket(bucket, self._clock())
                self._relieve(channel)
            for bucket in list(channel.due(settings.rows, self._clock() - settings.age_ms)):
                channel.flush(bucket)
        if self._clock() - self._published >= settings.publish_ms:
            self._publish()
        return more

    def _relieve(self, channel: Channel[Any]) -> None:
        """Write the fullest buckets while all together hold too much."""
        while channel.pending_rows >= self._settings.held:
            channel.flush(channel.largest())

    def flush(self) -> None:
        """Write everything that is held, however little."""
        for channel in (self.events, self.decisions):
            for bucket in list(channel.due(0, self._clock())):
                channel.flush(bucket)
        self._publish()

    def drain(self) -> None:
        """Write everything that is on the streams now."""
        while self.turn():
            pass
        self.flush()

    def run(self, stopped: Callable[[], bool], sleep: Callable[[float], object]) -> None:
        """Work until `stopped`, then write what is held; outages are waited out.

        Whoever wants everything on disk now leaves a note (see feature_store.log.drain).
        """
        while not stopped():
            try:
                if notes := open_notes(self.events.root):
                    self.drain()
                    for note in notes:
                        note.unlink(missing_ok=True)
                elif not self.turn():
                    sleep(self._settings.pause_s)
            except (StoreUnavailable, OSError) as error:
                _LOG.warning("the log waits: %s", type(error).__name__)
                sleep(self._settings.retry_s)
        try:
            self.flush()
        except (StoreUnavailable, OSError) as error:
            _LOG.warning("the next writer goes on from the streams: %s", type(error).__name__)


def _arrays(
    entries: list[StreamEntry],
) -> tuple[Records, list[str], npt.NDArray[np.uint64]]:
    """Answer the records of entries, their items, and whose they are as hashes."""
    records = np.frombuffer(b"".join(entry.records for entry in entries), RECORD)
    texts = [unpack_payload(text) for entry in entries for text in entry.payloads]
    people = np.array([_hash(one[_ENTITY]) for one in texts], np.uint64)
    return records, [one[_ITEM] for one in texts], people


def _stored_trends(streams: Streams) -> Trends:
    try:
        return parse(streams.get_blob(BLOB_NAME))
    except ValueError:
        _LOG.warning("the stored trends are unreadable; counting starts afresh")
        return parse(None)


def _stored_by_segment(streams: Streams) -> SegmentTrends:
    try:
        return parse_segments(streams.get_blob(SEGMENTS_BLOB))
    except ValueError:
        _LOG.warning("the stored trends of segments are unreadable; counting starts afresh")
        return {}


def writer_for(streams: RedisStreams, home: Home, settings: WriterSettings | None = None) -> Writer:
    """Build the writer of a deployment's store and home; who never answered is counted in
    segments as the environment says."""
    buckets = streams.settings.buckets
    unanswered = os.environ.get("SANDERLING_CONSENT", "opt-out") == "opt-out"
    # Views come with the compiler, for which commands that only ask need not wait.
    from feature_store.log.segmenting import Segmenting

    who = Segmenting(streams, system_clock, unanswered)
    return Writer(streams, home.log, home.decisions, buckets, system_clock, settings, who=who)
