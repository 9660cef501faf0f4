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
    """One place in a slate: an item, its score (higher is better), its sources."""

    item: str
    score: float
    sources: tuple[Source, ...] = ()


class Fallback(StrEnum):
    """How far the answer fell from the personal one; ordered from best to last resort."""

    session = "session"
    similar = "similar"
    trending = "trending"
    popular = "popular"
    newest = "newest"


class Slate(NamedTuple):
    """An ordered answer; `fallback` is None when it is personal throughout."""

    items: tuple[Ranked, ...]
    fallback: Fallback | None = None
