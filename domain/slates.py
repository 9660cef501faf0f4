"""Slates: the ordered answer of a recommender, and why each place is what it is."""

from enum import StrEnum
from typing import Any, NamedTuple


class Source(NamedTuple):
    """Which member proposed an item and why.

    `because` lists the history items (ids, most influential first) the proposal rests on;
    `text` is one sentence for people.
    """

    member: str
    share: float
    because: tuple[str, ...] = ()
    text: str = ""


class Sources(tuple[Source, ...]):
    """Why one place is what it is, the strongest first.

    The same few are said again and again: who sends one may keep what is sent in `wire`.
    """

    wire: Any = None


class Ranked(NamedTuple):
    """One place in a slate: an item, its score (higher is better), its sources.

    `fallback` says how the place was filled when not from the asker's own history; scores
    compare within the same fallback only. `listed` is False for an item that is known from
    the log but is not in the catalogue.
    """

    item: str
    score: float
    sources: Sources = Sources()
    fallback: "Fallback | None" = None
    listed: bool = True


class Fallback(StrEnum):
    """How far the answer fell from the personal one; ordered from best to last resort."""

    session = "session"
    similar = "similar"
    segment = "segment"
    trending = "trending"
    popular = "popular"
    newest = "newest"


class Aimed(NamedTuple):
    """What an objective was worked out from.

    `purchases`: `live`, or `unknown` when nobody counted clicks and purchases. `margins`:
    `attribute`, `price` (a share of it) or `unknown`; None when margin was not the objective.
    `items`: how many items had figures of their own; the others count as the usual one.
    """

    objective: str
    purchases: str
    margins: str | None
    items: int


class Aside(NamedTuple):
    """What the controls of a question did to its slate.

    `pinned`: the places (from 0) that the caller filled. `skipped`: pinned items that could not
    be placed, and why: `unknown` or `not_showable`. `unranked`: why each of the last places was
    not ranked, the same words. `passed_over`: items that a cap kept out. `held_back`: items not
    to be repeated yet; `released` when they came all the same, for want of others. `short`:
    fewer places than were asked for.
    """

    pinned: tuple[int, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()
    unranked: tuple[str, ...] = ()
    passed_over: int = 0
    held_back: int = 0
    released: bool = False
    short: bool = False
    aimed: Aimed | None = None


class Slate(NamedTuple):
    """An ordered answer, its places as columns: an answer makes no object a place that way.

    `ids`, `scores`, `sources`, `marks` and `listed` hold what `Ranked` tells of each place, best
    first. `fallback` is None when the slate is personal throughout, otherwise the furthest that
    any place had to fall. `unknown_items` counts the items named by the request or its history
    that neither catalogue nor model knows. `aside` tells of a question with controls.
    """

    ids: tuple[str, ...] = ()
    scores: tuple[float, ...] = ()
    sources: tuple[Sources, ...] = ()
    marks: tuple[Fallback | None, ...] = ()
    listed: tuple[bool, ...] = ()
    fallback: Fallback | None = None
    unknown_items: int = 0
    aside: Aside | None = None

    @property
    def items(self) -> tuple[Ranked, ...]:
        """The places one by one."""
        columns = zip(self.ids, self.scores, self.sources, self.marks, self.listed, strict=True)
        return tuple([Ranked(*place) for place in columns])
