"""The store over a server: appends, reads, identification, profiles, blobs, decisions.

Items are in `feature_store.redis.items`, the shared reads in `reading`. Knows nothing of how
the server is reached (`connection`, `cluster`, `embedded`).
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from domain.clock import Clock, system_clock
from domain.decisions import Decision
from domain.errors import CallerError, StoreUnavailable
from domain.events import Event
from domain.ids import session_entity, user_entity
from domain.items import Item
from domain.scores import Score
from domain.users import Profile
from feature_store import keys
from feature_store.budgets import Budgets
from feature_store.campaigns import CampaignBook
from feature_store.chosen import ChosenAnswers
from feature_store.profiles import merge_profile
from feature_store.records import pack_link
from feature_store.redis import script_files as scripts
from feature_store.redis.budgets import RedisBudgets
from feature_store.redis.campaigns import RedisCampaigns
from feature_store.redis.chosen import RedisChosen
from feature_store.redis.codec import decisions_to_json, profile_from_json, profile_to_json
from feature_store.redis.grouping import group_events, pack_settings, with_length
from feature_store.redis.items import Items
from feature_store.redis.reading import Reads
from feature_store.redis.server import Call, Server
from feature_store.redis.shown import RedisShown
from feature_store.scores import pack_scores
from feature_store.shown import ShownBids
from feature_store.store import (
    Appended,
    DeletedPage,
    EditBlob,
    EditItems,
    ItemChange,
    ItemPage,
    Known,
    Read,
    StoreSettings,
)

_LINK_HOPS = 3
_FOR_EVER = ""
"""In place of a time to live."""
_PATCH_TRIES = 200
MOST_ENTRIES = 4_096
"""About how many unread entries a bucket's stream of decisions may hold: unlike events,
decisions nobody collects are let go, oldest first, rather than fill the memory. An entry
holds what one worker answered within some 50 milliseconds."""


class RedisStore:
    """The store protocol over Redis or Valkey; see feature_store.store.Store."""

    def __init__(
        self,
        server: Server,
        settings: StoreSettings,
        clock: Clock = system_clock,
        on_close: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.settings = settings
        self._server = server
        self._clock = clock
        self._on_close = on_close
        self._reads = Reads(server, settings, self._finish_link)
        self._items = Items(server)
        self.campaigns: CampaignBook = RedisCampaigns(server)
        self.budgets: Budgets = RedisBudgets(server)
        self.shown: ShownBids = RedisShown(server, settings.buckets)
        self.chosen: ChosenAnswers = RedisChosen(server, settings.buckets)

    async def append(self, events: Sequence[Event], now_ms: int) -> list[Appended]:
        answers = [Appended.duplicate] * len(events)
        await self._append(list(events), list(range(len(events))), answers, now_ms, _LINK_HOPS)
        return answers

    async def _append(
        self,
        events: list[Event],
        places: list[int],
        answers: list[Appended],
        now_ms: int,
        hops: int,
    ) -> None:
        groups = group_events(events, self.settings)
        packed = pack_settings(self.settings, now_ms)
        replies = await self._server.run(scripts.APPEND, [group.call(packed) for group in groups])
        redirected: dict[str, list[int]] = {}
        for group, reply in zip(groups, replies, strict=True):
            if reply == 1:
                for sent in group.places:
                    for place in sent:
                        answers[places[place]] = Appended.accepted
                continue
            for sent, marks in zip(group.places, reply, strict=True):
                if marks[:1] == b"L":
                    redirected.setdefault(marks[1:].decode(), []).extend(sent)
                    continue
                for place, mark in zip(sent, marks, strict=True):
                    if mark == 49:
                        answers[places[place]] = Appended.accepted
        if redirected:
            await self._append_linked(events, places, answers, now_ms, redirected, hops)

    async def _append_linked(
        self,
        events: list[Event],
        places: list[int],
        answers: list[Appended],
        now_ms: int,
        redirected: dict[str, list[int]],
        hops: int,
    ) -> None:
        """Append again, to their users, the events of sessions that were identified."""
        if hops == 0:
            raise StoreUnavailable("a link points to a link: identify sessions as users only")
        again: list[Event] = []
        where: list[int] = []
        for link, sent in redirected.items():
            user = link[1:]
            if link[0] == "0":
                await self._finish_link(events[sent[0]].entity, user)
            for place in sent:
                event = events[place]
                again.append(event._replace(entity=user, session=event.entity[1:]))
                where.append(places[place])
        await self._append(again, where, answers, now_ms, hops - 1)

    async def read(self, entities: Sequence[str], within_s: float | None = None) -> Read:
        return await self._reads.read(entities, within_s)

    async def identify(self, session: str, user: str, now_ms: int) -> int:
        return await self._carry(session_entity(session), user_entity(user), now_ms)

    async def _finish_link(self, session: str, user: str) -> int:
        """Complete a link whose maker did not come to the end."""
        return await self._carry(session, user, self._clock())

    async def _carry(self, session: str, user: str, now_ms: int) -> int:
        """Link, carry, finish: each step may be repeated, and any order of crashes mends."""
        ttl = self.settings.ttl_ms
        home = keys.bucket(session, self.settings.buckets)
        names = [
            keys.link(home, session),
            keys.history(home, session),
            keys.forgotten(home, session),
            keys.scores(home, session),
        ]
        answer = (await self._server.run(scripts.LINK, [(names, [user, ttl, ""])]))[0]
        if answer[0] == b"other":
            raise CallerError(
                "the session belongs to another user", field="session", code="already_identified"
            )
        if answer[0] == b"done":
            return 0
        record, payload = pack_link(session[1:], user[1:], now_ms)
        bucket = keys.bucket(user, self.settings.buckets)
        carried = await self._server.run(
            scripts.CARRY,
            [
                (
                    [
                        keys.history(bucket, user),
                        keys.forgotten(bucket, user),
                        keys.profile(bucket, user),
                        keys.carried(bucket, session),
                        keys.intake(bucket),
                    ],
                    [
                        pack_settings(self.settings, now_ms),
                        answer[1],
                        answer[2],
                        record,
                        with_length(payload),
                    ],
                )
            ],
        )
        await self._server.run(scripts.LINK, [(names, [user, ttl, "finish"])])
        return int(carried[0])

    async def put_profile(self, user: str, profile: Profile) -> None:
        text = profile_to_json(profile)
        await self._server.call("SET", self._profile_key(user), text, "PX", self.settings.ttl_ms)

    async def patch_profile(
        self,
        user: str,
        now_ms: int,
        attributes: dict[str, Any] | None = None,
        consent: dict[str, bool | None] | None = None,
        test: bool | None = None,
    ) -> Profile:
        name = self._profile_key(user)
        held: bytes = await self._server.call("GET", name) or b""
        for _ in range(_PATCH_TRIES):
            before = profile_from_json(held) if held else Profile()
            after = merge_profile(before, now_ms, attributes, consent, test)
            args = [held, profile_to_json(after), self.settings.ttl_ms]
            now_held = (await self._server.run(scripts.COMPARE_AND_SET, [([name], args)]))[0]
            if not now_held:
                return after
            # Somebody else was faster: merge into what they wrote.
            held = now_held
        raise StoreUnavailable("too many changes of one profile at once")

    async def read_profiles(self, users: Sequence[str]) -> list[Known]:
        return await self._reads.profiles([user_entity(user) for user in users])

    async def put_scores(self, scores: Mapping[str, Mapping[str, Score]]) -> int:
        ttl, buckets = self.settings.scores_ttl_ms, self.settings.buckets
        calls: list[Call] = []
        for entity, given in scores.items():
            bucket = keys.bucket(entity, buckets)
            names = [keys.scores(bucket, entity), keys.link(bucket, entity)]
            calls.append((names, [pack_scores(given), ttl]))
        return sum(await self._server.run(scripts.PUT_SCORES, calls)) if calls else 0

    def _profile_key(self, user: str) -> str:
        entity = user_entity(user)
        return keys.profile(keys.bucket(entity, self.settings.buckets), entity)

    async def put_items(self, items: Sequence[Item]) -> int:
        return await self._items.put(items)

    async def edit_items(self, item_ids: Sequence[str], edit: EditItems) -> Sequence[Item]:
        return await self._items.edit(item_ids, edit)

    async def delete_items(self, item_ids: Sequence[str]) -> int:
        return await self._items.delete(item_ids)

    async def get_items(self, item_ids: Sequence[str]) -> list[Item | None]:
        return await self._items.get(item_ids)

    async def page_items(self, cursor: str, limit: int) -> ItemPage:
        return await self._items.page(cursor, limit)

    async def page_deleted(self, cursor: str, limit: int) -> DeletedPage:
        return await self._items.page_deleted(cursor, limit)

    async def item_changes(self, since_version: int) -> tuple[int, list[ItemChange] | None]:
        return await self._items.changes(since_version)

    async def log_decisions(self, decisions: Sequence[Decision]) -> None:
        if not decisions:
            return
        # One entry for all: nothing reads decisions by bucket, and an entry for each costs more
        # than the answers' own encoding.
        owner = decisions[0].entity or decisions[0].decision_id
        stream = keys.decisions(keys.bucket(owner, self.settings.buckets))
        text = decisions_to_json(list(decisions))
        await self._server.call("XADD", stream, "MAXLEN", "~", MOST_ENTRIES, "*", "d", text)

    async def get_blob(self, name: str) -> bytes | None:
        return await self._server.call("GET", keys.blob(name))

    async def put_blob(self, name: str, value: bytes) -> None:
        await self._server.call("SET", keys.blob(name), value)

    async def edit_blob(self, name: str, edit: EditBlob) -> bytes:
        place = keys.blob(name)
        held: bytes | None = await self._server.call("GET", place)
        for _ in range(_PATCH_TRIES):
            value = edit(held)
            call = ([place], [held or b"", value, _FOR_EVER])
            now_held = (await self._server.run(scripts.COMPARE_AND_SET, [call]))[0]
            if not now_held:
                return value
            held = now_held
        raise StoreUnavailable("too many changes of one value at once")

    async def ping(self) -> None:
        # On a cluster any node may answer a PING; a read shows that slots are served.
        await self._server.mget([keys.ITEMS_VERSION])

    async def close(self) -> None:
        await self._server.close()
        if self._on_close is not None:
            await self._on_close()
