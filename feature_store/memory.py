"""The store protocol in plain Python: for tests, dry runs, and as the naive oracle.

Nothing outlives the object, nothing expires. One event loop; no two calls interleave, since
none of them waits.
"""

import bisect
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from domain.clock import DAY_MS, Clock, system_clock
from domain.decisions import Decision
from domain.errors import CallerError
from domain.events import Event
from domain.ids import bucket_of, session_entity, user_entity
from domain.items import Item
from domain.scores import Score
from domain.users import Profile
from feature_store.budgets import Budgets
from feature_store.campaigns import CampaignBook, MemoryCampaigns
from feature_store.chosen import ChosenAnswers, MemoryChosen
from feature_store.ledgers import MemoryBudgets
from feature_store.profiles import merge_profile
from feature_store.records import (
    EMPTY_LIFETIME,
    EMPTY_RECORDS,
    H_COUNT,
    H_FIRST,
    H_LAST,
    H_REFRESHED,
    H_VALUE,
    NO_FIRST,
    NO_LAST,
    RECORD,
    Lifetime,
    pack_link,
    pack_payload,
    pack_record,
)
from feature_store.scores import merge_scores, pack_scores, parse_scores
from feature_store.shown import MemoryShown, ShownBids
from feature_store.store import (
    SLACK,
    SPARE,
    Appended,
    DecisionEntry,
    DeletedPage,
    EditBlob,
    EditItems,
    EntityState,
    ItemChange,
    ItemPage,
    Known,
    Read,
    StoreSettings,
    StreamEntry,
)

_CHANGES_KEPT = 8_192


def _page_of_ids(ids: Iterable[str], cursor: str, limit: int) -> tuple[tuple[str, ...], str]:
    """Answer a page of ids in byte order after `cursor`, and the cursor after it."""
    after = cursor.encode()
    page = sorted(one for one in (item_id.encode() for item_id in ids) if one > after)[:limit]
    names = tuple(one.decode() for one in page)
    return names, names[-1] if len(names) == limit else ""


class _Entity:
    """One entity: its records as ((at, event), bytes) in order, and the ids it remembers."""

    def __init__(self, now_ms: int) -> None:
        self.lifetime: Lifetime = EMPTY_LIFETIME.copy()
        self.lifetime[H_REFRESHED] = now_ms
        self.rows: list[tuple[tuple[int, int], bytes]] = []
        self.gone: list[int] = []

    def holds(self, event_hash: int) -> bool:
        return event_hash in self.gone or any(key[1] == event_hash for key, _ in self.rows)

    def insert(self, row: tuple[tuple[int, int], bytes], settings: StoreSettings) -> None:
        if self.gone and self.rows and row < self.rows[0]:
            self.gone.append(row[0][1])
        else:
            bisect.insort(self.rows, row)
        if len(self.rows) > settings.history_cap + SLACK:
            cut = len(self.rows) - settings.history_cap - SPARE
            self.gone += [key[1] for key, _ in self.rows[:cut]]
            del self.rows[:cut]
        del self.gone[: -settings.remember]

    def count(self, record: bytes, times: int = 1) -> None:
        row = np.frombuffer(record, RECORD)[0]
        self.lifetime[H_COUNT + row["kind"]] += times
        if row["currency"] == 0:
            total = int(self.lifetime[H_VALUE + row["kind"]]) + times * int(row["value"])
            self.lifetime[H_VALUE + row["kind"]] = max(NO_LAST, min(NO_FIRST, total))

    def see(self, first: int, last: int) -> None:
        self.lifetime[H_FIRST] = min(self.lifetime[H_FIRST], first)
        self.lifetime[H_LAST] = max(self.lifetime[H_LAST], last)


