"""Groups events into the calls of the append script: one a bucket, its entities in order.

Pure: bytes and names only. Knows nothing of sockets or replies.
"""

import struct
from collections.abc import Sequence

from domain.events import Event
from feature_store import keys
from feature_store.records import pack_payload, pack_record
from feature_store.store import SLACK, SPARE, StoreSettings

_length = struct.Struct("<I").pack
_settings = struct.Struct("<6q").pack


def pack_settings(settings: StoreSettings, now_ms: int) -> bytes:
    """Pack what every script that changes histories wants to know."""
    return _settings(settings.history_cap, SPARE, SLACK, settings.remember, settings.ttl_ms, now_ms)


def with_length(payload: bytes) -> bytes:
    """Put a payload's length before it, as it travels on a stream."""
    return _length(len(payload)) + payload


class BucketAppend:
    """One call of the append script: the events of one bucket, by entity.

    `places` holds, for each entity, the places of its events in the caller's list in the
    order they are sent. An event given twice is sent once: the second's place is not among
    them, since it is a duplicate whatever becomes of the first.
    """

    __slots__ = ("_groups", "bucket", "places")

    def __init__(self, bucket: int) -> None:
        self.bucket = bucket
        self.places: list[list[int]] = []
        self._groups: dict[str, list[tuple[int, bytes, bytes, int]]] = {}

    def add(self, entity: str, place: int, record: bytes, event: Event) -> None:
        """Take one event in."""
        packed = (event.at, record, pack_payload(event), place)
        group = self._groups.get(entity)
        if group is None:
            self._groups[entity] = [packed]
        else:
            group.append(packed)

    def call(self, settings: bytes) -> tuple[list[str], list[str | bytes | int]]:
        """Answer the script's keys and arguments."""
        bucket = self.bucket
        names = [keys.intake(bucket)]
        payloads: list[bytes] = []
        records: list[bytes] = []
        for entity, group in self._groups.items():
            names.append(keys.history(bucket, entity))
            names.append(keys.forgotten(bucket, entity))
            if entity[0] == "s":
                names.append(keys.link(bucket, entity))
            else:
                names.append(keys.profile(bucket, entity))
            if len(group) > 1:
                group = _in_order(group)
            for _, _, payload, _ in group:
                payloads.append(_length(len(payload)))
                payloads.append(payload)
            records.append(b"".join([row[1] for row in group]))
            self.places.append([row[3] for row in group])
        return names, [settings, b"".join(payloads), *records]


def _in_order(
    group: list[tuple[int, bytes, bytes, int]],
) -> list[tuple[int, bytes, bytes, int]]:
    """Answer the events in (at, event) order, the first of each id alone."""
    first: dict[bytes, tuple[int, bytes, bytes, int]] = {}
    for row in group:
        first.setdefault(row[1][8:16], row)
    # The id is an unsigned little-endian number: reversed, its bytes sort as the number does.
    return sorted(first.values(), key=lambda row: (row[0], row[1][15:7:-1]))


def group_events(events: Sequence[Event], settings: StoreSettings) -> list[BucketAppend]:
    """Group events by bucket and entity; see BucketAppend."""
    house = settings.house_currency
    buckets = settings.buckets
    groups: dict[int, BucketAppend] = {}
    for place, event in enumerate(events):
        entity = event.entity
        number = keys.bucket(entity, buckets)
        group = groups.get(number)
        if group is None:
            group = groups[number] = BucketAppend(number)
        group.add(entity, place, pack_record(event, house), event)
    return list(groups.values())
