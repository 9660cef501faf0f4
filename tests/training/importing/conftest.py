"""What the tests of the import share: a memory store, a landing on it, and a standing clock."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.clock import FixedClock
from feature_store.memory import MemoryStore
from training.importing.landing import Landing, RejectsFile

NOW = 1_700_000_000_000


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def landing(store: MemoryStore, clock: FixedClock, tmp_path: Path) -> Iterator[Landing]:
    with RejectsFile(tmp_path / "rejects.csv") as rejects:
        yield Landing(store, clock, rejects)