class MemoryStore:
    """The store protocol in memory; see feature_store.store.Store.

    `streams[bucket]` and `decision_streams[bucket]` hold what a server's streams would.
    """

    def __init__(self, settings: StoreSettings | None = None, clock: Clock = system_clock) -> None:
        """`clock` is that of money and of what was shown; everything else is told the time."""
        self.settings = settings or StoreSettings()
        self.campaigns: CampaignBook = MemoryCampaigns()
        self.budgets: Budgets = MemoryBudgets(clock)
        self.shown: ShownBids = MemoryShown(clock)
        self.chosen: ChosenAnswers = MemoryChosen(clock)
        self.streams: dict[int, list[StreamEntry]] = defaultdict(list)
        self.decision_streams: dict[int, list[DecisionEntry]] = defaultdict(list)
        self._entities: dict[str, _Entity] = {}
        self._profiles: dict[str, Profile] = {}
        self._scores: dict[str, bytes] = {}
        self._links: dict[str, str] = {}
        self._items: dict[str, Item] = {}
        self._deleted: set[str] = set()
        self._items_version = 0
        self._changes: list[tuple[int, str]] = []
        self._dropped = 0
        self._blobs: dict[str, bytes] = {}
        self._stream_id = 0

    def _next_id(self) -> str:
        self._stream_id += 1
        return f"{self._stream_id}-0"

    async def append(self, events: Sequence[Event], now_ms: int) -> list[Appended]:
        return [self._append(event, now_ms) for event in events]

    def _append(self, event: Event, now_ms: int) -> Appended:
        user = self._links.get(event.entity)
        if user is not None:
            event = event._replace(entity=user, session=event.entity[1:])
        record = pack_record(event, self.settings.house_currency)
        key = (event.at, int.from_bytes(record[8:16], "little"))
        entity = self._entities.get(event.entity)
        if entity is None:
            entity = self._entities[event.entity] = _Entity(now_ms)
        if entity.holds(key[1]):
            return Appended.duplicate
        if now_ms - entity.lifetime[H_REFRESHED] > DAY_MS:
            entity.lifetime[H_REFRESHED] = now_ms
        entity.insert((key, record), self.settings)
        entity.count(record)
        entity.see(event.at, event.at)
        self._log(event.entity, record, pack_payload(event))
        return Appended.accepted

    def _log(self, entity: str, record: bytes, payload: bytes) -> None:
        bucket = bucket_of(entity, self.settings.buckets)
        self.streams[bucket].append(StreamEntry(self._next_id(), record, [payload]))

    async def read(self, entities: Sequence[str], within_s: float | None = None) -> Read:
        return Read(tuple(self._state(entity) for entity in entities), self._items_version)

    def _state(self, name: str) -> EntityState:
        user = self._links.get(name)
        if user is not None:
            return self._state(user)._replace(found=True, linked_user=user[1:])
        entity, profile = self._entities.get(name), self._profiles.get(name)
        scores = parse_scores(self._scores.get(name))
        if entity is None:
            found = profile is not None
            return EntityState(EMPTY_LIFETIME, EMPTY_RECORDS, profile, found, "", scores)
        records = np.frombuffer(b"".join(record for _, record in entity.rows), RECORD)
        return EntityState(entity.lifetime.copy(), records, profile, True, "", scores)

    async def identify(self, session: str, user: str, now_ms: int) -> int:
        source, target = session_entity(session), user_entity(user)
        known = self._links.get(source)
        if known is not None and known != target:
            raise CallerError(
                "the session belongs to another user", field="session", code="already_identified"
            )
        if known is not None:
            return 0
        self._links[source] = target
        self._scores.pop(source, None)
        self._log(target, *pack_link(session, user, now_ms))
        left = self._entities.pop(source, None)
        if left is None:
            return 0
        entity = self._entities.setdefault(target, _Entity(now_ms))
        fresh = [row for row in left.rows if not entity.holds(row[0][1])]
        for _, record in (row for row in left.rows if entity.holds(row[0][1])):
            left.count(record, -1)
        for row in fresh:
            entity.insert(row, self.settings)
        entity.gone = left.gone + entity.gone
        entity.lifetime[H_REFRESHED] = now_ms
        entity.see(int(left.lifetime[H_FIRST]), int(left.lifetime[H_LAST]))
        totals = entity.lifetime[H_COUNT:] + left.lifetime[H_COUNT:]
        entity.lifetime[H_COUNT:] = np.clip(totals, NO_LAST, NO_FIRST)
        return int(left.lifetime[H_COUNT:H_VALUE].sum())

    async def put_profile(self, user: str, profile: Profile) -> None:
        self._profiles[user_entity(user)] = profile

    async def patch_profile(
        self,
        user: str,
        now_ms: int,
        attributes: dict[str, Any] | None = None,
        consent: dict[str, bool | None] | None = None,
        test: bool | None = None,
    ) -> Profile:
        before = self._profiles.get(user_entity(user), Profile())
        after = merge_profile(before, now_ms, attributes, consent, test)
        self._profiles[user_entity(user)] = after
        return after

    async def read_profiles(self, users: Sequence[str]) -> list[Known]:
        entities = [user_entity(user) for user in users]
        return [
            Known(self._profiles.get(entity), parse_scores(self._scores.get(entity)))
            for entity in entities
        ]

    async def put_scores(self, scores: Mapping[str, Mapping[str, Score]]) -> int:
        packed = {entity: pack_scores(given) for entity, given in scores.items()}
        taken = 0
        for entity, given in packed.items():
            if entity not in self._links:
                merged, count = merge_scores(self._scores.get(entity, b""), given)
                self._scores[entity] = merged
                taken += count
        return taken

    async def put_items(self, items: Sequence[Item]) -> int:
        if items:
            self._items |= {item.item: item for item in items}
            self._deleted -= {item.item for item in items}
            self._changed([item.item for item in items])
        return self._items_version

    async def edit_items(self, item_ids: Sequence[str], edit: EditItems) -> Sequence[Item]:
        found = await self.get_items(item_ids)
        items = edit({item.item: item for item in found if item is not None})
        await self.put_items(items)
        return items

    async def delete_items(self, item_ids: Sequence[str]) -> int:
        gone = [item_id for item_id in dict.fromkeys(item_ids) if item_id in self._items]
        for item_id in gone:
            del self._items[item_id]
        if gone:
            self._deleted.update(gone)
            self._changed(gone)
        return len(gone)

    def _changed(self, item_ids: Sequence[str]) -> None:
        self._items_version += 1
        self._changes += [(self._items_version, item_id) for item_id in dict.fromkeys(item_ids)]
        excess = len(self._changes) - _CHANGES_KEPT
        if excess > 0:
            self._dropped = self._changes[excess - 1][0]
            del self._changes[:excess]

    async def get_items(self, item_ids: Sequence[str]) -> list[Item | None]:
        return [self._items.get(item_id) for item_id in item_ids]

    async def page_items(self, cursor: str, limit: int) -> ItemPage:
        names, cursor = _page_of_ids(self._items, cursor, limit)
        return ItemPage(tuple(self._items[name] for name in names), cursor)

    async def page_deleted(self, cursor: str, limit: int) -> DeletedPage:
        return DeletedPage(*_page_of_ids(self._deleted, cursor, limit))

    async def item_changes(self, since_version: int) -> tuple[int, list[ItemChange] | None]:
        if since_version > self._items_version or since_version < self._dropped:
            return self._items_version, None
        return self._items_version, [
            ItemChange(version, item_id, self._items.get(item_id))
            for version, item_id in self._changes
            if version > since_version
        ]

    async def log_decisions(self, decisions: Sequence[Decision]) -> None:
        if decisions:
            owner = decisions[0].entity or decisions[0].decision_id
            stream = self.decision_streams[bucket_of(owner, self.settings.buckets)]
            stream.append(DecisionEntry(self._next_id(), list(decisions)))

    async def get_blob(self, name: str) -> bytes | None:
        return self._blobs.get(name)

    async def put_blob(self, name: str, value: bytes) -> None:
        self._blobs[name] = value

    async def edit_blob(self, name: str, edit: EditBlob) -> bytes:
        value = self._blobs[name] = edit(self._blobs.get(name))
        return value

    async def ping(self) -> None:
        return None

    async def close(self) -> None:
        return None
