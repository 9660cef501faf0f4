"""The store protocol: what every implementation promises, and the values it speaks in.

Implementations: `feature_store.redis` (Redis, Valkey, a cluster, the embedded default) and
`feature_store.memory` (tests, dry runs). One contract suite runs against all of them.
Every method may raise StoreUnavailable; none leaves a half-written state.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple, Protocol

from domain.decisions import Decision
from domain.events import Event
from domain.items import Item
from domain.scores import Score
from domain.users import Profile
from feature_store.budgets import Budgets
from feature_store.campaigns import CampaignBook
from feature_store.chosen import ChosenAnswers
from feature_store.records import Lifetime, Records
from feature_store.scores import NO_SCORES
from feature_store.shown import ShownBids


@dataclass(slots=True, frozen=True)
class StoreSettings:
    """What a deployment chooses once; `buckets` may never change on a filled store.

    buckets: how many groups users are hashed to (each has one hash tag and one stream).
    history_cap: how many recent events of an entity stay in its history.
    remember: how many event ids older than the history are remembered per entity, so that
    a late retry is still a duplicate.
    ttl_ms: how long an entity without new events is kept.
    house_currency: amounts in another currency are kept but not summed.
    scores_ttl_ms: how long an entity's cached scores are kept after the last of them was put.
    """

    buckets: int = 64
    history_cap: int = 512
    remember: int = 8_192
    ttl_ms: int = 400 * 86_400_000
    house_currency: str = ""
    scores_ttl_ms: int = 90 * 86_400_000


SPARE = 64
"""A trimmed history keeps this many events beyond its cap, so that a late one finds its place."""
SLACK = 128
"""A history is trimmed when it holds this many events beyond its cap, not at every append."""


class Appended(IntEnum):
    """What became of one event."""

    duplicate = 0
    accepted = 1


class EntityState(NamedTuple):
    """All that is remembered of one entity; `found` is False when nothing is.

    `records` are in (at, event) order and may exceed the history cap by a small spare:
    views take the last `history_cap` before their as_of. `profile` is None when none was put.
    `linked_user` names the user an anonymous session was identified as, or "". `scores` are
    what was computed earlier, by name (a family of models): each says as of when. An entity of
    which nothing but scores is left is not found.
    """

    lifetime: Lifetime
    records: Records
    profile: Profile | None = None
    found: bool = False
    linked_user: str = ""
    scores: Mapping[str, Score] = NO_SCORES


class Read(NamedTuple):
    """One answer's reads: the entities asked for, in order, and the catalogue's version."""

    states: tuple[EntityState, ...]
    items_version: int


class Known(NamedTuple):
    """What is kept beside a user's history: their profile, None when none was put, and scores."""

    profile: Profile | None = None
    scores: Mapping[str, Score] = NO_SCORES


class ItemPage(NamedTuple):
    """One page of items in id order; `cursor` continues after it, "" at the end."""

    items: tuple[Item, ...]
    cursor: str


class DeletedPage(NamedTuple):
    """One page of deleted ids in id order; `cursor` continues after it, "" at the end."""

    item_ids: tuple[str, ...]
    cursor: str


class ItemChange(NamedTuple):
    """One change of the catalogue; `item` is None when the id was deleted."""

    version: int
    item_id: str
    item: Item | None


EditItems = Callable[[Mapping[str, Item]], Sequence[Item]]
"""Answers what to put, given the items there are by id; may be called more than once."""
EditBlob = Callable[[bytes | None], bytes]
"""Answers what to put, given what is there; may be called more than once."""


