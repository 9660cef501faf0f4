"""Who is asked about: the same people a model learned from, as of now instead of a past time.

inactivity    users active, by the model's kinds of events, within its active_days
contractual   users whose term runs; for a model learned from a label set, everybody known

Knows nothing of scores.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from domain.clock import DAY_MS
from domain.ids import hash64
from feature_store.history import History
from training.labels import around, kind_flags, lasting_groups, terms

I64 = npt.NDArray[np.int64]


class Population(NamedTuple):
    """users: ids, those of the log first. entity: int64[n], numbers in History.entities, -1 for
    who has no event. left_out: how many users of the log are not asked about, by why."""

    users: list[str]
    entity: I64
    left_out: dict[str, int]


def population(
    history: History, definition: Mapping[str, Any], as_of: int, labelled: Sequence[str] | None
) -> Population:
    """Answer who is asked about as of `as_of` (ms UTC, exclusive).

    labelled: the users of the label set that the model learned from, None when it learned from
    events.
    """
    people = np.array([name[0] == "u" for name in history.entities], np.bool_)
    groups = lasting_groups(history)
    began = np.full(len(people), np.iinfo(np.int64).max, np.int64)
    some = (groups >= 0) & people
    starts = history.offsets[groups[some]]
    filled = starts < history.offsets[groups[some] + 1]
    first = np.full(len(starts), np.iinfo(np.int64).max, np.int64)
    first[filled] = history.records["at"][starts[filled]]
    began[some] = first
    known = np.flatnonzero(began < as_of)
    if labelled is not None:
        users = [history.entities[one][1:] for one in known]
        more = sorted(set(labelled) - set(users))
        entity = np.concatenate([known, np.full(len(more), -1, np.int64)])
        return Population([*users, *more], entity, {})
    as_ofs = np.full(len(known), as_of, np.int64)
    if definition["definition"] == "inactivity":
        seen = around(history, known, as_ofs, 0, kind_flags(definition["kinds"])).last
        keep = (seen >= 0) & (as_of - seen <= definition["active_days"] * DAY_MS)
        why = "inactive"
    else:
        keep = terms(history, known, as_ofs, 0, 1)[0]
        why = "without_a_term"
    chosen = known[keep]
    users = [history.entities[one][1:] for one in chosen]
    return Population(users, chosen, {why: int((~keep).sum())})


def part_of(users: Sequence[str], parts: int) -> I64:
    """Answer which part each user belongs to, by a hash of the id: the same in every run,
    whatever else the log has come to hold."""
    return np.array([hash64(user) % parts for user in users], np.int64)
