"""Links: from the time a session is identified, its history shows under its user.

A linked entity's history is cut into spans of time, each with its own merged records, so that
replay needs no other rule than "which span". Knows nothing of how links are stored.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from feature_store.records import Records

Ints = npt.NDArray[np.int64]

_ALWAYS = np.iinfo(np.int64).min
_FOREVER = np.iinfo(np.int64).max


class Link(NamedTuple):
    """The session entity `session` was identified as the user entity `user` at `at` (ms UTC)."""

    session: str
    user: str
    at: int


@dataclass(frozen=True)
class Spans:
    """When each group of records holds: for as_of with since < as_of <= until.

    Group e, for e below the number of entities, is entity e before any link; further groups
    follow it in time. `later` lists them by entity, as (since, group) in order. `moved` says
    when a session was identified, and as whom: (at, entity).
    """

    entity: Ints
    since: Ints
    until: Ints
    later: dict[int, list[tuple[int, int]]] = field(
        default_factory=dict[int, list[tuple[int, int]]]
    )
    moved: dict[int, tuple[int, int]] = field(default_factory=dict[int, tuple[int, int]])

    def group_at(self, entity: Ints, as_ofs: Ints) -> Ints:
        """Answer the group of each (entity, as_of); entity -1 stays -1.

        Asking for a session after its link answers for its user, as the store does.
        """
        groups = entity.copy()
        if self.later:
            for place in np.flatnonzero(np.isin(entity, list(self.later))):
                asked = int(entity[place])
                at, user = self.moved.get(asked, (_FOREVER, asked))
                groups[place] = asked = user if at < as_ofs[place] else asked
                for since, group in self.later.get(asked, ()):
                    if since < as_ofs[place]:
                        groups[place] = group
        return groups


def no_links(entities: int) -> Spans:
    """Answer the spans of a log without links: each entity is one group, for all time."""
    return Spans(
        np.arange(entities, dtype=np.int64),
        np.full(entities, _ALWAYS, np.int64),
        np.full(entities, _FOREVER, np.int64),
    )


def merged(own: Records, carried: Records) -> Records:
    """Merge two histories in (at, event) order; an event both have counts once."""
    fresh = carried[~np.isin(carried["event"], own["event"])]
    both = np.concatenate([own, fresh])
    return both[np.lexsort((both["event"], both["at"]))]


def with_links(
    names: Sequence[str], records: Records, offsets: Ints, links: Sequence[Link]
) -> tuple[tuple[str, ...], Records, Ints, Spans]:
    """Append a group for every span that a link opens; answer (names, records, offsets, spans).

    The first link of a session counts, as in the store. From then on the session's own
    history is empty: its events have moved to the user's.
    """
    index = {name: place for place, name in enumerate(names)}
    grown = list(names)
    for link in links:
        if link.user not in index:
            index[link.user] = len(grown)
            grown.append(link.user)
    offsets = np.append(offsets, np.full(len(grown) - len(names), offsets[-1], np.int64))
    plain = no_links(len(grown))
    entity, since, until = list(plain.entity), list(plain.since), list(plain.until)
    parts, later = [records], defaultdict[int, list[tuple[int, int]]](list)
    newest = {place: place for place in range(len(grown))}
    held: dict[int, Records] = {}
    ends = list(offsets)

    def records_of(place: int) -> Records:
        return held.get(place, records[offsets[place] : offsets[place + 1]])

    def open_span(place: int, at: int, contents: Records) -> None:
        until[newest[place]] = np.int64(at)
        newest[place] = len(entity)
        later[place].append((at, len(entity)))
        entity.append(np.int64(place))
        since.append(np.int64(at))
        until.append(np.int64(_FOREVER))
        held[place] = contents
        parts.append(contents)
        ends.append(ends[-1] + len(contents))

    moved: dict[int, tuple[int, int]] = {}
    for link in sorted(links, key=lambda link: link.at):
        session = index.get(link.session)
        if session is None or session in moved:
            continue
        user = index[link.user]
        moved[session] = link.at, user
        open_span(user, link.at, merged(records_of(user), records_of(session)))
        open_span(session, link.at, records[:0])
    spans = Spans(np.array(entity), np.array(since), np.array(until), dict(later), moved)
    return tuple(grown), np.concatenate(parts), np.array(ends, np.int64), spans
