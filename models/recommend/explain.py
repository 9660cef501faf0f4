"""Why an item is shown: which member proposed it, on which events it rests, in one sentence.

Worked out for the items shown and no others. Knows nothing of how a slate was filled.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from domain.events import Kind
from domain.slates import Fallback, Source
from models.recommend.catalogue import Catalogue
from models.recommend.lookup import Indices
from models.recommend.model import RecommendModel

Parts = npt.NDArray[np.float32]

MOST = 3
"""How many events of a history are named at most."""
LEAST_SHARE = 0.05
"""A member, or an event, that adds less than this share is not named."""
RECENT = 64
"""How many of the last events are looked at; older ones have faded."""

VERBS: dict[int, str] = {
    Kind.impression: "were shown",
    Kind.seen: "saw",
    Kind.click: "viewed",
    Kind.add_to_cart: "put into your cart",
    Kind.remove_from_cart: "took out of your cart",
    Kind.purchase: "bought",
    Kind.refund: "returned",
    Kind.rating: "rated",
    Kind.search: "looked for",
    Kind.subscribe: "subscribed to",
    Kind.renew: "renewed",
}

IMPERSONAL: dict[str, str] = {
    "popularity": "Popular with everyone",
    "trend": "In demand of late",
}
"""Members that say the same to everyone, and what they say."""

FALLBACKS: dict[Fallback, tuple[str, str]] = {
    Fallback.trending: ("trending", "Trending now"),
    Fallback.popular: ("popularity", "Popular with everyone"),
    Fallback.newest: ("newest", "Among the newest"),
}
"""Fallback → the member it names and what that says."""


class Past(NamedTuple):
    """The events an answer rests on, oldest first: item indices, kinds, UTC milliseconds."""

    rows: Indices
    kinds: npt.NDArray[np.uint8]
    ats: npt.NDArray[np.int64]


def and_list(parts: Sequence[str]) -> str:
    """Join as people do: "a", "a and b", "a, b and c"."""
    if len(parts) < 2:
        return "".join(parts)
    return ", ".join(parts[:-1]) + " and " + parts[-1]


def plain_source(fallback: Fallback) -> tuple[Source, ...]:
    """Answer the source of an item that was not proposed for anyone in particular."""
    member, text = FALLBACKS[fallback]
    return (Source(member, 1.0, (), text),)


def similar_source(catalogue: Catalogue, target: int) -> tuple[Source, ...]:
    """Answer the source of an item shown for its likeness to the item `target`."""
    text = f"Goes with {catalogue.title(target)}"
    return (Source("similar", 1.0, (catalogue.ids[target],), text),)


def personal_sources(
    model: RecommendModel,
    catalogue: Catalogue,
    parts: Parts,
    row: int,
    past: Past,
    as_of: int,
) -> tuple[Source, ...]:
    """Answer the members that speak for the item `row`, the strongest first.

    parts: what each member added, float32[m, n]; shares are of what was added above 0.
    """
    added = np.maximum(parts[:, row].astype(np.float64), 0)
    shares = added / (added.sum() or 1.0)
    told = _told(model, catalogue, row, past, as_of)
    because = tuple(catalogue.ids[one] for one, _ in told)
    found: list[Source] = []
    for place in np.argsort(-shares, kind="stable"):
        share = float(shares[place])
        if share < LEAST_SHARE:
            break
        member = model.members[place]
        share = round(share, 4)
        if member in IMPERSONAL:
            found.append(Source(member, share, (), IMPERSONAL[member]))
        elif told:
            found.append(Source(member, share, because, _sentence(catalogue, member, row, told)))
        else:
            found.append(Source(member, share, (), "From your history as a whole"))
    return tuple(found) or (Source("blend", 1.0, because, "From your history as a whole"),)


def _told(
    model: RecommendModel, catalogue: Catalogue, row: int, past: Past, as_of: int
) -> list[tuple[int, int]]:
    """Answer (item, kind) of the events that speak most for `row`, an item once."""
    rows, kinds = past.rows[-RECENT:], past.kinds[-RECENT:]
    speaks = model.influences(row, rows, kinds, past.ats[-RECENT:], as_of)
    weight: dict[int, float] = {}
    strongest: dict[int, tuple[float, int]] = {}
    for event in np.flatnonzero(speaks > 0):
        one, influence = int(rows[event]), float(speaks[event])
        weight[one] = weight.get(one, 0.0) + influence
        strongest[one] = max(strongest.get(one, (0.0, 0)), (influence, int(kinds[event])))
    least = LEAST_SHARE * sum(weight.values())
    order = sorted(weight, key=lambda one: (-weight[one], one))
    return [(one, strongest[one][1]) for one in order[:MOST] if weight[one] >= least]


def _sentence(catalogue: Catalogue, member: str, row: int, told: list[tuple[int, int]]) -> str:
    if member == "repeats":
        return "Because you had it before"
    grouped: dict[str, list[str]] = {}
    for one, kind in told:
        grouped.setdefault(VERBS.get(kind, "chose"), []).append(
            "it before" if one == row else catalogue.title(one)
        )
    deeds = and_list([f"{verb} {and_list(titles)}" for verb, titles in grouped.items()])
    return f"Fits your taste: you {deeds}" if member == "factors" else f"Because you {deeds}"
