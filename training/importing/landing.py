"""Where an import lands: the store, the clock, the rejects file, and who moves the log on.

Holds them together so that every kind of import takes the same; does nothing itself.
"""

from dataclasses import dataclass

from domain.clock import Clock
from feature_store.store import Store
from training.importing.counts import RejectsFile
from training.importing.draining import Drain


@dataclass(slots=True, frozen=True)
class Landing:
    """One import's destination; without `drain` the events stay on the streams."""

    store: Store
    clock: Clock
    rejects: RejectsFile
    drain: Drain | None = None
