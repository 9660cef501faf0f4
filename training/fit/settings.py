"""What may be chosen about fitting a recommender; every default is stated here.

Knows nothing of how a choice is carried out.
"""

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from domain.errors import ScientistError
from domain.events import KINDS, Kind

KIND_WEIGHTS: dict[str, float] = {
    "click": 0.3,
    "add_to_cart": 0.6,
    "purchase": 1.0,
    "rating": 1.0,
    "subscribe": 1.0,
    "renew": 1.0,
}
"""What an event of each kind says of a liking; kinds not named, impressions above all, nothing."""


@dataclass(slots=True, frozen=True)
class RankerSettings:
    """How a ranker is learned.

    earlier: lessons at most from before the validation cut, where validation is thin. most:
    candidates a case. queries: how many are learned from at most, drawn at random, which
    bounds memory: a query takes most * columns * 4 bytes. folds: parts of the users. leaves,
    rate, least_rows, ridge, columns, bins: of the trees. trees: at most, 0 for no ranker; folds
    say how many, a multiple of `every`. truncation: pairs with neither among the first so many
    do not count.
    """

    earlier: int = 4
    most: int = 150
    queries: int = 12_000
    folds: int = 5
    leaves: int = 8
    rate: float = 0.08
    trees: int = 80
    every: int = 10
    least_rows: int = 100
    ridge: float = 10.0
    columns: float = 0.5
    truncation: int = 30
    bins: int = 63


@dataclass(slots=True, frozen=True)
class RecommendSettings:
    """How to fit a recommender.

    kind_weights: what counts as an interaction, and how much. cap: events of a history that
    serving sees. min_item_events: rarer items are left out; None means 5 above `many_items`
    items, else 1. split: "time", "leave-one-out", or "auto" (time where both windows have
    `min_cases` users, else leave-one-out). test_share: share of the events in the last window.
    repeats: whether items of a history may be answered; None means when at least
    `repeat_share` of the events are repeats. tuning_scores: how many scores one pass of tuning
    may compute, which bounds its cases. tuning_events: how many events members are learned from
    while their own numbers are tuned (whole users, drawn at random; the weights are tuned with
    members learned from all). fixed: member → numbers that are not to be tuned.
    ranker: numbers of RankerSettings other than its own. members: which to fit, None for all
    that suit the log. rounds: of the bootstrap.
    budget_seconds: how long the fit may take; smaller settings are chosen to keep it, and said.
    budget_since: when that time began, by time.monotonic; None: when the fit does. budget_after:
    seconds of it that are kept for what follows the fit.
    index_items: from so many items on members with item vectors propose by an index, which finds
    `index_recall` of what a pass over all items does.
    last: what to begin from, as training.fit.refit reads it from a released bundle; empty for
    a fit from nothing.
    """

    kind_weights: dict[str, float] = field(default_factory=lambda: dict(KIND_WEIGHTS))
    cap: int = 512
    min_item_events: int | None = None
    many_items: int = 20_000
    split: str = "auto"
    min_cases: int = 50
    index_items: int = 80_000
    index_recall: float = 0.985
    test_share: float = 0.1
    repeats: bool | None = None
    repeat_share: float = 0.15
    tuning_scores: int = 30_000_000
    tuning_events: int = 300_000
    fixed: dict[str, dict[str, Any]] = field(default_factory=dict)
    ranker: dict[str, Any] = field(default_factory=dict)
    members: tuple[str, ...] | None = None
    rounds: int = 1000
    budget_seconds: float | None = None
    budget_since: float | None = None
    budget_after: float = 0.0
    last: dict[str, Any] = field(default_factory=dict)
    threads: int = 2
    seed: int = 20

    def __post_init__(self) -> None:
        unknown = [name for name in self.kind_weights if name not in Kind.__members__]
        if unknown:
            raise ScientistError("kind_weights names no such kind: " + ", ".join(unknown))
        if self.split not in ("auto", "time", "leave-one-out"):
            raise ScientistError('split is "auto", "time" or "leave-one-out"')
        numbers = {one.name for one in fields(RankerSettings)}
        if self.ranker.keys() - numbers:
            raise ScientistError("ranker has no such number; one of " + ", ".join(sorted(numbers)))
        if self.index_items < 1 or not 0 < self.index_recall <= 1:
            raise ScientistError("index_items is 1 or more, index_recall above 0 and at most 1")
        if not 0 < self.test_share < 0.5:
            raise ScientistError("test_share lies between 0 and 0.5")
        if self.budget_seconds is not None and self.budget_seconds <= 0:
            raise ScientistError("budget_seconds is above 0")
        since = self.budget_since
        if not (since is None or isinstance(since, int | float)) or not self.budget_after >= 0:
            raise ScientistError("budget_since is a time in seconds, budget_after 0 s or more")

    def weights_by_kind(self) -> npt.NDArray[np.float32]:
        """Answer float32[KINDS]."""
        out = np.zeros(KINDS, np.float32)
        for name, weight in self.kind_weights.items():
            out[Kind[name]] = weight
        return out
