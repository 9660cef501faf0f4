"""Which saved segments somebody is in, by what the store holds of them and nothing else.

Conditions may ask of attributes, views, and what was last told of churn and intent; what a model
would have to be asked for (uplift) is unknown here, and puts nobody in. Nobody is in any without
consent to analytics, nor in one that names intent without consent to personalisation.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from domain.condition_text import parse_condition
from domain.conditions import names_in
from domain.errors import BadField
from domain.scores import Score
from domain.users import Purpose, may_use
from domain.verdicts import YES, Ready, ready
from feature_store.audiences import SHOWN, VOCABULARY, intent_numbers, level_of, row_lookup
from feature_store.segments import Segments
from feature_store.store import EntityState
from feature_store.views.catalogue import VIEWS
from feature_store.views.rows import view_rows


class Named(NamedTuple):
    """A segment, ready to be judged; `families` are those of the columns that it names."""

    name: str
    ask: Ready
    families: frozenset[str]


def named_of(segments: Segments, refused: Callable[[str], object]) -> tuple[Named, ...]:
    """Answer all segments in order of names; one that names what no longer exists is left out,
    and `refused` is told why."""
    found: list[Named] = []
    for segment in segments.by_name.values():
        try:
            condition = parse_condition(segment.where, VOCABULARY)
        except BadField as error:
            refused(error.message)
            continue
        families = frozenset(name.partition(".")[0] for name in names_in(condition))
        found.append(Named(segment.name, ready(condition), families))
    return tuple(found)


def families_of(named: Sequence[Named]) -> frozenset[str]:
    """Answer the families of columns that some segment names."""
    return frozenset[str]().union(*[one.families for one in named])


def needs_history(named: Sequence[Named]) -> bool:
    """Tell whether any segment names a column of a view."""
    return not families_of(named).isdisjoint(SHOWN)


def member_of(
    named: Sequence[Named], state: EntityState, as_of: int, cap: int, unanswered: bool
) -> tuple[str, ...]:
    """Answer the names of the segments that somebody is in as of a moment (ms UTC).

    cap: records of a history that views take. unanswered: see domain.users.may_use.
    """
    if not named or not may_use(state.profile, Purpose.analytics, unanswered=unanswered):
        return ()
    if not may_use(state.profile, Purpose.personalisation, unanswered=unanswered):
        named = [one for one in named if "intent" not in one.families]
    views = [VIEWS[name] for name in SHOWN if name in families_of(named)]
    rows = view_rows(views, [state], [as_of], cap) if views else {}
    attributes = {} if state.profile is None else state.profile.attributes
    lookup = row_lookup(rows, 0, _numbers(state.scores, as_of), attributes)
    return tuple([one.name for one in named if one.ask(lookup) == YES])


def _numbers(scores: Mapping[str, Score], as_of: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    churn, intent = scores.get("churn"), scores.get("intent")
    if churn is not None:
        told = {"probability": churn.probability, "confidence": churn.confidence}
        told |= {"band": level_of(churn.band)}
        told |= {
            name: value
            for name, value in (("value", churn.value), ("expected_loss", churn.expected_loss))
            if value is not None
        }
        found |= {f"churn.{name}": value for name, value in told.items()}
    if intent is not None:
        found |= intent_numbers(intent, as_of)
    return found
