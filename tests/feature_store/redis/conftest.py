"""A Valkey of each test's own, which it may kill, pause and start again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.feature_store.servers import RunningServer, serving


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    with serving(tmp_path / "s") as running:
        yield running
