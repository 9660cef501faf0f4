"""Members learned again with their tuned numbers, as long as there is time.

A member that there is no time to learn again stays as it was learned last: it answers as before,
but knows nothing of what came since. That is said. So a whole model is there from the first
member on, and time only makes it newer. Knows nothing of weights or of what is measured.
"""

from collections.abc import Callable, Sequence

from models.recommend.member import Member
from training.fit.budget import Budget
from training.fit.lessons import Taught, before_all
from training.fit.members import MEMBER_FITS, Learner, Params
from training.fit.numbers import DEAR
from training.fit.tuning import timed_itself
from training.splits import Interactions, Split

LESSONS = "earlier lessons for weights and ranker"
MEASURING = 0.06
"""Share of the budget that is kept for measuring on the test split."""
CAUTION = 1.25
"""By how much a step may outlast what is expected of it."""
ENOUGH = 0.8
"""Share of the passes it was judged with that a member learned again must have taken."""


def cut_short(member: Member, judged: Member | None) -> bool:
    """Tell whether a member that learns for a time of its own took fewer passes than was judged.

    Weights and ranker were found beside the one before; beside a worse one they mislead.
    """
    before = getattr(judged, "epochs", 0.0)
    return getattr(member, "epochs", 0.0) < ENOUGH * before


class Relearning:
    """Learns the members of one fit again and again, each time from more of the log."""

    def __init__(
        self,
        learner: Callable[[Interactions, int], Learner],
        budget: Budget,
        events: int,
        after: float,
        step: Callable[[str], None],
    ) -> None:
        """Take how learners are made, the budget, the log's events, and seconds for afterwards."""
        self._learner, self._budget, self._step = learner, budget, step
        self._events, self._after = events, after
        self._last: dict[str, Member] = {}

    def remember(self, members: dict[str, Member]) -> None:
        """Keep members for when there is no time to learn them again."""
        if self._budget.bounded:
            self._last |= members

    def ending(self, again: int) -> float:
        """Answer the seconds to keep for what must come in the end.

        Measuring, what follows the fit, and learning so often again what is learned fast.
        """
        whole = self._budget.seconds
        if whole is None:
            return 0.0
        each = [self._budget.expected(f"learn {name}", self._events) for name in self._last]
        fast = sum(seconds for seconds in each if seconds <= DEAR * whole)
        return self._after * self._budget.costs.pace + MEASURING * whole + again * fast

    def members(
        self,
        known: Interactions,
        as_of: int,
        params: dict[str, Params],
        names: Sequence[str],
        what: tuple[str, int],
        *,
        anew: bool = False,
    ) -> dict[str, Member]:
        """Answer the members named, learned from the known events as of `as_of`.

        what: which events these are, in words, and how often all will be learned after this.
        anew: nothing was found beside the members before, which knew a part of these events: in
        fewer passes over all of them a member is taken.
        """
        told, again = what
        events, learner, budget = len(known.items), self._learner(known, as_of), self._budget
        found: dict[str, Member] = {}

        def needed(name: str) -> float:
            return budget.expected(f"learn {name}", events)

        # What is learned fast must not wait for what takes long.
        for name in sorted(names, key=needed) if self._last else names:
            keep = self.ending(again) + again * needed(name)
            if name in self._last and not budget.affords(
                CAUTION * needed(name), f"{name}: not learned again from {told}", keep
            ):
                found[name] = self._last[name]
                continue
            tells = not timed_itself(params[name])
            with budget.timed(f"learn {name}", events, tells):
                found[name] = learner.member(name, params[name])
            if not (tells or anew) and cut_short(found[name], self._last.get(name)):
                budget.give_up(f"{name}: cut short when learned again from {told}, stays as it was")
                found[name] = self._last[name]
            self._step(f"learn {name}")
        found = {name: found[name] for name in names}
        self.remember(found)
        return found

    def lessons(
        self, split: Split, before: Sequence[Taught], params: dict[str, Params], names: list[str]
    ) -> list[Taught]:
        """Answer the earlier lessons with members; none where there is no time for them.

        Members of the moment learn anew before each. All others learn once, from what lies
        before the earliest, and are asked with what each case's history had become by then.
        """
        budget = self._budget
        needed = sum(budget.expected(f"learn {name}", self._events) for name in names)
        if not before or not budget.affords(CAUTION * needed, LESSONS, 2 * self.ending(2)):
            return []
        first = self._learner(before_all(split.known, before), before[-1].split.as_of)
        moving = [name for name in names if MEMBER_FITS[name].moving]
        still = {name: first.member(name, params[name]) for name in names if name not in moving}
        taught: list[Taught] = []
        for one in before:
            learner = self._learner(one.split.known, one.split.as_of)
            own = still | {name: learner.member(name, params[name]) for name in moving}
            taught.append(one._replace(members={name: own[name] for name in names}))
            self._step(f"lesson {len(taught) + 1}")
        return taught
