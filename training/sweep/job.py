"""The sweep as a job: planned, scored part by part, made whole, pointed at; resumable anywhere.

    plan ──> part, part, part … ──> table, Parquet, summary ──> pointer ──> cached scores
    one file each, renamed into place: a stop anywhere costs the part at hand

Knows nothing of the command line or of who is notified.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from domain.clock import Clock, system_clock
from domain.errors import OperatorError, ScientistError, Unavailable
from feature_store.history import History
from feature_store.log.lock import Busy, only_one
from feature_store.store import Store
from feature_store.sweeps.durable import write_whole
from feature_store.sweeps.reading import Sweep, Sweeps, open_sweep
from feature_store.sweeps.shelf import clear_old, current_id, new_id, point, sweeps_in
from feature_store.sweeps.table import open_table, table_of, write_table
from feature_store.views.catalogue import VIEWS
from models.bundle import Bundle
from models.churn.model import ChurnModel
from models.uplift.model import UpliftModel
from training.sweep.finishing import About, finish
from training.sweep.people import READ, ask_people, cache_scores
from training.sweep.plan import (
    PART_USERS,
    Plan,
    missing_parts,
    note_refused,
    part_path,
    refused_in,
    refused_in_part,
    unfinished,
    write_plan,
)
from training.sweep.population import Population, part_of, population
from training.sweep.scoring import Scoring, ValueFrom, survival_days, teller_for

CACHED = "cached"
"""A file in a sweep's folder: the store has all of its scores."""
LOCK = "sweep"


def no_step(name: str) -> None:
    """Do nothing at a step; tests hand in one that stops the process there."""


class Released(NamedTuple):
    """A model with the bundle it came from."""

    bundle: Bundle
    model: ChurnModel


class Advisor(NamedTuple):
    """An uplift model with its version, for what contact would change."""

    version: str
    model: UpliftModel


def no_advisor(version: str | None) -> Advisor | None:
    """Answer that no uplift model is released."""
    return None


@dataclass(frozen=True)
class Wish:
    """What a new sweep shall be; see plan.Plan. as_of (ms UTC) None: the end of the log. version
    None: the released model."""

    as_of: int | None = None
    version: str | None = None
    value: ValueFrom | None = None
    fresh_limits: bool = False
    limits: tuple[float, float] | None = None


