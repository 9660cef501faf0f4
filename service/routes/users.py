"""/v1/users/{user}: attributes, consent per purpose, the test flag, and what is remembered.

Knows the JSON of a profile. Merging is the store's business, so that no two writers undo
each other; what consent means for an answer is decided where answers are made.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from domain.errors import BadField, NotFound
from domain.events import Kind
from domain.ids import user_entity
from domain.money import from_micros
from domain.users import Profile, Purpose
from feature_store.records import H_COUNT, H_FIRST, H_LAST, H_VALUE
from feature_store.store import EntityState
from service.codec import OneDecoder
from service.context import Context
from service.http import Reply, Request, Route, json_reply
from service.shapes import (
    MAX_ATTRIBUTES,
    AttributePatch,
    Attributes,
    Value,
    check_attributes,
    check_id,
)

MAX_BODY = 1 << 18
_PURPOSES = Meta(
    description="purpose to yes or no; a purpose left out was never answered",
    extra_json_schema={"propertyNames": {"enum": [purpose.value for purpose in Purpose]}},
)


class ProfileIn(msgspec.Struct, forbid_unknown_fields=True):
    """A whole profile: what is left out is forgotten."""

    attributes: Attributes = {}
    consent: Annotated[dict[Purpose, bool], _PURPOSES] = {}
    test: bool = False


class ProfilePatch(msgspec.Struct, forbid_unknown_fields=True):
    """What to change; a null removes an attribute or an answer, what is left out stays."""

    attributes: AttributePatch = {}
    consent: Annotated[dict[Purpose, bool | None], _PURPOSES] = {}
    test: bool | None = None


class ProfileReply(msgspec.Struct, frozen=True):
    """The profile as it stands; `updated_at` is epoch milliseconds."""

    attributes: dict[str, Value]
    consent: dict[str, bool]
    test: bool
    updated_at: int


class UserReply(msgspec.Struct, frozen=True):
    """The profile and a summary of the history.

    `events` counts each kind seen; `value` sums each kind's value in units of the house
    currency; `first_seen` and `last_seen` are epoch milliseconds, null without events.
    `kept` is how many recent events are held one by one.
    """

    attributes: dict[str, Value]
    consent: dict[str, bool]
    test: bool
    updated_at: int
    events: dict[str, int]
    value: dict[str, float]
    first_seen: int | None
    last_seen: int | None
    kept: int


_decode_profile = OneDecoder(ProfileIn)
_decode_patch = OneDecoder(ProfilePatch)


def _profile_reply(profile: Profile) -> Reply:
    return json_reply(
        ProfileReply(profile.attributes, profile.consent, profile.test, profile.updated_at)
    )


async def put_user(context: Context, request: Request) -> Reply:
    """Replace a user's profile."""
    user = check_id(request.param, "user")
    sent = _decode_profile(request.body)
    check_attributes(sent.attributes, "attributes")
    profile = Profile(
        dict(sent.attributes),
        {purpose.value: answer for purpose, answer in sent.consent.items()},
        sent.test,
        context.clock(),
    )
    await context.store.put_profile(user, profile)
    return _profile_reply(profile)


async def patch_user(context: Context, request: Request) -> Reply:
    """Merge into a user's profile; creates it when there is none."""
    user = check_id(request.param, "user")
    sent = _decode_patch(request.body)
    check_attributes(sent.attributes, "attributes")
    if sent.attributes:
        state = (await context.store.read([user_entity(user)])).states[0]
        known = state.profile.attributes if state.profile is not None else {}
        kept = {name for name in known if sent.attributes.get(name, True) is not None}
        added = {name for name, value in sent.attributes.items() if value is not None}
        if len(kept | added) > MAX_ATTRIBUTES:
            raise BadField(
                f"at most {MAX_ATTRIBUTES} attributes; remove some with null first",
                field="attributes",
                code="too_many",
            )
    profile = await context.store.patch_profile(
        user,
        context.clock(),
        attributes=dict(sent.attributes) or None,
        consent={purpose.value: answer for purpose, answer in sent.consent.items()} or None,
        test=sent.test,
    )
    return _profile_reply(profile)


async def get_user(context: Context, request: Request) -> Reply:
    """Answer the profile and what is remembered, in summary."""
    user = check_id(request.param, "user")
    state = (await context.store.read([user_entity(user)])).states[0]
    if not state.found and state.profile is None:
        raise NotFound("nothing is known of this user", field="user")
    return json_reply(summary(state))


def summary(state: EntityState) -> UserReply:
    """Put what is remembered of a user in plain numbers."""
    profile = state.profile or Profile()
    lifetime = state.lifetime.tolist()
    counts = {kind.name: lifetime[H_COUNT + kind] for kind in Kind if lifetime[H_COUNT + kind]}
    return UserReply(
        attributes=profile.attributes,
        consent=profile.consent,
        test=profile.test,
        updated_at=profile.updated_at,
        events=counts,
        value={
            kind.name: from_micros(lifetime[H_VALUE + kind])
            for kind in Kind
            if lifetime[H_VALUE + kind]
        },
        first_seen=lifetime[H_FIRST] if counts else None,
        last_seen=lifetime[H_LAST] if counts else None,
        kept=len(state.records),
    )


ROUTES = (
    Route(
        "PUT",
        "/v1/users/{user}",
        put_user,
        "Replace a user's profile",
        "users",
        body=ProfileIn,
        replies={200: ProfileReply},
        body_cap=MAX_BODY,
        errors=(503,),
    ),
    Route(
        "PATCH",
        "/v1/users/{user}",
        patch_user,
        "Change part of a user's profile",
        "users",
        body=ProfilePatch,
        replies={200: ProfileReply},
        body_cap=MAX_BODY,
        errors=(503,),
        description="Creates the profile when there is none. Nulls remove.",
    ),
    Route(
        "GET",
        "/v1/users/{user}",
        get_user,
        "What is known of a user",
        "users",
        replies={200: UserReply},
        errors=(404, 503),
    ),
)
