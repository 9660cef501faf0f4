"""Attributes of users as the store has them now, for fits and batch scoring; and who refused.

Who refused analytics is left out as if nothing were known. Knows nothing of what the
attributes mean.
"""

import asyncio
import os
from collections.abc import Sequence
from typing import Any, NamedTuple

from domain.errors import OperatorError
from domain.users import Purpose, may_use
from feature_store.opening import open_store
from feature_store.store import Store

_READ = 500
People = dict[str, dict[str, Any]]


class Told(NamedTuple):
    """people: user id → attributes, of those who have any and may be asked about. refused: whom
    nothing may be said about, as consent and the deployment's rule have it."""

    people: People
    refused: frozenset[str]


async def read_told(store: Store, users: Sequence[str], *, unanswered: bool) -> Told:
    """Answer what is known of these users; histories are not looked at."""
    people: People = {}
    refused: set[str] = set()
    for start in range(0, len(users), _READ):
        some = users[start : start + _READ]
        for user, (profile, _) in zip(some, await store.read_profiles(some), strict=True):
            if not may_use(profile, Purpose.analytics, unanswered=unanswered):
                refused.add(user)
            elif profile is not None and profile.attributes:
                people[user] = dict(profile.attributes)
    return Told(people, frozenset(refused))


async def read_profiles(store: Store, users: Sequence[str], *, unanswered: bool) -> People:
    """Answer user id → attributes, for those who have any and may be asked about."""
    return (await read_told(store, users, unanswered=unanswered)).people


def told_from_env(users: Sequence[str]) -> Told:
    """Open the store that the environment names and answer what is known of these users.

    Raises StoreUnavailable or StoreMisconfigured, and OperatorError for an unknown consent rule.
    """
    rule = os.environ.get("SANDERLING_CONSENT", "opt-out")
    if rule not in ("opt-out", "opt-in"):
        raise OperatorError("SANDERLING_CONSENT is opt-out or opt-in")

    async def read() -> Told:
        store = await open_store()
        try:
            return await read_told(store, users, unanswered=rule == "opt-out")
        finally:
            await store.close()

    return asyncio.run(read())


def profiles_from_env(users: Sequence[str]) -> People:
    """Answer the attributes of these users; see `told_from_env`."""
    return told_from_env(users).people
