"""Which segments somebody is in, for answers about them: from what was read of them anyway.

Costs nothing while no segment is saved. Nothing is looked at without consent to analytics, and no
intent without consent to personalisation. Knows nothing of requests or replies.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy.typing as npt

from domain.scores import Score
from domain.users import Purpose, may_use
from feature_store.audiences import SHOWN, intent_numbers
from feature_store.store import EntityState
from feature_store.views.catalogue import views_named
from models.uplift.action import ACTIONS
from service.context import Context
from service.live_churn import Effect, effects_of
from service.live_segments import Told, scores_of
from service.states import view_rows

_VIEWS = views_named(SHOWN)
"""Uplift is learned from columns of these, or from attributes."""
_BY_NAME = {action.value: float(place) for place, action in enumerate(ACTIONS)}


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
    context: Context, rows: Mapping[str, npt.NDArray[Any]], place: int, seen: Seen
) -> tuple[str, ...]:
    """Answer the segments of one of those whose rows of views are given, with consent."""
    if not context.segments.current:
        return ()
    profile = seen.state.profile
    scores = scores_of(seen.told) | _effect_numbers(seen.effect)
    held = seen.intent or seen.state.scores.get("intent")
    rule = context.settings.unanswered
    if held is not None and may_use(profile, Purpose.personalisation, unanswered=rule):
        scores |= intent_numbers(held, seen.as_of)
    attributes = {} if profile is None else profile.attributes
    return context.segments.of(rows, place, scores, attributes)


def segments_now(
    context: Context, state: EntityState | None, as_of: int, intent: Score | None = None
) -> tuple[str, ...]:
    """Answer the segments of somebody whose state was read: none of a stranger, or one who refused.

    Churn is what was told of them last, uplift what the released model says; intent: see Seen.
    """
    if not context.segments.current or state is None or not (state.found or state.scores):
        return ()
    if not may_use(state.profile, Purpose.analytics, unanswered=context.settings.unanswered):
        return ()
    wanted, desk = context.segments.families, context.churn.current
    uplift = desk.uplift if desk is not None and "uplift" in wanted else None
    rows: dict[str, npt.NDArray[Any]] = {}
    if uplift is not None or not wanted.isdisjoint(SHOWN):
        cap = context.store.settings.history_cap
        rows = view_rows(_VIEWS, [state], [as_of], cap)
    told = state.scores.get("churn")
    attributes = {} if state.profile is None else state.profile.attributes
    value = None if told is None else told.value
    effect = effects_of(uplift, rows, [attributes], [value])[0]
    return segments_of(context, rows, 0, Seen(state, as_of, told, effect, intent))


def _effect_numbers(effect: Effect | None) -> dict[str, float]:
    """Answer an effect by full name, as conditions ask for it."""
    if effect is None:
        return {}
    return {
        "uplift.effect": effect.effect,
        "uplift.low": effect.low,
        "uplift.high": effect.high,
        "uplift.action": _BY_NAME[effect.action],
    }
