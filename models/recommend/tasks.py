"""What may fill a slate, by what sort of answer is wanted: a basket, what is alike, what rises.

Each task begins with what was asked for, which is marked by nothing, and goes on with what is
there for everybody, which is. Knows nothing of places, filters or caps.
"""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from domain.events import Kind
from domain.slates import Fallback, Source, Sources
from models.recommend.ask import Origin
from models.recommend.catalogue import Scores
from models.recommend.controls import Task
from models.recommend.explain import BRIEFLY, REPEATS, and_list, plain_source
from models.recommend.lookup import Indices
from models.recommend.member import standardise
from models.recommend.proposals import (
    Case,
    Proposal,
    among_segments,
    impersonal,
    likeness_to_target,
    proposals,
)

HABIT = 2.0
CART = 4.0
"""How much own habit and what goes with the cart count beside taste, each in units of its own
deviation: the best of few on baskets of an earlier month of online-retail, not sensitive."""
TOGETHER = "bought_together"
"""What is named where an item goes with those in view or in the cart."""
MOST = 3
"""How many of them a sentence names."""
_TOGETHER = Sources((Source(TOGETHER, 1.0),))
_AGAIN = Sources((Source(REPEATS, 1.0),))
_Tell = Callable[[int], Sources]


def proposals_for(case: Case) -> Iterator[Proposal]:
    """Yield what may fill the slate of `case`, best first, for the task it was asked."""
    return _TASKS[case.ask.controls.task](case)


def in_view(case: Case) -> Indices:
    """Answer the rows of the items in view and in the cart, those that anybody knows."""
    ask, index = case.ask, case.desk.catalogue.index
    names = (ask.item, *ask.controls.basket) if ask.item else ask.controls.basket
    rows = np.array([index(name) for name in names], np.int32)
    return np.unique(rows[rows >= 0])


def _similar(case: Case) -> Iterator[Proposal]:
    alike = likeness_to_target(case)
    if alike is not None:
        yield Proposal(None, alike, 0.0, alike=True)
    yield from impersonal(case)


def _trending(case: Case) -> Iterator[Proposal]:
    name = case.ask.controls.segment
    if name:
        among = among_segments(case, (name,))
        if among is not None:
            yield among._replace(fallback=None)
        yield from impersonal(case)
        return
    told = plain_source(Fallback.trending) if case.ask.explain else BRIEFLY[Fallback.trending]
    for proposal in impersonal(case):
        if proposal.fallback is Fallback.trending:
            proposal = proposal._replace(fallback=None, tell=lambda rows: [told] * rows.size)
        yield proposal


def _bought_together(case: Case) -> Iterator[Proposal]:
    view = in_view(case)
    near = _near(case, view)
    if near is not None:
        yield Proposal(None, near, 0.0, tell=partial(_each, partial(_with, case, view)))
    if view.size and case.target < 0:
        case.target = int(view[-1])
    alike = likeness_to_target(case) if case.target >= 0 else None
    if alike is not None:
        yield Proposal(Fallback.similar, alike, 0.0, alike=True)
    yield from impersonal(case)


def _basket(case: Case) -> Iterator[Proposal]:
    """Yield the next basket: taste, own habit, and what goes with the cart, weighed.

    Habit is added where the model did not learn how readily things are had again.
    """
    model, view = case.desk.model, in_view(case)
    near = _near(case, view)
    scored = model.blended(case.past) if model is not None and case.past is not None else None
    if scored is None and near is None:
        yield from proposals(case)
        return
    if scored is None:
        assert near is not None
        yield Proposal(None, near, 0.0, tell=partial(_each, partial(_with, case, view)))
        yield from impersonal(case)
        return
    wanted = scored.total.copy()
    standardise(wanted)
    told: list[tuple[Scores, _Tell]] = []
    if model is not None and "repeats" not in model.voices:
        told.append((_weighed(_habit(case, wanted.size), HABIT), partial(_again, case)))
    if near is not None:
        told.append((_weighed(near.copy(), CART), partial(_with, case, view)))
    whole = wanted + sum(gained for gained, _ in told)
    own = Fallback.session if case.asker.origin is Origin.session else None
    yield Proposal(own, whole, scored=scored, tell=partial(_loudest, wanted, told))
    yield from impersonal(case)


def _weighed(scores: Scores, weight: float) -> Scores:
    """Standardise scores in place and multiply them."""
    standardise(scores)
    scores *= np.float32(weight)
    return scores


def _loudest(
    wanted: Scores, told: list[tuple[Scores, _Tell]], rows: Indices
) -> list[Sources | None]:
    """Answer the sources of rows that something else moved more than taste did, else None."""
    found: list[Sources | None] = []
    for row in rows.tolist():
        most, tell = max(
            ((float(gained[row]), tell) for gained, tell in told),
            key=lambda one: one[0],
            default=(0.0, None),
        )
        found.append(None if tell is None or most <= max(float(wanted[row]), 0) else tell(row))
    return found


def _near(case: Case, view: Indices) -> Scores | None:
    """Answer what goes with the rows in view, float32[n], None when nothing is known to."""
    together = case.desk.together
    if together is None or not view.size:
        return None
    near = together.scores(view)
    return near if near.any() else None


def _habit(case: Case, size: int) -> Scores:
    """Answer the logarithm of one plus how often each item was bought, float32[size]."""
    rows = case.rows[case.asker.kinds == Kind.purchase]
    rows = rows[(rows >= 0) & (rows < size)]
    return np.log1p(np.bincount(rows, minlength=size)).astype(np.float32)


def _again(case: Case, row: int) -> Sources:
    """Say how often the item was bought before."""
    if not case.ask.explain:
        return _AGAIN
    times = int(((case.rows == row) & (case.asker.kinds == Kind.purchase)).sum())
    often = "before" if times == 1 else f"{times} times before"
    return Sources(
        (Source(REPEATS, 1.0, (case.desk.catalogue.ids[row],), f"You bought it {often}"),)
    )


def _each(tell: _Tell, rows: Indices) -> list[Sources | None]:
    return [tell(row) for row in rows.tolist()]


def _with(case: Case, view: Indices, row: int) -> Sources:
    """Say with which of the items in view an item goes, the closest first."""
    if not case.ask.explain:
        return _TOGETHER
    together, catalogue = case.desk.together, case.desk.catalogue
    assert together is not None
    closeness = together.scores(np.array([row], np.int32))
    known = view[view < closeness.size]
    found = known[closeness[known] > 0]
    found = found[np.argsort(-closeness[found], kind="stable")][:MOST].tolist()
    text = f"{case.desk.beside} " + and_list([catalogue.title(one) for one in found])
    return Sources((Source(TOGETHER, 1.0, tuple([catalogue.ids[one] for one in found]), text),))


_TASKS: dict[Task, Callable[[Case], Iterator[Proposal]]] = {
    Task.recommend: proposals,
    Task.basket: _basket,
    Task.similar: _similar,
    Task.bought_together: _bought_together,
    Task.trending: _trending,
}
