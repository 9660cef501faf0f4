"""Steering: what the controls of one question come to before it is answered, and after.

Before: who is left to be placed, what is held back, what is lifted. After: pinned items take
their places, candidates that cannot be ranked come last, and it is told what was done. Knows
nothing of how places are filled.
"""

from dataclasses import dataclass, field

import numpy as np

from domain.clock import DAY_MS
from domain.events import Kind
from domain.slates import Aimed, Aside, Slate, Source, Sources
from models.recommend.ask import Ask, Asker
from models.recommend.catalogue import Catalogue, Flags
from models.recommend.controls import Controls, Objective, Task
from models.recommend.desk import Desk
from models.recommend.filters import BOOST_CAP, Boosts
from models.recommend.limits import Limits
from models.recommend.lookup import Indices
from models.recommend.objective import freshness

UNKNOWN = "unknown"
NOT_SHOWABLE = "not_showable"
_PINNED = Sources((Source("pinned", 1.0),))
_PINNED_TOLD = Sources((Source("pinned", 1.0, (), "Placed here by whoever asked"),))
_LEFT = Sources()


@dataclass(slots=True)
class Steered:
    """One question's controls over one catalogue.

    room: places that are left to be filled. limits: the caps, None without. pins: (place from
    0, row), in order of place. tail: candidates that are not ranked, and why.
    """

    ask: Ask
    catalogue: Catalogue
    room: int
    limits: Limits | None = None
    pins: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    skipped: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    tail: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    boosts: Boosts | None = None
    aimed: Aimed | None = None
    unknown: int = 0
    held_back: int = 0
    released: bool = False

    def seated(self, slate: Slate) -> Slate:
        """Answer the slate with pinned items in their places and the unranked at the end."""
        ids, scores, sources = list(slate.ids), list(slate.scores), list(slate.sources)
        marks, listed = list(slate.marks), list(slate.listed)
        told = _PINNED_TOLD if self.ask.explain else _PINNED
        pinned: list[int] = []
        for place, row in self.pins:
            at = min(place, len(ids))
            pinned.append(at)
            ids.insert(at, self.catalogue.ids[row])
            scores.insert(at, 0.0)
            sources.insert(at, told)
            marks.insert(at, None)
            listed.insert(at, bool(self.catalogue.listed[row]))
        tail = self.tail[: self.ask.k - len(ids)]
        for name, why in tail:
            ids.append(name)
            scores.append(0.0)
            sources.append(_LEFT)
            marks.append(None)
            row = -1 if why == UNKNOWN else self.catalogue.index(name)
            listed.append(row >= 0 and bool(self.catalogue.listed[row]))
        aside = Aside(
            tuple(pinned),
            tuple(self.skipped),
            tuple([why for _, why in tail]),
            0 if self.limits is None else self.limits.passed_over,
            self.held_back,
            self.released,
            len(ids) < self.ask.k,
            self.aimed,
        )
        return slate._replace(
            ids=tuple(ids),
            scores=tuple(scores),
            sources=tuple(sources),
            marks=tuple(marks),
            listed=tuple(listed),
            fallback=slate.fallback if slate.ids or not ids else None,
            unknown_items=slate.unknown_items + self.unknown,
            aside=aside,
        )


def steer(desk: Desk, ask: Ask, as_of: int, allowed: Flags, boosts: Boosts | None) -> Steered:
    """Work out what the controls of `ask` come to; narrows bool[n] `allowed`.

    boosts: the multipliers of the rules, float32[n], None without.
    """
    controls, catalogue = ask.controls, desk.catalogue
    steered = Steered(ask, catalogue, ask.k)
    for name in controls.basket:
        row = catalogue.index(name)
        steered.unknown += row < 0
        if row >= 0:
            allowed[row] = False
    if controls.candidates is not None:
        _keep_candidates(steered, controls.candidates, allowed)
    _pin(steered, controls, allowed)
    if controls.caps:
        steered.limits = Limits(catalogue, controls.caps)
        for _, row in steered.pins:
            steered.limits.place(row)
        steered.limits.close(allowed)
    steered.boosts = _lifted(steered, desk, controls, as_of, boosts)
    return steered


def _keep_candidates(steered: Steered, candidates: tuple[str, ...], allowed: Flags) -> None:
    keep = np.zeros(allowed.size, np.bool_)
    for name in candidates:
        row = steered.catalogue.index(name)
        if row >= 0 and allowed[row]:
            keep[row] = True
        else:
            steered.unknown += row < 0
            steered.tail.append((name, UNKNOWN if row < 0 else NOT_SHOWABLE))
    allowed &= keep


def _pin(steered: Steered, controls: Controls, allowed: Flags) -> None:
    for pin in sorted(controls.pinned, key=lambda pin: pin.place):
        row = steered.catalogue.index(pin.item)
        if row < 0 or not allowed[row]:
            steered.skipped.append((pin.item, UNKNOWN if row < 0 else NOT_SHOWABLE))
            continue
        steered.pins.append((pin.place - 1, row))
        allowed[row] = False
    steered.room -= len(steered.pins)


def _lifted(
    steered: Steered, desk: Desk, controls: Controls, as_of: int, boosts: Boosts | None
) -> Boosts | None:
    """Answer the multipliers of rules, objective and freshness together, None without any."""
    factors = boosts
    if controls.objective is not Objective.click:
        worth = desk.worths.of(controls.objective)
        steered.aimed = worth.aimed
        if worth.factors is not None:
            factors = worth.factors if factors is None else factors * worth.factors
    if controls.freshness > 0:
        fresh = freshness(desk.catalogue, as_of, controls.freshness)
        factors = fresh if factors is None else factors * fresh
    if factors is None or factors is boosts:
        return boosts
    return np.clip(factors, np.float32(1 / BOOST_CAP), np.float32(BOOST_CAP))


def hold_back(steered: Steered, asker: Asker, rows: Indices, as_of: int, allowed: Flags) -> Indices:
    """Take out of bool[n] `allowed` what is not to be repeated yet; answer its rows.

    rows: int32[h], the catalogue's index of each event's item, -1 unknown. What a purchase
    less than `after_days` old names, and what was shown `shown_at_most` times in the last
    `within_days`: as impressions or as seen, whichever are more.
    """
    controls = steered.ask.controls
    found: list[Indices] = []
    if controls.after_days is not None:
        late = asker.ats > as_of - controls.after_days * DAY_MS
        found.append(rows[late & (asker.kinds == Kind.purchase)])
    if controls.shown_at_most is not None:
        late = asker.ats > as_of - controls.within_days * DAY_MS
        for kind in (Kind.impression, Kind.seen):
            shown, times = np.unique(rows[late & (asker.kinds == kind)], return_counts=True)
            found.append(shown[times >= controls.shown_at_most])
    if not found:
        return np.zeros(0, np.int32)
    held = np.unique(np.concatenate(found))
    held = held[held >= 0]
    held = held[allowed[held]]
    allowed[held] = False
    steered.held_back = held.size
    return held


def lets_come_back(controls: Controls) -> bool:
    """Tell whether seen items may come unless the question says otherwise."""
    return (
        controls.after_days is not None
        or controls.candidates is not None
        or controls.task is Task.basket
    )
