"""The desk of churn as it stands: the released model with the bands of the last sweep.

Looks at the sweep on a clock, in a thread; made anew, and warmed, whenever either changes, so
that no request waits for a file or a compiler. Knows nothing of requests.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from domain.errors import OperatorError
from feature_store.records import EMPTY_LIFETIME, EMPTY_RECORDS
from feature_store.store import EntityState
from feature_store.sweeps.reading import Sweeps
from feature_store.sweeps.shelf import Summary
from feature_store.views.catalogue import views_named
from feature_store.views.view import View
from models.churn.answer import ChurnDesk, Person, limits_around
from models.churn.bands import Limits
from models.churn.features import VIEWS
from models.uplift.action import ACTIONS
from service.bundles import Bundles, Loaded
from service.logs import log_unexpected, log_warning
from service.polling import Poller
from service.states import view_rows

FAMILY, UPLIFT = "churn", "uplift"
UNKNOWN_RATE = 0.5
"""Stands for a base rate that the bundle does not tell, to part bands by and nothing else."""


class Desk(NamedTuple):
    """What churn is answered from: a desk, the bundles behind it, views to read.

    basis: what bands go by, "loss" as in the last sweep or "probability".
    """

    desk: ChurnDesk
    loaded: Loaded
    uplift: Loaded | None
    basis: Literal["loss", "probability"]

    @property
    def version(self) -> str:
        """The version of the churn model."""
        return self.loaded.version


class LiveChurn(Poller):
    """The current desk; `current` is replaced whole, never changed in place."""

    def __init__(self, bundles: Bundles, sweeps: Sweeps, *, poll_s: float = 1.0) -> None:
        super().__init__(poll_s)
        self.views: list[View] = views_named(VIEWS)
        self.current: Desk | None = None
        self._bundles = bundles
        self._sweeps = sweeps
        self._made_of = ("", "", "")
        self._told = False

    async def look(self) -> None:
        """Make the desk anew when a model or the sweep has changed."""
        try:
            summary = await asyncio.to_thread(self._summary)
            model, uplift = self._bundles.current(FAMILY), self._bundles.current(UPLIFT)
            made_of = (
                "" if model is None else model.version,
                "" if uplift is None else uplift.version,
                "" if summary is None else summary.id,
            )
            if made_of == self._made_of:
                return
            if model is not None:
                desk = await asyncio.to_thread(_desk, model, uplift, summary)
                await asyncio.to_thread(_warm, self.views, desk)
                self.current = desk
            self._made_of = made_of
        except Exception as error:
            log_unexpected(error, family=FAMILY)

    def _summary(self) -> Summary | None:
        """Answer what the last sweep says of itself; None without one that can be read."""
        try:
            sweep = self._sweeps.current()
        except OperatorError as error:
            if not self._told:
                log_warning("the last sweep cannot be read", why=str(error))
            self._told = True
            return None
        self._told = False
        return None if sweep is None else sweep.summary


def _desk(model: Loaded, uplift: Loaded | None, summary: Summary | None) -> Desk:
    metric = model.bundle.manifest.metrics.get("base_rate")
    rate = None if metric is None or not 0 < metric.value < 1 else metric.value
    by_loss = summary is not None and summary.basis == "loss"
    if summary is None:
        limits = limits_around(UNKNOWN_RATE if rate is None else rate)
    else:
        limits = Limits(**summary.limits).checked()
    desk = ChurnDesk(model.scorer, limits, by_loss, rate)
    return Desk(desk, model, uplift, "loss" if by_loss else "probability")


def _warm(views: list[View], desk: Desk) -> None:
    """Run every kernel that an answer may need; changes nothing."""
    state = EntityState(EMPTY_LIFETIME, EMPTY_RECORDS)
    for count in (1, 8):
        rows = view_rows(views, [state] * count, [1] * count, 1)
        desk.desk.answers(rows, [Person()] * count)
        nobody: list[Mapping[str, Any]] = [{}] * count
        effects_of(desk.uplift, rows, nobody, [None] * count)


class Effect(NamedTuple):
    """What contact adds to the chance that somebody stays, with its 95 % interval, and what is
    advised: contact, leave_alone or wait."""

    effect: float
    low: float
    high: float
    action: Literal["contact", "leave_alone", "wait"]


def effects_of(
    uplift: Loaded | None,
    rows: Mapping[str, npt.NDArray[Any]],
    people: Sequence[Mapping[str, Any]],
    values: Sequence[float | None],
) -> list[Effect | None]:
    """Answer an effect a row, None without a released uplift model.

    values: what is at stake; the bundle's own terms stand in where nothing is known.
    """
    if uplift is None:
        return [None] * len(people)
    scorer: Any = uplift.scorer
    at_stake = np.array([np.nan if value is None else value for value in values], np.float64)
    found, actions = scorer.advice(rows, people, at_stake)
    columns: list[tuple[float, float, float]] = np.stack(found, axis=1).tolist()
    places: list[int] = actions.tolist()
    return [
        Effect(*column, ACTIONS[place].value) for column, place in zip(columns, places, strict=True)
    ]
