"""What may fill a slate, from the most personal to the last resort, each made when reached.

personal (or session) → similar → trending → popular → newest. Knows nothing of places,
filters or reasons.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from domain.slates import Fallback, Sources
from models.recommend.ask import Ask, Asker, Origin
from models.recommend.blend import Scored
from models.recommend.catalogue import Flags, Scores
from models.recommend.desk import Desk
from models.recommend.diversity import overlap
from models.recommend.filters import Boosts
from models.recommend.lookup import Indices
from models.recommend.member import Past


class Proposal(NamedTuple):
    """Scores over the first m indices; those not above `floor` are not proposed.

    fallback: the mark of what it fills. scored: the model's scores, when it is their
    proposal. alike: proposed for likeness to the item in view. tell: answers the sources of
    int32[k] rows that it speaks of itself, None for those it leaves to the others.
    """

    fallback: Fallback | None
    scores: Scores
    floor: float = -np.inf
    scored: Scored | None = None
    alike: bool = False
    tell: Callable[[Indices], list[Sources | None]] | None = None


@dataclass(slots=True)
class Case:
    """One question on its way to an answer.

    rows: the catalogue's index of each event's item, -1 unknown. target: the item to be
    like, -1 none. allowed: who may still be placed. past: the events the model listens to.
    """

    desk: Desk
    ask: Ask
    asker: Asker
    as_of: int
    rows: Indices
    target: int
    allowed: Flags
    boosts: Boosts | None
    past: Past | None


def proposals(case: Case) -> Iterator[Proposal]:
    """Yield what may fill the slate of `case`, best first."""
    model = case.desk.model
    own = Fallback.session if case.asker.origin is Origin.session else None
    scored = None
    if model is not None and case.past is not None:
        scored = model.score_past(case.past)
    alike = likeness_to_target(case)
    if alike is not None and scored is None:
        yield Proposal(Fallback.similar, alike, 0.0, alike=True)
    if alike is not None and scored is not None:
        # Counted from the best personal score, so that what follows scores lower.
        best = float(scored.total.max())
        near = mixed(alike, scored.total) + np.float32(best)
        yield Proposal(own, near, best, alike=True)
    if scored is not None:
        yield Proposal(own, scored.total, scored=scored)
    yield from impersonal(case)


def impersonal(case: Case) -> Iterator[Proposal]:
    """Yield what fills a slate when nothing is known of whoever asks, best first."""
    desk = case.desk
    if desk.trending is not None:
        yield Proposal(Fallback.trending, desk.trending, 0.0)
    if desk.popular is not None:
        yield Proposal(Fallback.popular, desk.popular, -np.inf if desk.model else 0.0)
    yield Proposal(Fallback.newest, desk.catalogue.recency())


def mixed(alike: Scores, wanted: Scores) -> Scores:
    """Answer likeness to the item in view, up to doubled for what the asker wants most.

    alike: float32[m]; wanted: float32[n] on any scale; items without likeness get 0.
    """
    scores = np.maximum(alike, 0)
    size = min(scores.size, wanted.size)
    least, most = float(wanted.min()), float(wanted.max())
    if most > least:
        scores[:size] *= 1 + (wanted[:size] - np.float32(least)) / np.float32(most - least)
    return scores


def likeness_to_target(case: Case) -> Scores | None:
    """Answer likeness to the item in view; without one, to the last item only we know.

    An item the model has learned is compared by the model; a newer one by its categories.
    None when there is nothing to compare with.
    """
    catalogue, model = case.desk.catalogue, case.desk.model
    if case.target < 0:
        if case.ask.item or case.past is not None:
            return None
        fresh = case.rows[case.rows >= catalogue.known]
        if not fresh.size:
            return None
        case.target = int(fresh[-1])
    if model is not None and case.target < catalogue.known:
        return model.similar(case.target)
    return overlap(catalogue.codes, np.arange(catalogue.size, dtype=np.int32), case.target)
