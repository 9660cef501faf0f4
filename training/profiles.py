"""Attributes of users as the store has them now, for fits and batch scoring.

Who refused analytics is left out as if nothing were known. Knows nothing of what the
attributes mean.
"""

import asyncio
import os
from collections.abc import Sequence
from typing import Any

from domain.errors import OperatorError
from domain.users import Purpose, may_use
from feature_store.opening import open_store
from feature_store.store import Store

_READ = 500
People = dict[str, dict[str, Any]]


async def read_profiles(store: Store, users: Sequence[str], *, unanswered: bool) -> People:
    """Answer user id → attributes, for those who have any and may be asked about."""
    out: People = {}
    for start in range(0, len(users), _READ):
        some = users[start : start + _READ]
        for user, known in zip(some, await store.read_profiles(some), strict=True):
            profile = known.profile
            allowed = may_use(profile, Purpose.analytics, unanswered=unanswered)
            if profile is not None and profile.attributes and allowed:
                out[user] = dict(profile.attributes)
    return out


def profiles_from_env(users: Sequence[str]) -> People:
    """Open the store that the environment names and read the profiles of these users.

    Raises StoreUnavailable or StoreMisconfigured, and OperatorError for an unknown consent rule.
    """
    rule = os.environ.get("SANDERLING_CONSENT", "opt-out")
    if rule not in ("opt-out", "opt-in"):
        raise OperatorError("SANDERLING_CONSENT is opt-out or opt-in")

    async def read() -> People:
        store = await open_store()
        try:
            return await read_profiles(store, users, unanswered=rule == "opt-out")
        finally:
            await store.close()

    return asyncio.run(read())
