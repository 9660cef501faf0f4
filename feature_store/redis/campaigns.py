"""Campaigns in a server: the scripts of the catalogue over keys of their own.

All keys share one hash tag, so that a change is one script. See feature_store.campaigns.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from domain.campaigns import Campaign
from domain.errors import OperatorError, StoreUnavailable
from feature_store import keys
from feature_store.campaigns import (
    CHANGES_KEPT,
    CampaignChange,
    CampaignPage,
    EditCampaign,
    campaign_from_json,
    campaign_to_json,
)
from feature_store.redis import script_files as scripts
from feature_store.redis.server import Server

_EDIT_TRIES = 200
_DATA, _ORDER, _VERSION, _CHANGES, _ = keys.CAMPAIGNS


class RedisCampaigns:
    """Campaigns over Redis or Valkey; see feature_store.campaigns.CampaignBook."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._editing = asyncio.Lock()

    async def edit(self, campaign_id: str, edit: EditCampaign) -> Campaign:
        # Who shares this process waits for his turn; only other processes are tried against.
        async with self._editing:
            held: bytes | None = await self._server.call("HGET", _DATA, campaign_id)
            for _ in range(_EDIT_TRIES):
                # Read after what is held: a version that was there before cannot come again.
                version = await self.version()
                before = None if not held else _campaign(held)
                made = replace(edit(before), version=version + 1)
                row = (campaign_id, held or b"", campaign_to_json(made))
                call = (keys.CAMPAIGNS, [CHANGES_KEPT, *row])
                reply: int | list[bytes] = (await self._server.run(scripts.PUT_ITEMS, [call]))[0]
                if isinstance(reply, int):
                    return made
                held = reply[1]
        raise StoreUnavailable("too many changes of the same campaign at once")

    async def delete(self, campaign_id: str) -> bool:
        call = (keys.CAMPAIGNS, [CHANGES_KEPT, campaign_id])
        return bool((await self._server.run(scripts.DELETE_ITEMS, [call]))[0])

    async def get(self, campaign_ids: Sequence[str]) -> list[Campaign | None]:
        if not campaign_ids:
            return []
        texts: list[bytes | None] = await self._server.call("HMGET", _DATA, *campaign_ids)
        return [_readable(text) for text in texts]

    async def page(self, cursor: str, limit: int) -> CampaignPage:
        calls = [([_DATA, _ORDER], [cursor, limit])]
        flat: list[bytes] = (await self._server.run(scripts.PAGE_ITEMS, calls))[0]
        found = [_readable(text) for text in flat[1::2]]
        last = flat[-2].decode() if len(flat) == 2 * limit else ""
        return CampaignPage(tuple(one for one in found if one is not None), last)

    async def version(self) -> int:
        return int(await self._server.call("GET", _VERSION) or 0)

    async def changes(self, since: int) -> tuple[int, list[CampaignChange] | None]:
        calls = [([_DATA, _VERSION, _CHANGES], [since])]
        flat: list[Any] = (await self._server.run(scripts.ITEM_CHANGES, calls))[0]
        version = int(flat[0])
        if flat[1:] == [b"all"]:
            return version, None
        rows = zip(flat[1::3], flat[2::3], flat[3::3], strict=True)
        return version, [
            CampaignChange(int(at), name.decode(), _readable(text)) for at, name, text in rows
        ]


def _campaign(text: bytes) -> Campaign:
    try:
        return campaign_from_json(text)
    except ValueError as error:
        raise OperatorError("a campaign in the store is of another release") from error


def _readable(text: bytes | None) -> Campaign | None:
    """Read a campaign. One that cannot be read buys nothing: it is as if it were not there."""
    if not text:
        return None
    try:
        return campaign_from_json(text)
    except ValueError:
        return None
