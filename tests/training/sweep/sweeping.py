"""A shop whose customers leave, a model learned from it, and the job that sweeps it."""

import os
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np

from domain.clock import FixedClock
from feature_store.history import History
from feature_store.memory import MemoryStore
from feature_store.views.catalogue import VIEWS as ALL
from models.bundle import Bundle, Draft, Metric, open_bundle, point, write_bundle
from models.churn.features import VIEWS
from models.churn.model import ChurnModel
from tests.training.leaving import at_day, leaving_shop
from training.cli_sweep import open_model
from training.fit.churn.hazard import fit_hazard
from training.fit.churn.learner import Recipe, Tuned, learn
from training.fit.churn.repute import Purchases
from training.fit.churn.run import assemble, build_table, golden_rows
from training.fit.churn.settings import ChurnSettings
from training.sweep.job import Job

CUT = at_day(150)
AS_OF = at_day(200)
NOW = at_day(300)
SETTINGS = ChurnSettings(horizon_days=30, active_days=60, btyd=[], attributes=False)


def shop() -> History:
    return leaving_shop(220, seed=5)


def learned_model(history: History, people: dict[str, dict[str, Any]] | None = None) -> ChurnModel:
    """Learn from one cut-off without tuning; good enough to be told apart from chance."""
    table = build_table(history, (CUT,), SETTINGS, people or {})
    x = table.x(None)
    parts = learn(x, table.y, Tuned(Recipe(4, 30, 0.05, 0.5)), SETTINGS)
    rng = np.random.default_rng(1)
    hazard = fit_hazard(x, table.waited, np.full(len(x), 60.0), 30.0, rng)
    repute = Purchases(history, SETTINGS.horizon_days).as_of(CUT)
    return assemble(parts, x, table, SETTINGS, None, hazard, repute=repute)


def release(bundles: Path, model: ChurnModel, second: int = 0, **settings: Any) -> Bundle:
    """Write a bundle and let it be the released one."""
    x = np.full((3, len(model.names)), np.nan)
    draft = Draft(
        family="churn",
        created_at=CUT + second * 1000,
        arrays=model.arrays(),
        params=model.params(),
        golden=golden_rows(model, x, 0),
        metrics={"auc": Metric(0.7, 0.65, 0.75)},
        views={name: ALL[name].signature for name in VIEWS} if model.events else {},
        settings={"tuned": {"grade": "B"}, **settings},
    )
    bundle = write_bundle(bundles, draft)
    point(bundles / "churn", bundle.version, CUT)
    return open_bundle(bundle.path)


def job(home: Path, history: History, **changes: Any) -> Job:
    """The job over a home, with a store in memory unless another is given."""

    async def open_store() -> MemoryStore:
        return MemoryStore()

    made: dict[str, Any] = {
        "root": home / "sweeps" / "churn",
        "open_model": lambda version: open_model(home / "bundles" / "churn", version),
        "load": lambda: history,
        "labelled": lambda name: [],
        "open_store": open_store,
        "clock": FixedClock(NOW),
        "progress": quiet,
        "part_users": 40,
    }
    return Job(**(made | changes))


class quiet:
    """A progress bar that only counts."""

    def __init__(self, total: int, initial: int = 0, **_: Any) -> None:
        self.total, self.n = total, initial

    def __enter__(self) -> "quiet":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def update(self, n: int) -> None:
        self.n += n
        assert self.n <= self.total


def kill_at(name: str, count: int) -> Any:
    """A step that ends this very process, without a word, at the `count`-th `name`."""
    seen = 0

    def step(now: str) -> None:
        nonlocal seen
        seen += now == name
        if seen == count:
            os.kill(os.getpid(), signal.SIGKILL)

    return step


if __name__ == "__main__":
    from training.sweep.job import Wish

    home, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    job(home, shop(), step=kill_at(name, count)).run(Wish(as_of=AS_OF))
