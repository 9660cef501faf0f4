"""Slates: the ordered answer of a recommender, and why each place is what it is."""

from enum import StrEnum
from typing import NamedTuple


class Source(NamedTuple):
    """Which member proposed an item and why.

    `because` lists the history items (ids, most influential first) the proposal rests on;
    `text` is one sentence for people.
    """

    member: str
    share: float
    because: tuple[str, ...] = ()
    text: str = ""


class Ranked(NamedTuple):
    """One place in a slate: an item, its score (higher is better), its sources.

    `fallback` says how the place was filled when not from the asker's own history; scores
    compare within the same fallback only. `listed` is False for an item that is known from
    the log but is not in the catalogue.
    """

    item: str
    score: float
    sources: tuple[Source, ...] = ()
    fallback: "Fallback | None" = None
    listed: bool = True


class Fallback(StrEnum):
    """How far the answer fell from the personal one; ordered from best to last resort."""

    session = "session"
    similar = "similar"
    trending = "trending"
    popular = "popular"
    newest = "newest"


class Slate(NamedTuple):
    """An ordered answer; `fallback` is None when it is personal throughout.

    Otherwise it is the furthest that any place had to fall. `unknown_items` counts the items
    named by the request or its history that neither catalogue nor model knows.
    """

    items: tuple[Ranked, ...]
    fallback: Fallback | None = None
    unknown_items: int = 0
