"""The released models in use: notices a new release, checks it beside the old one, swaps.

Loading and golden rows run in a thread; requests only ever see a whole model, the old or
the new. A bundle that is refused changes nothing. Knows nothing of how models are fitted.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domain.clock import Clock
from domain.errors import BundleRefused
from models.bundle import CURRENT, Bundle, current_bundle, open_bundle
from models.families import SCORERS, load_scorer
from service.logs import log_info, log_unexpected, log_warning
from service.metrics import Metrics
from service.polling import Poller

RETRY_LOOKS = 30
"""A refused release is tried again after this many looks, in case its disk was at fault."""


@dataclass(slots=True, frozen=True)
class Loaded:
    """One model in use. `scorer` is what its family's line in models.families makes."""

    family: str
    version: str
    scorer: Any
    bundle: Bundle
    loaded_at: int


class Bundles(Poller):
    """The current model of every family, watched under `root` (see models.bundle)."""

    def __init__(
        self,
        root: Path,
        metrics: Metrics,
        clock: Clock,
        *,
        families: Iterable[str] = tuple(SCORERS),
        load: Callable[[Bundle], Any] = load_scorer,
        poll_s: float = 1.0,
    ) -> None:
        super().__init__(poll_s)
        self._root = root
        self._metrics = metrics
        self._clock = clock
        self._families = tuple(families)
        self._load = load
        self._current: dict[str, Loaded] = {}
        self._previous: dict[str, Loaded] = {}
        self._seen: dict[str, tuple[int, int, int]] = {}
        self._refused: dict[str, int] = {}

    def current(self, family: str) -> Loaded | None:
        """Answer the model in use, None before the first good release."""
        return self._current.get(family)

    def all(self) -> list[Loaded]:
        """Answer every model in use."""
        return list(self._current.values())

    async def look(self) -> None:
        """Look at every family's pointer once and swap in what changed."""
        for family in self._families:
            try:
                await self._look_at(family)
            except BundleRefused as error:
                self._refuse(family, str(error))
            except Exception as error:
                log_unexpected(error, family=family)
                self._refuse(family, "it could not be loaded")
        for loaded in self._current.values():
            self._count_paths(loaded)

    def _count_paths(self, loaded: Loaded) -> None:
        """Take over what a model that has several ways to an answer counted since the last look."""
        tally: Any = getattr(loaded.scorer, "tally", ())
        for path in list(tally):
            self._metrics.model_paths.labels(loaded.family, path).inc(tally.pop(path))

    async def _look_at(self, family: str) -> None:
        try:
            status = (self._root / family / CURRENT).stat()
        except OSError:
            return
        seen = (status.st_mtime_ns, status.st_ino, status.st_size)
        waiting = self._refused.get(family, 0)
        if seen == self._seen.get(family) and waiting != 1:
            self._refused[family] = max(waiting - 1, 0)
            return
        self._seen[family] = seen
        self._refused[family] = 0
        path = await asyncio.to_thread(current_bundle, self._root, family)
        current = self._current.get(family)
        if path is None or (current is not None and current.version == path.name):
            return
        warm = self._previous.get(family)
        if warm is None or warm.version != path.name:
            warm = await asyncio.to_thread(self._open, family, path)
        self._swap(warm)

    def _open(self, family: str, path: Path) -> Loaded:
        bundle = open_bundle(path)
        return Loaded(family, bundle.version, self._load(bundle), bundle, self._clock())

    def _swap(self, new: Loaded) -> None:
        old = self._current.get(new.family)
        self._current[new.family] = new
        if old is not None:
            self._previous[new.family] = old
            self._metrics.model_loaded.labels(old.family, old.version).set(0)
        self._metrics.model_loaded.labels(new.family, new.version).set(1)
        self._metrics.model_fitted_at.labels(new.family).set(new.bundle.manifest.created_at / 1000)
        self._metrics.bundle_loads.labels(new.family).inc()
        log_info("model swapped in", family=new.family, version=new.version)

    def _refuse(self, family: str, why: str) -> None:
        self._refused[family] = RETRY_LOOKS
        self._metrics.bundle_refusals.labels(family).inc()
        log_warning("release refused, the last good model stays", family=family, why=why)
