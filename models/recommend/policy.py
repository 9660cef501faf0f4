"""The whole answer: from a desk, a question and a history to a slate that is never empty.

One pure function, `recommend`, gives the answers of the service and of the batch job.
Knows nothing of stores, consent or requests.
"""

import numpy as np

from domain.slates import Fallback, Slate, Sources
from models.recommend.ask import Ask, Asker
from models.recommend.calibrated import calibrate, shares_of
from models.recommend.catalogue import Flags, Scores
from models.recommend.controls import NO_CONTROLS
from models.recommend.desk import Desk
from models.recommend.diversity import Likeness, diversify, pool_size
from models.recommend.explain import (
    BRIEFLY,
    BRIEFLY_SIMILAR,
    Past,
    brief_sources,
    personal_sources,
    plain_source,
    similar_source,
)
from models.recommend.filters import Boosts, Choice, admit
from models.recommend.hearing import Heard, hear
from models.recommend.limits import Limits
from models.recommend.lookup import Indices
from models.recommend.proposals import Case, Proposal, proposals
from models.recommend.steering import Steered, hold_back, lets_come_back, steer
from models.recommend.tasks import proposals_for
from models.recommend.topk import DIGITS, Rounded, take, take_known, top_k


def recommend(desk: Desk, ask: Ask, asker: Asker, as_of: int) -> Slate:
    """Answer the best `ask.k` items for `asker` at `as_of` (UTC milliseconds).

    Events at or after `as_of` must not be in the asker's history, nor an `ask` that
    `check_ask` refuses. The first 10 of 50 are the 10 best, but with diversity or calibration:
    more candidates then compete for more places. Fewer than k items come only when fewer may be
    shown. Seen items come when asked for, when the log says that people return to them, or when
    there would be nothing else to show; so do those held back from being repeated.
    """
    target = desk.catalogue.index(ask.item) if ask.item else -1
    choice = desk.masks.choose(ask.chosen, ask.rules)
    allowed = _allowed(desk, ask, as_of, choice)
    if target >= 0:
        allowed[target] = False
    boosts = None if choice is None else choice.boosts
    steered = None
    if ask.controls is not NO_CONTROLS:
        steered = steer(desk, ask, as_of, allowed, boosts)
        boosts = steered.boosts
    heard = hear(desk, asker, as_of, allowed, _excludes_seen(desk, ask))
    case = Case(desk, ask, asker, as_of, heard.rows, target, allowed, boosts, heard.past)
    unknown = heard.unknown + (ask.item != "" and target < 0)
    if steered is not None:
        return _steered_fill(case, steered, heard, unknown)
    slate = _fill(case, unknown)
    if not slate.ids and heard.withheld.size and ask.exclude_seen is None:
        allowed[heard.withheld] = True
        slate = _fill(case, unknown)
    return slate


def _steered_fill(case: Case, steered: Steered, heard: Heard, unknown: int) -> Slate:
    """Answer the slate of a question with controls; held back items come for want of others."""
    held = hold_back(steered, case.asker, case.rows, case.as_of, case.allowed)
    slate = _fill(case, unknown, steered)
    withheld = heard.withheld if case.ask.exclude_seen is None else heard.withheld[:0]
    if not slate.ids and steered.room and (held.size or withheld.size):
        case.allowed[held] = case.allowed[withheld] = True
        steered.released = held.size > 0
        slate = _fill(case, unknown, steered)
    return steered.seated(slate)


def _excludes_seen(desk: Desk, ask: Ask) -> bool:
    if ask.exclude_seen is None and lets_come_back(ask.controls):
        return False
    if ask.exclude_seen is None:
        return desk.model is None or not desk.model.repeats
    return ask.exclude_seen


def _allowed(desk: Desk, ask: Ask, as_of: int, choice: Choice | None) -> Flags:
    live = desk.catalogue.live(as_of, ask.chosen.available)
    allowed = live.copy() if choice is None else live & choice.allowed
    if ask.chosen.allow is not None or ask.chosen.deny:
        admit(desk.catalogue, ask.chosen, allowed)
    return allowed


def _fill(case: Case, unknown: int, steered: Steered | None = None) -> Slate:
    """Answer the slate of `case`; its mark is the last place's: the most personal come first."""
    catalogue, k = case.desk.catalogue, case.ask.k if steered is None else steered.room
    ids: list[str] = []
    scores: list[float] = []
    sources: list[Sources] = []
    marks: list[Fallback | None] = []
    listed: list[bool] = []
    for proposal in proposals(case) if steered is None else proposals_for(case):
        chosen, values = _best(case, proposal, k - len(ids), steered)
        if not chosen.size:
            continue
        ids += [catalogue.ids[row] for row in chosen.tolist()]
        scores += values.tolist()
        sources += _sources(case, proposal, chosen)
        marks += [proposal.fallback] * chosen.size
        listed += catalogue.listed[chosen].tolist()
        if len(ids) == k:
            break
    mark = marks[-1] if marks else Fallback.newest
    return Slate(
        tuple(ids), tuple(scores), tuple(sources), tuple(marks), tuple(listed), mark, unknown
    )


