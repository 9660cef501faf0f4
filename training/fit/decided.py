"""Whether a ranker learns from logged answers too: told by later answers of other people.

The first half of the queries of answers teaches beside the held-out ones, the next quarter says
how much they count, the last quarter judges. A forest is judged on people and times that it has
not seen. Knows nothing of how queries are made.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from models.forest import Forest
from training.fit.answered import Told
from training.fit.choice import Gain, gain_of
from training.fit.lambdarank import F64, I64, Grower, Queries, judge_ranker, merged, ndcg_of
from training.fit.settings import RankerSettings

LEAST = 1_000
"""Below this many queries answers teach nothing."""
SHARES = (0.3, 1.0, 3.0)
"""What a query of an answer may count, a held-out one being 1."""
DECIDED = "ranker_with_decisions"
ON_EVENTS = f"{DECIDED}_on_events"
_TEACHES, _WEIGHS, _JUDGES = 1, 2, 3


class Held(NamedTuple):
    """Held-out queries with the fold of each, int64[q]."""

    queries: Queries
    folds: I64


class Trial:
    """The trial of one log: queries of both kinds, the held-out ones first.

    narrow: columns that held-out queries have by themselves; of scenes they know nothing.
    judging: bool[q], those that judge. teaching: float64[q] of a share, see `counts`.
    """

    def __init__(
        self, held: Held, told: Told, settings: RankerSettings, seed: int, threads: int
    ) -> None:
        """Give held-out queries the columns of scenes: missing, for nobody said."""
        queries, count = held.queries, len(held.folds)
        self.narrow = queries.rows.shape[1]
        missing = told.queries.rows.shape[1] - self.narrow
        none = np.full((len(queries.rows), missing), np.nan, np.float32)
        wide = queries._replace(rows=np.hstack([queries.rows, none]))
        self.queries = merged([wide, told.queries])
        self.folds = np.concatenate([held.folds, told.folds])
        self.worth = np.concatenate([np.ones(count), told.worth])
        place = np.arange(len(told.worth)) / max(len(told.worth), 1)
        part = np.select([place < 0.5, place < 0.75], [_TEACHES, _WEIGHS], _JUDGES)
        self._part = np.concatenate([np.zeros(count, np.int64), part])
        self.held = self._part == 0
        self.judging = self._part == _JUDGES
        self._rest = settings, seed, threads

    def counts(self, share: float, *, all_teach: bool = False) -> F64:
        """Answer float64[q], what each counts in learning: 1 if held out, `share` times its own
        worth if of an answer that teaches, 0 if not."""
        weights = np.where(self.held, 1.0, share * self.worth)
        return weights if all_teach else np.where(self._part <= _TEACHES, weights, 0.0)

    def plain(self) -> Queries:
        """Answer all queries without the columns of scenes."""
        rows = np.ascontiguousarray(self.queries.rows[:, : self.narrow])
        return self.queries._replace(rows=rows)

    def share(self, trees: int) -> float:
        """Answer what answers count best: taught to half of the people, told by the others."""
        teach = self.folds % 2 == 0
        asked, found = ~teach & (self._part == _WEIGHS), list[float]()
        for share in SHARES:
            grower = self._grower(np.where(teach, self.counts(share), 0.0))
            values = grower.judged(grower.grow(trees), asked, [trees])[0]
            found.append(float(values @ self.worth[asked]))
        return SHARES[int(np.argmax(found))]

    def judge(self, share: float, step: Callable[[str], None]) -> tuple[int, F64]:
        """Answer how many trees, and float64[q] NDCG out of fold, answers having taught too."""
        weights = self.counts(share)
        return judge_ranker(self._grower(weights), self.folds, weights, step)

    def in_order_of(self, column: int) -> F64:
        """Answer float64[q]: NDCG in the order of one column."""
        return ndcg_of(self.queries, self.queries.rows[:, column].astype(np.float64))

    def forest(self, share: float, trees: int) -> Forest:
        """Grow the forest to release, taught by all."""
        return self._grower(self.counts(share, all_teach=True)).forest(trees)

    def gain(self, over: str, first: F64, second: F64, seed: int) -> Gain:
        """Answer what the second gains over the first, float64[q], on the answers that judge,
        each counting by its place."""
        mine = self.judging
        worth = self.worth[mine] / max(float(self.worth[mine].mean()), 1e-12)
        users = self.queries.users[mine]
        return gain_of(over, DECIDED, first[mine] * worth, second[mine] * worth, users, seed)

    def _grower(self, weights: F64) -> Grower:
        return Grower(self.queries, weights, *self._rest)


def try_answers(trial: Trial, trees: int, step: Callable[[str], None]) -> tuple[float, int, F64]:
    """Answer what answers count best, how many trees to grow then, and float64[q]: NDCG of every
    query out of fold. trees: how many to find out with what they count."""
    share = trial.share(trees)
    step("what answers count")
    return share, *trial.judge(share, step)