@dataclass(frozen=True)
class Job:
    """A sweep and the doors it needs.

    root: the shelf of the family. open_model: by version, None for the released one; raises
    OperatorError. open_uplift: the same, "" for none, and answers None when there is none. load:
    the log. labelled: the users of a label set by its name. open_store: None without a store,
    which only a log of nobody's profiles should be swept with. unanswered: the consent rule.
    step: called with "planned", "part", "ranked", "written", "summarised", "pointed" and
    "cached". progress: called as tqdm is.
    """

    root: Path
    open_model: Callable[[str | None], Released]
    load: Callable[[], History]
    labelled: Callable[[str], Sequence[str]]
    open_store: Callable[[], Awaitable[Store]] | None = None
    open_uplift: Callable[[str | None], Advisor | None] = no_advisor
    unanswered: bool = True
    clock: Clock = system_clock
    step: Callable[[str], None] = no_step
    progress: Callable[..., Any] = tqdm
    part_users: int = PART_USERS

    def run(self, wish: Wish, *, resume: bool = False) -> Sweep:
        """Sweep, or go on with the sweep that was stopped last; answer the whole sweep.

        Raises OperatorError without a model, ScientistError when there is nobody to score,
        Unavailable when another sweep is at work or the store cannot be reached.
        """
        try:
            with only_one(self.root, LOCK):
                return asyncio.run(self._run(wish, resume))
        except Busy as error:
            raise Unavailable("another sweep of this family is at work") from error

    async def _run(self, wish: Wish, resume: bool) -> Sweep:
        store = None if self.open_store is None else await self.open_store()
        try:
            plan = unfinished(self.root) if resume else None
            whole = self._uncached() if resume and plan is None else None
            if whole is not None:
                done = self._point(whole)
            else:
                done = await self._sweep(store, wish, plan)
            if store is not None:
                await self._cache(store, done)
            return done
        finally:
            if store is not None:
                await store.close()

    async def _sweep(self, store: Store | None, wish: Wish, plan: Plan | None) -> Sweep:
        bundle, model = self.open_model(wish.version if plan is None else plan.model)
        check_views(bundle, model)
        if plan is not None and store is not None:
            await self._ask_again(store, plan)
        if plan is None or missing_parts(self.root / plan.id, plan):
            history = self.load()
            as_of = self._as_of(wish, history) if plan is None else plan.as_of
            labelled = self._labelled(bundle)
            people = population(history, model.definition, as_of, labelled)
            advisor = self.open_uplift(None if plan is None else plan.uplift)
            if plan is None:
                plan = self._begin(wish, bundle, advisor, as_of, people)
            await self._score(store, (model, advisor), history, people, plan)
        folder = self.root / plan.id
        left_out = {**plan.left_out, "refused": refused_in(folder, plan)}
        before = Sweeps(self.root).current()
        finish(
            folder, plan, before, about_of(bundle, model), left_out, self.clock(), step=self.step
        )
        return self._point(plan.id)

    def _uncached(self) -> str | None:
        """Answer the last whole sweep if a stop kept it from being pointed at, or cached."""
        whole = sweeps_in(self.root, whole=True)
        last = whole[-1] if whole else None
        return last if last is None or not (self.root / last / CACHED).exists() else None

    def _point(self, name: str) -> Sweep:
        if current_id(self.root) != name:
            point(self.root, name)
            self.step("pointed")
        clear_old(self.root)
        return open_sweep(self.root / name)

    def _as_of(self, wish: Wish, history: History) -> int:
        now = self.clock()
        end = int(history.records["at"].max(initial=0)) + 1
        if wish.as_of is not None and wish.as_of > now:
            raise ScientistError("--as-of lies in the future: nobody can be scored there yet")
        if wish.as_of is not None:
            return wish.as_of
        # Without an event nothing but attributes is known, and those are of now.
        return min(end, now) if history.events else now

    def _labelled(self, bundle: Bundle) -> Sequence[str] | None:
        name = bundle.manifest.settings.get("fit", {}).get("label_set", "")
        return self.labelled(name) if name else None

    def _begin(
        self, wish: Wish, bundle: Bundle, advisor: Advisor | None, as_of: int, people: Population
    ) -> Plan:
        if not people.users:
            raise ScientistError(
                "nobody is in the population as of then, so there is nobody to score: look at "
                f"--as-of and at the model's definition; left out: {people.left_out}"
            )
        clear_old(self.root, unfinished=True)
        plan = Plan(
            id=new_id(as_of, secrets.token_hex(4)),
            as_of=as_of,
            started_at=self.clock(),
            model=bundle.version,
            parts=-(-len(people.users) // self.part_users),
            value_attribute="" if wish.value is None else wish.value.attribute,
            value_times=1.0 if wish.value is None else wish.value.times,
            fresh_limits=wish.fresh_limits,
            limits=wish.limits,
            left_out=people.left_out,
            uplift="" if advisor is None else advisor.version,
            known_until=self.clock() if wish.as_of is None else as_of,
        )
        write_plan(self.root, plan)
        self.step("planned")
        return plan

    async def _score(
        self, store: Store | None, models: tuple[ChurnModel, Advisor | None], history: History,
        people: Population, plan: Plan,
    ) -> None:  # fmt: skip
        value = ValueFrom(plan.value_attribute, plan.value_times) if plan.value_attribute else None
        model, advisor = models
        uplift = None if advisor is None else advisor.model
        scoring = Scoring(model, teller_for(model), value, uplift)
        parts = part_of(people.users, plan.parts)
        folder = self.root / plan.id
        missing = missing_parts(folder, plan)
        done = int((~np.isin(parts, missing)).sum())
        with self.progress(
            total=len(people.users), initial=done, desc="sweep", unit="user", unit_scale=True
        ) as bar:
            for part in missing:
                mine = np.flatnonzero(parts == part)
                users = [people.users[place] for place in mine]
                entity, attributes, refused = people.entity[mine], None, 0
                beside: dict[str, Any] = {}
                if store is not None:
                    asked = await ask_people(store, users, unanswered=self.unanswered)
                    kept = np.flatnonzero(asked.allowed)
                    refused = len(users) - len(kept)
                    users, entity = [users[place] for place in kept], entity[kept]
                    asked = asked.of(kept)
                    attributes, beside = asked.attributes, asked.columns(plan.known_until)
                table = scoring.score(history, users, entity, plan.as_of, attributes)
                note_refused(folder, part, refused)
                whole = table_of(table.users, {**table.columns, **beside})
                write_table(part_path(folder, part), whole)
                self.step("part")
                bar.update(len(mine))

    async def _ask_again(self, store: Store, plan: Plan) -> None:
        """Take those out of the scored parts who have refused since they were scored."""
        folder = self.root / plan.id
        missing = missing_parts(folder, plan)
        for part in (part for part in range(plan.parts) if part not in missing):
            table = open_table(part_path(folder, part))
            users: list[str] = table.users.to_pylist()
            allowed = (await ask_people(store, users, unanswered=self.unanswered)).allowed
            if not allowed.all():
                refused = refused_in_part(folder, part) + int(np.count_nonzero(~allowed))
                write_table(part_path(folder, part), table.taken(np.flatnonzero(allowed)))
                note_refused(folder, part, refused)

    async def _cache(self, store: Store, done: Sweep) -> None:
        """Put every score into the store, for answers that read a user's state anyway."""
        with self.progress(
            total=len(done.table), desc="cache", unit="user", unit_scale=True
        ) as bar:
            for start in range(0, len(done.table), READ):
                await cache_scores(store, done, start)
                bar.update(min(READ, len(done.table) - start))
        write_whole(self.root / done.summary.id / CACHED, b"")
        self.step("cached")


def about_of(bundle: Bundle, model: ChurnModel) -> About:
    """Answer what a sweep's summary says of its model."""
    teller = teller_for(model)
    features = {
        "names": list(teller.names),
        "groups": list(teller.groups),
        "units": list(teller.units),
        "labels": list(teller.labels),
        "typical": dict(teller.typical),
    }
    error = bundle.manifest.metrics.get("calibration_error")
    return About(
        model.horizon_days,
        dict(model.definition),
        survival_days(model),
        features,
        str(bundle.manifest.settings.get("tuned", {}).get("grade", "")),
        error.value if error is not None and error.value == error.value else None,
    )


def check_views(bundle: Bundle, model: ChurnModel | UpliftModel) -> None:
    """Refuse a model that learned from views of another version; raises OperatorError."""
    if not model.events:
        return
    wrong = [
        name
        for name, signature in bundle.manifest.views.items()
        if name not in VIEWS or VIEWS[name].signature != signature
    ]
    if wrong:
        raise OperatorError(
            f"the model {bundle.version} learned from {', '.join(wrong)} as an earlier release "
            "made them; fit and release again"
        )
