"""The whole answer: from a desk, a question and a history to a slate that is never empty.

One pure function, `recommend`, gives the answers of the service and of the batch job.
Knows nothing of stores, consent or requests.
"""

import numpy as np
from numba import njit

from domain.events import Kind
from domain.slates import Fallback, Ranked, Slate
from models.recommend.ask import Ask, Asker
from models.recommend.catalogue import Flags, Scores
from models.recommend.desk import Desk
from models.recommend.diversity import Likeness, diversify, pool_size
from models.recommend.explain import (
    BRIEFLY,
    BRIEFLY_SIMILAR,
    Sources,
    brief_sources,
    personal_sources,
    plain_source,
    similar_source,
)
from models.recommend.filters import Boosts, Choice, admit
from models.recommend.item_graph import ItemGraph
from models.recommend.lookup import Indices
from models.recommend.proposals import Case, Proposal, counted, proposals
from models.recommend.topk import top_k

COUNTS_AS_SEEN: Flags = np.zeros(256, np.bool_)
COUNTS_AS_SEEN[
    [Kind.click, Kind.add_to_cart, Kind.purchase, Kind.rating, Kind.subscribe, Kind.renew]
] = True
"""Kinds of events after which an item is no news; being shown something is not one."""


def recommend(desk: Desk, ask: Ask, asker: Asker, as_of: int) -> Slate:
    """Answer the best `ask.k` items for `asker` at `as_of` (UTC milliseconds).

    Events at or after `as_of` must not be in the asker's history, nor an `ask` that
    `check_ask` refuses. Without diversity the first 10 of 50 are the 10 best. Fewer than k
    items come only when fewer may be shown. Seen items come when asked for, when the log
    says that people return to them, or when there would be nothing else to show.
    """
    catalogue = desk.catalogue
    rows = catalogue.indices(asker.items)
    target = catalogue.index(ask.item) if ask.item else -1
    choice = desk.masks.choose(ask.chosen, ask.rules)
    allowed = _allowed(desk, ask, as_of, choice)
    if target >= 0:
        allowed[target] = False
    case = Case(
        desk, ask, asker, as_of, rows, target, allowed,
        None if choice is None else choice.boosts, counted(desk, asker, rows),
    )  # fmt: skip
    withheld = _withhold_seen(case)
    places = _fill(case)
    if not places and withheld.size and ask.exclude_seen is None:
        allowed[withheld] = True
        places = _fill(case)
    unknown = int(ask.item != "" and target < 0)
    if rows.size:
        unknown += int(np.count_nonzero((rows < 0) & (asker.items != 0)))
    return Slate(tuple(places), _furthest(places), unknown)


def _allowed(desk: Desk, ask: Ask, as_of: int, choice: Choice | None) -> Flags:
    live = desk.catalogue.live(as_of, ask.chosen.available)
    allowed = live.copy() if choice is None else live & choice.allowed
    if ask.chosen.allow is not None or ask.chosen.deny:
        admit(desk.catalogue, ask.chosen, allowed)
    return allowed


@njit(cache=True)
def _withhold(rows, kinds, counts, allowed, withheld):
    size = 0
    for event in range(rows.size):
        row = rows[event]
        if row >= 0 and counts[kinds[event]] and allowed[row]:
            allowed[row] = False
            withheld[size] = row
            size += 1
    return size


def _withhold_seen(case: Case) -> Indices:
    """Take the items already seen out of `case.allowed`, if so asked; answer which."""
    exclude = case.ask.exclude_seen
    if exclude is None:
        exclude = case.desk.model is None or not case.desk.model.repeats
    seen = np.empty(case.rows.size, np.int32)
    if not exclude or not seen.size:
        return seen[:0]
    return seen[: _withhold(case.rows, case.asker.kinds, COUNTS_AS_SEEN, case.allowed, seen)]


def _furthest(places: list[Ranked]) -> Fallback | None:
    """Answer the mark of the last place: places come from the most personal on."""
    return places[-1].fallback if places else Fallback.newest


def _fill(case: Case) -> list[Ranked]:
    catalogue = case.desk.catalogue
    ids, items = catalogue.ids, catalogue.items
    places: list[Ranked] = []
    for proposal in proposals(case):
        chosen, scores = _best(case, proposal, case.ask.k - len(places))
        case.allowed[chosen] = False
        sources = _sources(case, proposal, chosen) if chosen.size else []
        mark = proposal.fallback
        # Float32 holds no more digits than these, and short numbers travel and print faster.
        values = [round(score, 5) for score in scores.tolist()]
        places += [
            Ranked(ids[row], score, named, mark, items[row] is not None)
            for row, score, named in zip(chosen.tolist(), values, sources, strict=True)
        ]
        if len(places) == case.ask.k:
            break
    return places


def _best(case: Case, proposal: Proposal, need: int) -> tuple[Indices, Scores]:
    """Answer up to `need` allowed items of one proposal, best first, and their scores."""
    scores = proposal.scores
    if case.boosts is not None:
        scores = _boosted(proposal, case.boosts)
    diversity = case.ask.diversity
    many = pool_size(need) if diversity > 0 else need
    chosen = top_k(scores, many, case.allowed[: scores.size])
    values = scores[chosen]
    if case.boosts is None and proposal.floor > -np.inf:
        passing = int((values > proposal.floor).sum())
        chosen, values = chosen[:passing], values[:passing]
    if diversity > 0 and chosen.size > 1:
        order = diversify(values, need, diversity, _likeness(case.desk, chosen))
        chosen, values = chosen[order], values[order]
    return chosen, values


def _boosted(proposal: Proposal, boosts: Boosts) -> Scores:
    """Multiply the scores, counted from the least, so that a boost lifts negative ones too."""
    scores = proposal.scores
    proposed = scores > proposal.floor
    if not proposed.any():
        return scores[:0]
    least = scores[proposed].min() if proposal.floor == -np.inf else np.float32(proposal.floor)
    return np.where(proposed, (scores - least) * boosts[: scores.size], np.float32(-np.inf))


def _likeness(desk: Desk, rows: Indices) -> Likeness:
    model = desk.model
    graph = None
    if model is not None and "graph" in model.members:
        member = model.scorers[model.members.index("graph")]
        graph = member.edges if isinstance(member, ItemGraph) else None
    return Likeness(desk.catalogue.codes, rows, graph)


def _sources(case: Case, proposal: Proposal, rows: Indices) -> list[Sources]:
    """Answer the sources of each place: the members always, the reasons if asked for."""
    model, catalogue, explain = case.desk.model, case.desk.catalogue, case.ask.explain
    if proposal.alike:
        one = similar_source(catalogue, case.target) if explain else BRIEFLY_SIMILAR
        return [one] * rows.size
    if proposal.parts is None or model is None or case.past is None:
        fallback = proposal.fallback or Fallback.popular
        return [plain_source(fallback) if explain else BRIEFLY[fallback]] * rows.size
    if explain:
        return personal_sources(model, catalogue, proposal.parts, rows, case.past, case.as_of)
    return brief_sources(model.voices, proposal.parts, rows)
