"""Reads shared by neighbours: all reads waiting in one turn of the event loop are one MGET.

A session that was identified is followed to its user in a second round trip. Knows the
layout of histories and profiles, nothing of what they are used for.
"""

import asyncio
import copy
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from domain.errors import StoreMisconfigured, StoreUnavailable
from domain.users import Profile, Purpose
from feature_store import keys
from feature_store.records import EMPTY_LIFETIME, EMPTY_RECORDS, parse_history
from feature_store.redis.codec import profile_from_json
from feature_store.redis.server import Server
from feature_store.scores import parse_scores
from feature_store.store import EntityState, Known, Read, StoreSettings

NOTHING = EntityState(EMPTY_LIFETIME, EMPTY_RECORDS)
_MOST_KEYS = 1_536
"""Keys in one MGET: more would keep the server from others for too long."""

_FOREIGN = (
    "a {} in the store is not of this release's format: point REDIS_URL at another database, or "
    "empty this one and import the log again"
)

Finish = Callable[[str, str], Awaitable[object]]


def state_of(
    history: bytes | None, profile: bytes | None, scores: bytes | None = None
) -> EntityState:
    """Make sense of what the keys of an entity hold."""
    if history is None and profile is None:
        return NOTHING._replace(scores=parse_scores(scores)) if scores else NOTHING
    lifetime, records = EMPTY_LIFETIME, EMPTY_RECORDS
    if history is not None:
        try:
            lifetime, records = parse_history(history)
        except ValueError as error:
            raise StoreMisconfigured(_FOREIGN.format("history")) from error
    return EntityState(lifetime, records, _told(profile), True, "", parse_scores(scores))


def _told(profile: bytes | None) -> Profile | None:
    """Read a profile; one that cannot be read refuses every purpose."""
    if profile is None:
        return None
    try:
        return profile_from_json(profile)
    except (ValueError, TypeError, AttributeError):
        return Profile(consent=dict.fromkeys([purpose.value for purpose in Purpose], False))


def _user_of(link: bytes) -> str:
    """Answer the user's entity that a link names."""
    try:
        return link[1:].decode()
    except UnicodeDecodeError as error:
        raise StoreMisconfigured(_FOREIGN.format("link")) from error


class _Found(NamedTuple):
    """What a turn's round trips brought: states, and why there is none, by entity."""

    states: dict[str, EntityState]
    broken: dict[str, Exception]
    version: int


def _settle(future: asyncio.Future[Read], entities: Sequence[str], found: _Found) -> None:
    """Answer one request of a turn, or fail it when it asks for what cannot be read."""
    if found.broken:
        for entity in entities:
            if entity in found.broken:
                # Each waiter gets an error of its own.
                future.set_exception(copy.copy(found.broken[entity]))
                return
    states = found.states
    future.set_result(Read(tuple([states[entity] for entity in entities]), found.version))


_Waiting = list[tuple[Sequence[str], asyncio.Future[Read], float | None]]


def _watch(turn: asyncio.Task[None], waiting: _Waiting, spent_s: float = 0.0) -> None:
    """Fail the requests of a turn that is under way as their patience ends, the least first."""
    patience = min((within for _, _, within in waiting if within is not None), default=None)
    if patience is None:
        return

    def give_up() -> None:
        rest: _Waiting = []
        for asked in waiting:
            if asked[2] is None or asked[2] > patience:
                rest.append(asked)
            elif not asked[1].done():
                asked[1].set_exception(StoreUnavailable("the store did not answer in time"))
        _watch(turn, rest, patience)

    timer = asyncio.get_running_loop().call_later(patience - spent_s, give_up)
    turn.add_done_callback(lambda _: timer.cancel())


