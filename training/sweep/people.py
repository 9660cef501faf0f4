"""The store's side of a sweep: consent and attributes before scoring, cached scores after it.

Who refused analytics is not scored. Knows nothing of how a score comes about.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from domain.ids import user_entity
from domain.scores import Score
from domain.users import Purpose, may_use
from feature_store.store import Store
from feature_store.sweeps.pages import LEVELS
from feature_store.sweeps.reading import Sweep

READ = 500
"""Users asked of the store in one call."""
NAME = "churn"
"""The name that cached scores of churn go by."""


class Asked(NamedTuple):
    """allowed: bool[n], who may be scored. attributes: of each, none where none are known."""

    allowed: npt.NDArray[np.bool_]
    attributes: list[Mapping[str, Any]]


async def ask_people(store: Store, users: Sequence[str], *, unanswered: bool) -> Asked:
    """Answer who may be scored, and what they told of themselves.

    unanswered: the deployment's rule for who never answered. Raises StoreUnavailable.
    """
    allowed = np.ones(len(users), np.bool_)
    attributes: list[Mapping[str, Any]] = []
    for start in range(0, len(users), READ):
        read = await store.read([user_entity(user) for user in users[start : start + READ]])
        for place, state in enumerate(read.states, start):
            allowed[place] = may_use(state.profile, Purpose.analytics, unanswered=unanswered)
            attributes.append({} if state.profile is None else state.profile.attributes)
    return Asked(allowed, attributes)


def scores_of(sweep: Sweep, start: int, end: int) -> dict[str, Mapping[str, Score]]:
    """Answer the cached scores of the rows from `start` to before `end`, by entity."""
    summary, table = sweep.summary, sweep.table
    rows = np.arange(start, min(end, len(table)))
    names = ("probability", "confidence", "level", "value", "expected_loss")
    columns = zip(*(table[name][rows].tolist() for name in names), strict=True)
    return {
        user_entity(user): {
            NAME: Score(
                probability,
                confidence,
                summary.as_of,
                summary.model,
                None,
                LEVELS[level],
                value if value == value else None,
                loss if loss == loss else None,
            )
        }
        for user, (probability, confidence, level, value, loss) in zip(
            table.names(rows), columns, strict=True
        )
    }


async def cache_scores(store: Store, sweep: Sweep, start: int) -> int:
    """Put the scores of the next READ rows from `start` into the store; answer the next start.

    A score that is there already as of a later time stays. Raises StoreUnavailable.
    """
    scores = scores_of(sweep, start, start + READ)
    if scores:
        await store.put_scores(scores)
    return start + READ
