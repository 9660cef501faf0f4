"""What may fill a slate, from the most personal to the last resort, each made when reached.

personal (or session) → similar → segment → trending → popular → newest. Knows nothing of places,
filters or reasons.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from domain.slates import Fallback, Source, Sources
from models.recommend.arrivals import CONTENT, Stand
from models.recommend.ask import Ask, Asker, Origin
from models.recommend.blend import Scored
from models.recommend.candidates import scene_of
from models.recommend.catalogue import Flags, Scores
from models.recommend.controls import NO_CONTROLS
from models.recommend.desk import Desk
from models.recommend.diversity import overlap
from models.recommend.explain import (
    BRIEFLY,
    RECENT,
    Past,
    plain_source,
    segment_source,
    told_sources,
)
from models.recommend.filters import Boosts
from models.recommend.lookup import Indices
from models.recommend.member import Past as Heard
from models.recommend.narrow import Found
from models.recommend.ties import untied

NO_PAST = Heard(
    np.zeros(0, np.int32), np.zeros(0, np.float32), np.zeros(0, np.float32),
    np.zeros(0, np.int32), np.zeros(0, np.uint8),
)  # fmt: skip
_BRIEFLY = Sources((Source(CONTENT, 1.0),))


class Proposal(NamedTuple):
    """Scores over the first m indices; those not above `floor` are not proposed.

    fallback: the mark of what it fills. scored: the model's scores, when it is their
    proposal. alike: proposed for likeness to the item in view. tell: answers the sources of
    int32[k] rows that it speaks of itself, None for those it leaves to the others.
    """

    fallback: Fallback | None
    scores: Scores
    floor: float = -np.inf
    scored: Scored | Found | None = None
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
    past: Heard | None


def proposals(case: Case) -> Iterator[Proposal]:
    """Yield what may fill the slate of `case`, best first."""
    model = case.desk.model
    own = Fallback.session if case.asker.origin is Origin.session else None
    scored = None
    if model is not None and case.past is not None:
        scene = scene_of(case.as_of, case.ask.device, case.ask.page)
        # An item in view, boosts and controls look at the scores of all items.
        plain = case.target < 0 and case.boosts is None and case.ask.controls is NO_CONTROLS
        score = model.propose if plain and _learned_only(case) else model.score_past
        scored = score(case.past, case.allowed, scene)
    stand = stand_of(case, scored)
    # A new item in the history that content can hear needs no likeness to be inferred.
    alike = likeness_to_target(case) if stand is None or case.target >= 0 else None
    if alike is not None and scored is None:
        yield Proposal(Fallback.similar, alike, 0.0, alike=True)
    if alike is not None and scored is not None:
        # Counted from the best personal score, so that what follows scores lower.
        best = float(scored.total.max())
        near = mixed(alike, scored.total) + np.float32(best)
        yield Proposal(own, near, best, alike=True)
    if stand is not None:
        yield Proposal(own, stand.scores, scored=scored, tell=partial(_tell, case, scored, stand))
    elif scored is not None:
        yield Proposal(own, scored.total, scored=scored)
    yield from impersonal(case)


def _learned_only(case: Case) -> bool:
    """Tell whether nothing of the history is heard by content alone."""
    arrivals = case.desk.arrivals
    if arrivals is None or case.desk.model is None or case.desk.model.narrow is None:
        return True
    arrivals.catch_up()
    new = case.rows[case.rows >= case.desk.catalogue.known]
    return not new.size or not any(arrivals.vector(row).any() for row in new.tolist())


def stand_of(case: Case, scored: Scored | Found | None) -> Stand | None:
    """Answer the scores of all items, those of arrivals among them; None without any.

    `scored` None: none of the history's items is the model's; new ones may be.
    """
    desk, arrivals = case.desk, case.desk.arrivals
    if arrivals is None or desk.model is None:
        return None
    arrivals.catch_up()
    if not arrivals.count or not case.rows.size:
        return None
    taste = arrivals.taste(case.rows, case.asker.kinds, desk.kind_weights)
    if scored is None and taste.share == 0:
        return None
    if isinstance(scored, Found) and desk.model.narrow is not None:
        asked = arrivals.content.asked_by(taste.vector)
        peak = desk.model.narrow.peak(CONTENT, asked)
        return arrivals.beside(scored.total, taste, asked, (scored.middle, peak), case.allowed)
    total = desk.model.score_past(NO_PAST).total if scored is None else scored.total
    return arrivals.stand(total, taste, case.allowed)


def _tell(
    case: Case, scored: Scored | Found | None, stand: Stand, rows: Indices
) -> list[Sources | None]:
    """Tell of content where an item is new, or where new items of the history moved it most."""
    mine = rows >= case.desk.catalogue.known
    if scored is None:
        mine[:] = True
    elif stand.moved is not None:
        # What the model itself says for an item, counted from its mean and for its share.
        left = stand.scores[: stand.moved.size] - stand.moved
        known = np.flatnonzero(~mine)
        moved = stand.moved[rows[known]]
        mine[known] = moved > np.maximum(left[rows[known]] - left.mean(), 0)
    told: list[Sources | None] = [None] * rows.size
    for place, one in zip(
        np.flatnonzero(mine).tolist(), content_sources(case, rows[mine]), strict=True
    ):
        told[place] = one
    return told


def content_sources(case: Case, rows: Indices) -> list[Sources]:
    """Answer content as the source of each item, with the events it rests on if asked for."""
    arrivals, kinds = case.desk.arrivals, case.asker.kinds
    if not case.ask.explain or arrivals is None or not rows.size:
        return [_BRIEFLY] * rows.size
    weights = case.desk.kind_weights[kinds]
    heard = np.flatnonzero((case.rows >= 0) & (weights > 0))[-RECENT:]
    fading = arrivals.content.decay ** np.arange(heard.size)[::-1]
    speaks = arrivals.reasons(rows, case.rows[heard], (weights[heard] * fading).astype(np.float32))
    past = Past(case.rows[heard], kinds[heard], case.asker.ats[heard])
    return told_sources(case.desk.catalogue, CONTENT, rows, past, speaks)


def impersonal(case: Case) -> Iterator[Proposal]:
    """Yield what fills a slate when nothing is known of whoever asks, best first."""
    desk = case.desk
    if case.asker.segments and (among := among_segments(case, case.asker.segments)):
        yield among
    if desk.trending is not None:
        yield Proposal(Fallback.trending, desk.trending, 0.0)
    if desk.popular is not None:
        yield Proposal(Fallback.popular, desk.popular, -np.inf if desk.model else 0.0)
    yield Proposal(Fallback.newest, desk.catalogue.recency())


def among_segments(case: Case, names: Sequence[str]) -> Proposal | None:
    """Answer what rises in segments; None where none of them says anything of its own.

    Each item is told of by the segment that wants it most, or by what everybody wants.
    """
    segments = case.desk.segments
    found = None if segments is None else segments.mixed(names)
    if segments is None or found is None:
        return None
    scores, told = found
    everybody = Fallback.trending
    plain = plain_source(everybody) if case.ask.explain else BRIEFLY[everybody]

    def tell(rows: Indices) -> list[Sources | None]:
        speakers = [segments.speaker(told, row) for row in rows.tolist()]
        if not case.ask.explain:
            return [BRIEFLY[Fallback.segment] if name else plain for name in speakers]
        return [segment_source(name) if name else plain for name in speakers]

    return Proposal(Fallback.segment, scores, 0.0, tell=tell)


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

    An item the model has learned is compared by the model; a newer one by its content, or by
    its categories where nothing was learned of content.
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
    if case.desk.arrivals is not None:
        case.desk.arrivals.catch_up()
        vector = case.desk.arrivals.vector(case.target)
        if vector.any():
            return untied(catalogue, case.desk.arrivals.alike(vector))
    everyone = np.arange(catalogue.size, dtype=np.int32)
    return untied(catalogue, overlap(catalogue.codes, everyone, case.target))