def _best(
    case: Case, proposal: Proposal, need: int, steered: Steered | None
) -> tuple[Indices, Rounded]:
    """Take up to `need` allowed items of one proposal, best first, and their scores."""
    if case.boosts is None and case.ask.diversity == 0 and steered is None:
        scored = proposal.scored
        if scored is not None and proposal.scores is scored.total:
            known = take_known(scored.best, scored.total, need, case.allowed, proposal.floor)
            if known is not None:
                return known
        return take(proposal.scores, need, case.allowed, proposal.floor)
    scores, floor = proposal.scores, proposal.floor
    if case.boosts is not None:
        scores, floor = _boosted(proposal, case.boosts), -np.inf
    if steered is not None and steered.limits is not None:
        rows = _within_caps(case, scores, floor, need, steered.limits)
    else:
        rows = _in_order(case, scores, floor, need)
        case.allowed[rows] = False
    return rows, np.round(scores[rows].astype(np.float64), DIGITS)


def _in_order(case: Case, scores: Scores, floor: float, need: int) -> Indices:
    """Answer up to `need` allowed items that score above `floor`, in the order to show them."""
    ask, allowed = case.ask, case.allowed[: scores.size]
    plain = ask.diversity == 0 and not ask.controls.calibrated
    pool = top_k(scores, need if plain else pool_size(need), allowed)
    values = scores[pool]
    pool, values = pool[values > floor], values[values > floor]
    if plain:
        return pool
    if ask.diversity > 0:
        return pool[diversify(values, need, ask.diversity, _likeness(case.desk, pool))]
    catalogue = case.desk.catalogue
    wanted = shares_of(catalogue.codes, case.rows, case.desk.kind_weights[case.asker.kinds])
    return pool[calibrate(values, need, catalogue.codes, pool, wanted)]


def _within_caps(case: Case, scores: Scores, floor: float, need: int, limits: Limits) -> Indices:
    """Take up to `need` items in order, passing over those that a cap leaves no room for."""
    taken: list[Indices] = []
    while need > 0:
        rows = _in_order(case, scores, floor, need)
        kept, passed = limits.admit(rows, need)
        taken.append(rows[kept])
        need -= len(kept)
        # Passed over once is out for good: room never comes back.
        case.allowed[rows] = False
        limits.close(case.allowed)
        if not passed:
            break
    return np.concatenate(taken) if taken else np.zeros(0, np.int32)


def _boosted(proposal: Proposal, boosts: Boosts) -> Scores:
    """Multiply the scores, counted from the least, so that a boost lifts negative ones too."""
    scores = proposal.scores
    proposed = scores > proposal.floor
    if not proposed.any():
        return scores[:0]
    least = scores[proposed].min() if proposal.floor == -np.inf else np.float32(proposal.floor)
    return np.where(proposed, (scores - least) * boosts[: scores.size], np.float32(-np.inf))


def _likeness(desk: Desk, rows: Indices) -> Likeness:
    return Likeness(desk.catalogue.codes, rows, desk.graph)


def _sources(case: Case, proposal: Proposal, rows: Indices) -> list[Sources]:
    """Answer the sources of each place: the members always, the reasons if asked for."""
    model, catalogue, explain = case.desk.model, case.desk.catalogue, case.ask.explain
    if proposal.tell is not None:
        told = proposal.tell(rows)
        others = np.array(
            [row for row, one in zip(rows, told, strict=True) if one is None], np.int32
        )
        rest = iter(_sources(case, proposal._replace(tell=None), others) if others.size else ())
        return [next(rest) if one is None else one for one in told]
    if proposal.alike:
        one = similar_source(catalogue, case.target) if explain else BRIEFLY_SIMILAR
        return [one] * rows.size
    if proposal.scored is None or model is None or case.past is None:
        fallback = proposal.fallback or Fallback.popular
        return [plain_source(fallback) if explain else BRIEFLY[fallback]] * rows.size
    parts = proposal.scored.parts(rows)
    if not explain:
        return brief_sources(model.voices, parts)
    places = case.past.places
    past = Past(case.past.indices, case.asker.kinds[places], case.asker.ats[places])
    return personal_sources(model, catalogue, parts, rows, past, case.as_of)