class Store(Protocol):
    """The one door to remembered state; `entity` names come from domain.ids.

    `campaigns`, `budgets`, `shown` and `chosen` are doors of their own behind it: who advertises,
    their money, which bids were shown, and which answers were given.
    """

    settings: StoreSettings
    campaigns: CampaignBook
    budgets: Budgets
    shown: ShownBids
    chosen: ChosenAnswers

    async def append(self, events: Sequence[Event], now_ms: int) -> list[Appended]:
        """Append events to their histories and to the intake stream, atomically per bucket.

        Idempotent by (entity, event_id), also under concurrent calls. An event of a session
        that was identified joins its user's history instead. When it returns, every accepted
        event is durable as the server's settings have it. The answer has one entry an event.
        """
        ...

    async def read(self, entities: Sequence[str], within_s: float | None = None) -> Read:
        """Read entities and the catalogue's version; concurrent calls share one round trip.

        Each has its own patience: raises StoreUnavailable after `within_s` seconds.
        """
        ...

    async def identify(self, session: str, user: str, now_ms: int) -> int:
        """Carry an anonymous session's history over to a user, once; answer how many events.

        Repeating it carries nothing more. Raises CallerError (code already_identified) when
        the session belongs to another user.
        """
        ...

    async def put_profile(self, user: str, profile: Profile) -> None:
        """Replace a user's profile."""
        ...

    async def patch_profile(
        self,
        user: str,
        now_ms: int,
        attributes: dict[str, object] | None = None,
        consent: dict[str, bool | None] | None = None,
        test: bool | None = None,
    ) -> Profile:
        """Merge into a user's profile atomically (a None value removes its key); answer it."""
        ...

    async def read_profiles(self, users: Sequence[str]) -> list[Known]:
        """Answer what is kept beside the histories of these users, in order, without those.

        For jobs that go through everybody: consent is known before a history is looked at, and
        costs a few bytes a user. A profile that cannot be read refuses every purpose.
        """
        ...

    async def put_scores(self, scores: Mapping[str, Mapping[str, Score]]) -> int:
        """Put scores by entity and name beside those there are; answer how many were taken.

        A score is taken unless one of the same name with a later as_of is there: of two
        writers the better informed one wins, whoever comes last. A session that belongs to a
        user takes none: its scores are the user's. Atomic an entity. They are cached, not
        logged: they are gone after settings.scores_ttl_ms without another. Raises ValueError
        for a name of more than 64 bytes or a number that is not finite.
        """
        ...

    async def put_items(self, items: Sequence[Item]) -> int:
        """Insert or replace items, all or none; answer the catalogue's new version."""
        ...

    async def edit_items(self, item_ids: Sequence[str], edit: EditItems) -> Sequence[Item]:
        """Put what `edit` makes of the items with these ids (at most 1,000); answer what was put.

        Atomic: when another writer changes one of them in between, `edit` is asked again with
        what they wrote, so neither change is lost and nothing deleted comes back. What it
        raises passes through and nothing is written. `edit` answers items with the given ids.
        """
        ...

    async def delete_items(self, item_ids: Sequence[str]) -> int:
        """Delete items; answer how many existed.

        That they were deleted is remembered until they are put again: what else knows the ids
        (a model, the log) must not bring them back.
        """
        ...

    async def get_items(self, item_ids: Sequence[str]) -> list[Item | None]:
        """Answer the items with these ids, None where there is none."""
        ...

    async def page_items(self, cursor: str, limit: int) -> ItemPage:
        """Answer a page of items in id order after `cursor` ("" starts)."""
        ...

    async def page_deleted(self, cursor: str, limit: int) -> DeletedPage:
        """Answer a page of the ids that were deleted and not put again, as `page_items` does."""
        ...

    async def item_changes(self, since_version: int) -> tuple[int, list[ItemChange] | None]:
        """Answer (current version, changes after `since_version` in order).

        The changes are None when they are no longer held: load the whole catalogue again, the
        deleted ids with it (see feature_store.listing).
        """
        ...

    async def log_decisions(self, decisions: Sequence[Decision]) -> None:
        """Put decisions on the stream that becomes the decision log."""
        ...

    async def get_blob(self, name: str) -> bytes | None:
        """Answer a small named value shared by all processes (trends, settings)."""
        ...

    async def put_blob(self, name: str, value: bytes) -> None:
        """Replace a small named value."""
        ...

    async def edit_blob(self, name: str, edit: EditBlob) -> bytes:
        """Put what `edit` makes of a small named value; answer it.

        Atomic: when another writer comes in between, `edit` is asked again with what they
        wrote. What it raises passes through and nothing is written.
        """
        ...

    async def ping(self) -> None:
        """Answer when the store answers."""
        ...

    async def close(self) -> None:
        """Let go of every connection (and of the embedded server, when it is ours)."""
        ...


class StreamEntry(NamedTuple):
    """What one append put on a bucket's stream: at least one event.

    `records` holds RECORD_BYTES bytes an event, `payloads` one text an event in the same
    order (see feature_store.records; a row of LINK_KIND links a session to its user).
    """

    stream_id: str
    records: bytes
    payloads: list[bytes]


class DecisionEntry(NamedTuple):
    """What one call of log_decisions put on a bucket's stream of decisions."""

    stream_id: str
    decisions: list[Decision]


__all__ = [
    "SLACK",
    "SPARE",
    "Appended",
    "DecisionEntry",
    "DeletedPage",
    "EditBlob",
    "EditItems",
    "EntityState",
    "ItemChange",
    "ItemPage",
    "Known",
    "Read",
    "Store",
    "StoreSettings",
    "StreamEntry",
]
