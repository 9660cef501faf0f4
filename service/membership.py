"""Which segments somebody is in, for answers about them: from what was read of them anyway.

Costs nothing while no segment is saved. Nothing is looked at without consent to analytics, and no
intent without consent to personalisation. Knows nothing of requests or replies.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

import numpy.typing as npt

from domain.scores import Score
from domain.users import Purpose, may_use
from feature_store.audiences import SHOWN, intent_numbers
from feature_store.store import EntityState, Store
from feature_store.views.catalogue import VIEWS
from feature_store.views.view import View
from models.uplift.action import ACTIONS
from service.live_churn import Effect, LiveChurn, effects_of
from service.live_segments import LiveSegments, Told, scores_of
from service.settings import ServiceSettings
from service.states import view_rows

_VIEWS = [VIEWS[name] for name in SHOWN]
"""Uplift is learned from columns of these, or from attributes."""
_BY_NAME = {action.value: float(place) for place, action in enumerate(ACTIONS)}


class Desks(Protocol):
    """The doors that membership goes through."""

    @property
    def store(self) -> Store: ...
    @property
    def settings(self) -> ServiceSettings: ...
    @property
    def segments(self) -> LiveSegments: ...
    @property
    def churn(self) -> LiveChurn: ...


class Seen(NamedTuple):
    """What is known of somebody as of a moment (ms UTC): what was read, what churn says of them
    and what contact would change (None: nothing), and what was said of their visit just now
    (None: what was kept of it counts)."""

    state: EntityState
    as_of: int
    told: Told | None = None
    effect: Effect | None = None
    intent: Score | None = None


def segments_of(
    desks: Desks,
    rows: Mapping[str, npt.NDArray[Any]],
    place: int,
    seen: Seen,
    wanted: frozenset[str] | None = None,
) -> tuple[str, ...]:
    """Answer the segments of one of those whose rows of views are given, with consent.

    wanted: the segments that are asked about, None for all.
    """
    picked = desks.segments.picked(wanted)
    if not picked.named:
        return ()
    profile = seen.state.profile
    scores = scores_of(seen.told) if "churn" in picked.families else {}
    if seen.effect is not None:
        scores |= _effect_numbers(seen.effect)
    if "intent" in picked.families:
        held = seen.intent or seen.state.scores.get("intent")
        rule = desks.settings.unanswered
        if held is not None and may_use(profile, Purpose.personalisation, unanswered=rule):
            scores |= intent_numbers(held, seen.as_of)
    attributes = {} if profile is None else profile.attributes
    return desks.segments.of(rows, place, scores, attributes, wanted)


def segments_now(
    desks: Desks,
    state: EntityState | None,
    as_of: int,
    intent: Score | None = None,
    wanted: frozenset[str] | None = None,
) -> tuple[str, ...]:
    """Answer the segments of somebody whose state was read: none of a stranger, or one who refused.

    Churn is what was told of them last, uplift what the released model says; intent: see Seen;
    wanted: see segments_of.
    """
    picked = desks.segments.picked(wanted)
    if not picked.named or state is None or not (state.found or state.scores):
        return ()
    if not may_use(state.profile, Purpose.analytics, unanswered=desks.settings.unanswered):
        return ()
    asked, desk = picked.families, desks.churn.current
    uplift = desk.uplift if desk is not None and "uplift" in asked else None
    views = _VIEWS if uplift is not None else _named(asked)
    rows: dict[str, npt.NDArray[Any]] = {}
    if views:
        rows = view_rows(views, [state], [as_of], desks.store.settings.history_cap)
    told = state.scores.get("churn") if uplift is not None or "churn" in asked else None
    effect = None
    if uplift is not None:
        attributes = {} if state.profile is None else state.profile.attributes
        value = None if told is None else told.value
        effect = effects_of(uplift, rows, [attributes], [value])[0]
    return segments_of(desks, rows, 0, Seen(state, as_of, told, effect, intent), wanted)


@lru_cache(maxsize=64)
def _named(families: frozenset[str]) -> list[View]:
    """Answer the views that are named."""
    return [view for view in _VIEWS if view.name in families]


def _effect_numbers(effect: Effect) -> dict[str, float]:
    """Answer an effect by full name, as conditions ask for it."""
    return {
        "uplift.effect": effect.effect,
        "uplift.low": effect.low,
        "uplift.high": effect.high,
        "uplift.action": _BY_NAME[effect.action],
    }