class Reads:
    """Collects the reads of a turn and answers them from one round trip."""

    def __init__(self, server: Server, settings: StoreSettings, finish_link: Finish) -> None:
        """`finish_link(session entity, user entity)` completes a link found half made."""
        self._server = server
        self._buckets = settings.buckets
        self._finish_link = finish_link
        self._waiting: _Waiting = []
        self._running: set[asyncio.Task[None]] = set()

    async def read(self, entities: Sequence[str], within_s: float | None = None) -> Read:
        """Answer what is remembered of `entities`, in order, and the catalogue's version.

        The reads of a turn share one timer as they share a round trip, for one each costs more
        than the read: it ends with the least patient of them, and is set anew for the others.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Read] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._start)
        self._waiting.append((entities, future, within_s))
        return await future

    def _start(self) -> None:
        waiting, self._waiting = self._waiting, []
        task = asyncio.get_running_loop().create_task(self._answer(waiting))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        _watch(task, waiting)

    async def _answer(self, waiting: _Waiting) -> None:
        try:
            wanted = list(dict.fromkeys(name for entities, _, _ in waiting for name in entities))
            found = await self._fetch(wanted)
            for entities, future, _ in waiting:
                if not future.done():
                    _settle(future, entities, found)
        except Exception as error:
            # Nobody waits for ever, whatever went wrong; each waiter gets an error of its own.
            for _, future, _ in waiting:
                if not future.done():
                    future.set_exception(copy.copy(error))

    async def _fetch(self, entities: list[str]) -> _Found:
        """Answer the state of each entity, links followed, and the catalogue's version."""
        names = [keys.ITEMS_VERSION]
        for entity in entities:
            bucket = keys.bucket(entity, self._buckets)
            second = keys.link if entity[:1] == "s" else keys.profile
            names += (
                keys.history(bucket, entity),
                second(bucket, entity),
                keys.scores(bucket, entity),
            )
        values = await self._mget(names)
        found = _Found({}, {}, int(values[0] or 0))
        linked: dict[str, str] = {}
        stale: set[str] = set()
        for place, entity in enumerate(entities):
            history, second, scores = values[3 * place + 1 : 3 * place + 4]
            try:
                if entity[:1] != "s":
                    found.states[entity] = state_of(history, second, scores)
                elif second is None:
                    found.states[entity] = state_of(history, None, scores)
                else:
                    user = _user_of(second)
                    if second[:1] == b"0":
                        await self._finish_link(entity, user)
                        stale.add(user)
                    linked[entity] = user
            except Exception as error:
                # Of the turn's requests, only those that ask for this entity go without.
                found.broken[entity] = error
        if linked:
            await self._follow(linked, stale, found)
        return found

    async def _follow(self, linked: dict[str, str], stale: set[str], found: _Found) -> None:
        """Add to `found` the sessions whose user is `linked`; users of `stale` are read again."""
        wanted = dict.fromkeys(linked.values())
        missing = [
            user
            for user in wanted
            if user in stale or (user not in found.states and user not in found.broken)
        ]
        users = await self._fetch(missing) if missing else found
        for entity, user in linked.items():
            there = users if user in users.states or user in users.broken else found
            if user in there.broken:
                found.broken[entity] = there.broken[user]
            else:
                state = there.states[user]
                found.states[entity] = state._replace(found=True, linked_user=user[1:])

    async def profiles(self, users: Sequence[str]) -> list[Known]:
        """Answer what is kept beside the histories of these users' entities, in order."""
        names: list[str] = []
        for user in users:
            bucket = keys.bucket(user, self._buckets)
            names += (keys.profile(bucket, user), keys.scores(bucket, user))
        values = await self._mget(names) if names else []
        pairs = zip(values[::2], values[1::2], strict=True)
        return [Known(_told(profile), parse_scores(scores)) for profile, scores in pairs]

    async def _mget(self, names: list[str]) -> list[bytes | None]:
        if len(names) <= _MOST_KEYS:
            return await self._server.mget(names)
        values: list[bytes | None] = []
        for start in range(0, len(names), _MOST_KEYS):
            values += await self._server.mget(names[start : start + _MOST_KEYS])
        return values
