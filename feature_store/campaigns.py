"""Campaigns in the store: the protocol, their text, and its implementation in memory.

Every change raises the version of the whole, so that a worker learns of it by one number. The
server's implementation is in redis/campaigns.py; one suite checks both. Knows nothing of money:
that is in feature_store.budgets.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol

import msgspec

from domain.campaigns import Campaign

CHANGES_KEPT = 4_096
EditCampaign = Callable[[Campaign | None], Campaign]
"""Answers what to put, given what there is; may be called more than once."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Campaign).decode


class CampaignPage(NamedTuple):
    """One page of campaigns in id order; `cursor` continues after it, "" at the end."""

    campaigns: tuple[Campaign, ...]
    cursor: str


class CampaignChange(NamedTuple):
    """One change; `campaign` is None when the id was deleted."""

    version: int
    campaign_id: str
    campaign: Campaign | None


class CampaignBook(Protocol):
    """The one door to campaigns. Every method may raise StoreUnavailable."""

    async def edit(self, campaign_id: str, edit: EditCampaign) -> Campaign:
        """Put what `edit` makes of a campaign; answer it with its new version.

        Atomic: when another writer comes in between, `edit` is asked again with what they
        wrote. What it raises passes through and nothing is written. Versions of an id grow
        with every change, also beyond a deletion.
        """
        ...

    async def delete(self, campaign_id: str) -> bool:
        """Delete a campaign; tell whether there was one."""
        ...

    async def get(self, campaign_ids: Sequence[str]) -> list[Campaign | None]:
        """Answer campaigns by id, None where there is none."""
        ...

    async def page(self, cursor: str, limit: int) -> CampaignPage:
        """Answer a page of campaigns in byte order of their ids after `cursor` ("" starts)."""
        ...

    async def version(self) -> int:
        """Answer the version of the whole."""
        ...

    async def changes(self, since: int) -> tuple[int, list[CampaignChange] | None]:
        """Answer (current version, changes after version `since` in order).

        The changes are None when they are no longer held: load all of them again.
        """
        ...


def campaign_to_json(campaign: Campaign) -> bytes:
    """Answer a campaign as it is kept."""
    return _encode(campaign)


def campaign_from_json(text: bytes) -> Campaign:
    """Read what `campaign_to_json` wrote; raises ValueError for anything else."""
    try:
        return _decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ValueError("not a campaign of this release") from error


class MemoryCampaigns:
    """Campaigns in memory; see CampaignBook."""

    def __init__(self) -> None:
        self._held: dict[str, Campaign] = {}
        self._version = 0
        self._changes: list[tuple[int, str]] = []

    async def edit(self, campaign_id: str, edit: EditCampaign) -> Campaign:
        made = replace(edit(self._held.get(campaign_id)), version=self._version + 1)
        self._held[campaign_id] = made
        self._changed(campaign_id)
        return made

    def _changed(self, campaign_id: str) -> None:
        self._version += 1
        self._changes.append((self._version, campaign_id))
        del self._changes[:-CHANGES_KEPT]

    async def delete(self, campaign_id: str) -> bool:
        if self._held.pop(campaign_id, None) is None:
            return False
        self._changed(campaign_id)
        return True

    async def get(self, campaign_ids: Sequence[str]) -> list[Campaign | None]:
        return [self._held.get(campaign_id) for campaign_id in campaign_ids]

    async def page(self, cursor: str, limit: int) -> CampaignPage:
        after = cursor.encode()
        names = sorted(name.encode() for name in self._held if name.encode() > after)[:limit]
        found = tuple(self._held[name.decode()] for name in names)
        return CampaignPage(found, found[-1].campaign if len(found) == limit else "")

    async def version(self) -> int:
        return self._version

    async def changes(self, since: int) -> tuple[int, list[CampaignChange] | None]:
        if since == self._version:
            return since, []
        oldest = self._changes[0][0] if self._changes else 0
        if since > self._version or since + 1 < oldest:
            return self._version, None
        return self._version, [
            CampaignChange(version, name, self._held.get(name))
            for version, name in self._changes
            if version > since
        ]


async def all_campaigns(book: CampaignBook, page: int = 500) -> list[Campaign]:
    """Answer every campaign in id order."""
    found: list[Campaign] = []
    cursor = ""
    while True:
        some = await book.page(cursor, page)
        found += some.campaigns
        cursor = some.cursor
        if not cursor:
            return found
