"""The JSON of an answer for recommendations: places, sources, and what was done as asked.

Knows nothing of how a slate is made or of who asks.
"""

from functools import lru_cache
from typing import Annotated

import msgspec
from msgspec import Meta

from domain.ids import new_id
from domain.slates import Aside, Fallback, Slate, Source, Sources

_encode = msgspec.json.Encoder().encode

Mark = Annotated[
    str, Meta(description="how it was filled when not with what was asked for",
              extra_json_schema={"enum": [fallback.value for fallback in Fallback]})
]  # fmt: skip
_Why = Annotated[str, Meta(extra_json_schema={"enum": ["", "unknown", "not_showable"]})]


class SourceOut(msgspec.Struct, frozen=True, gc=False):
    """A member that proposed the item and its share, the strongest first.

    With `explain` also the items of the history it rests on, and a sentence.
    """

    member: str
    share: float
    because: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    text: str | msgspec.UnsetType = msgspec.UNSET


class PlaceOut(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One place; scores compare within the same fallback. `known` is false for an item that
    is in the log but not in the catalogue. `pinned`: the caller put it here. `unranked`: why a
    candidate of `items` could not be ranked; such come last, in the order given. `explored`:
    filled to learn how the item is liked."""

    item: str
    score: float
    fallback: Mark | None = None
    known: bool = True
    sources: tuple[SourceOut, ...] = ()
    pinned: bool = False
    unranked: _Why = ""
    explored: bool = False


class SkippedOut(msgspec.Struct, frozen=True):
    """A pinned item that could not be placed, and why."""

    item: str
    reason: _Why


class AimedOut(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an objective was worked out from.

    `purchases`: live counts of clicks and purchases, or unknown. `margins`: the attribute, the
    price, or unknown. `items`: how many items had figures; others count as the usual one.
    """

    name: str
    items: int
    purchases: Annotated[str, Meta(extra_json_schema={"enum": ["live", "unknown"]})]
    margins: Annotated[
        str, Meta(extra_json_schema={"enum": ["attribute", "price", "unknown"]})
    ] | None = None  # fmt: skip


class AppliedOut(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the controls of the question did. `passed_over`: items that a cap kept out.
    `held_back`: items not to be repeated yet; `released` when they came for want of others."""

    objective: AimedOut | None = None
    skipped: tuple[SkippedOut, ...] = ()
    passed_over: int = 0
    held_back: int = 0
    released: bool = False


class Answer(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The slate, best first. `as_of` is epoch milliseconds: events before it count.

    `model` is the family and version, null when there is none yet. `fallback` is the furthest
    any place fell; `reason` says why, or what else was amiss. `unknown_items` counts the items
    of the question and its history that neither catalogue nor model knows. `applied` tells
    what controls did, when there were any.
    """

    decision_id: str
    items: list[PlaceOut]
    model: str | None
    as_of: int
    fallback: Mark | None = None
    reason: Annotated[
        str,
        Meta(extra_json_schema={"enum": [
            "anonymous", "catalogue_behind", "consent", "few_items", "late", "no_history",
            "no_model", "session", "store_unavailable",
        ]}),
    ] = ""  # fmt: skip
    unknown_items: int = 0
    applied: AppliedOut | None = None


def answer_of(
    slate: Slate,
    model: str,
    as_of: int,
    reason: str,
    decision: str = "",
    explored: tuple[int, ...] = (),
) -> Answer:
    """Answer a slate as it is sent, under the decision's id or one of its own."""
    columns = zip(slate.ids, slate.scores, slate.marks, slate.listed, slate.sources, strict=True)
    places = [
        PlaceOut(
            item, score, mark, listed, _tell(sources) if sources.wire is None else sources.wire
        )
        for item, score, mark, listed, sources in columns
    ]
    for place in explored:
        places[place] = msgspec.structs.replace(places[place], explored=True)
    applied = None
    if slate.aside is not None:
        _mark(places, slate.aside)
        applied = _applied(slate.aside)
    return Answer(
        decision or new_id(),
        places,
        model or None,
        as_of,
        slate.fallback,
        reason,
        slate.unknown_items,
        applied,
    )


def _mark(places: list[PlaceOut], aside: Aside) -> None:
    for place in aside.pinned:
        places[place] = msgspec.structs.replace(places[place], pinned=True)
    first = len(places) - len(aside.unranked)
    for place, why in enumerate(aside.unranked, first):
        places[place] = msgspec.structs.replace(places[place], unranked=why)


def _applied(aside: Aside) -> AppliedOut | None:
    aimed = aside.aimed
    told = AppliedOut(
        None
        if aimed is None
        else AimedOut(aimed.objective, aimed.items, aimed.purchases, aimed.margins),
        tuple([SkippedOut(item, why) for item, why in aside.skipped]),
        aside.passed_over,
        aside.held_back,
        aside.released,
    )
    return None if told == AppliedOut() else told


def _tell(sources: Sources) -> tuple[SourceOut, ...]:
    """Answer the sources of a place as they are sent; those without reasons are kept ready."""
    if sources and sources[0].text:
        return tuple([SourceOut(*source) for source in sources])
    # JSON within an answer's JSON: no tuple, but msgspec writes it as the one it stands for.
    sources.wire = msgspec.Raw(b"[" + b",".join([_written(one) for one in sources]) + b"]")
    return sources.wire


@lru_cache(maxsize=4_096)
def _written(source: Source) -> bytes:
    return _encode(SourceOut(source.member, source.share))
