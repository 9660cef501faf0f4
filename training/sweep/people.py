"""The store's side of a sweep: consent and attributes before scoring, cached scores after it.

Who refused analytics is not scored; of who refused personalisation no intent is looked at.
Histories come from the log, never from here. Knows nothing of how a score comes about.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from domain.ids import user_entity
from domain.scores import Score
from domain.users import Purpose, may_use
from feature_store.audiences import intent_columns
from feature_store.store import Store
from feature_store.sweeps.attributes import attribute_columns
from feature_store.sweeps.pages import LEVELS
from feature_store.sweeps.reading import Sweep

READ = 500
"""Users asked of the store in one call."""
NAME, INTENT = "churn", "intent"
"""The names that cached scores go by."""


class Asked(NamedTuple):
    """allowed: bool[n], who may be scored. attributes: of each, none where none are known.
    intent: what was told last of each one's visits, None where nothing was."""

    allowed: npt.NDArray[np.bool_]
    attributes: list[Mapping[str, Any]]
    intent: list[Score | None]

    def of(self, places: npt.NDArray[np.intp]) -> "Asked":
        """Answer some of them."""
        return Asked(
            self.allowed[places],
            [self.attributes[place] for place in places],
            [self.intent[place] for place in places],
        )

    def columns(self, until: int) -> dict[str, npt.NDArray[Any]]:
        """Answer what conditions may ask of them beside features; scores told until `until`."""
        return attribute_columns(self.attributes) | intent_columns(self.intent, until)


async def ask_people(store: Store, users: Sequence[str], *, unanswered: bool) -> Asked:
    """Answer who may be scored, and what they told of themselves.

    unanswered: the deployment's rule for who never answered. Raises StoreUnavailable.
    """
    asked = Asked(np.ones(len(users), np.bool_), [], [])
    for start in range(0, len(users), READ):
        read = await store.read_profiles(users[start : start + READ])
        for place, (profile, scores) in enumerate(read, start):
            asked.allowed[place] = may_use(profile, Purpose.analytics, unanswered=unanswered)
            asked.attributes.append({} if profile is None else profile.attributes)
            personal = may_use(profile, Purpose.personalisation, unanswered=unanswered)
            asked.intent.append(scores.get(INTENT) if personal else None)
    return asked


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
