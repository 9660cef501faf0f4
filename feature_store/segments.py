"""Segments: named conditions, kept in the store as one small value that all processes share.

Every change gives the whole a new revision, which becomes the segment's version; writers that
meet lose nothing. What cannot be read is refused, never overwritten. Knows nothing of what a
condition means; texts are checked by whoever puts them.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from domain.errors import BadField, NotFound, OperatorError
from feature_store.store import Store

BLOB_NAME = "segments"
MAX_SEGMENTS = 200
_NAME = re.compile(r"[a-z0-9_-]{1,64}")
_FORMAT = 1


class Segment(NamedTuple):
    """A saved condition. where: its text, names in full. about: for people. version: grows with
    every change, also beyond a deletion. created_at, updated_at: UTC ms."""

    name: str
    where: str
    about: str
    version: int
    created_at: int
    updated_at: int


class Segments(NamedTuple):
    """All segments, by name in order of names; `revision` grows with every change of any."""

    revision: int
    by_name: Mapping[str, Segment]


NO_SEGMENTS = Segments(0, {})
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(tuple[int, int, list[Segment]]).decode


def is_name(text: str) -> bool:
    """Tell whether a text may name a segment: a-z, 0-9, - and _, 1 to 64 of them."""
    return _NAME.fullmatch(text) is not None


def pack(segments: Segments) -> bytes:
    """Answer segments as bytes."""
    named = [segments.by_name[name] for name in sorted(segments.by_name)]
    return _encode((_FORMAT, segments.revision, named))


def parse(held: bytes | None) -> Segments:
    """Read what `pack` wrote; raises OperatorError when it is something else."""
    if not held:
        return NO_SEGMENTS
    try:
        format, revision, named = _decode(held)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise OperatorError("the saved segments in the store cannot be read") from error
    if format != _FORMAT:
        raise OperatorError("the saved segments are of another release of the software")
    return Segments(revision, {segment.name: segment for segment in named})


async def load(store: Store) -> Segments:
    """Answer all segments. Raises StoreUnavailable, OperatorError."""
    return parse(await store.get_blob(BLOB_NAME))


async def put(
    store: Store, name: str, where: str, now_ms: int, *, about: str = "", version: int | None = None
) -> Segment:
    """Save a segment under `name`, anew or in place of the one there is; answer it.

    version: of the segment that is to be replaced, 0 for none; None replaces whatever there is.
    Saving what is there already changes nothing. Raises BadField: code version_conflict when
    another version is there, too_many when there are MAX_SEGMENTS.
    """

    def edit(held: bytes | None) -> bytes:
        all_of_them = parse(held)
        before = all_of_them.by_name.get(name)
        _check_version(before, version)
        if before is not None and (before.where, before.about) == (where, about):
            return pack(all_of_them)
        if before is None and len(all_of_them.by_name) >= MAX_SEGMENTS:
            raise BadField(
                f"at most {MAX_SEGMENTS} segments; delete one first", field="name", code="too_many"
            )
        revision = all_of_them.revision + 1
        created = now_ms if before is None else before.created_at
        made = Segment(name, where, about, revision, created, now_ms)
        return pack(Segments(revision, {**all_of_them.by_name, name: made}))

    return parse(await store.edit_blob(BLOB_NAME, edit)).by_name[name]


async def delete(store: Store, name: str, *, version: int | None = None) -> None:
    """Delete a segment; see `put` for `version`. Raises NotFound when there is none."""

    def edit(held: bytes | None) -> bytes:
        all_of_them = parse(held)
        _check_version(one(all_of_them, name), version)
        rest = {key: segment for key, segment in all_of_them.by_name.items() if key != name}
        return pack(Segments(all_of_them.revision + 1, rest))

    await store.edit_blob(BLOB_NAME, edit)


def one(segments: Segments, name: str) -> Segment:
    """Answer the segment of a name; raises NotFound."""
    found = segments.by_name.get(name)
    if found is None:
        raise NotFound("no segment has this name", field="name", code="no_segment")
    return found


def _check_version(before: Segment | None, version: int | None) -> None:
    if version is not None and version != (0 if before is None else before.version):
        raise BadField(
            "somebody else changed it in between; read it again", field="version",
            code="version_conflict",
        )  # fmt: skip
