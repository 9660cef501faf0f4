"""Draining: due when enough is new; what the store accepted is in the log afterwards."""

from pathlib import Path

import pytest

from domain.events import check_event
from feature_store.log.status import log_status
from feature_store.opening import open_store
from feature_store.settings import Home
from feature_store.store import StoreSettings
from training.importing.draining import Drain, log_drain

NOW = 1_700_000_000_000


def test_due_when_enough_was_accepted_since_the_last_time() -> None:
    runs: list[int] = []
    drain = Drain(lambda: runs.append(1), every=10)
    assert [drain.is_due(n) for n in (0, 9, 10)] == [False, False, True]
    drain.run(12)
    assert [drain.is_due(n) for n in (21, 22)] == [False, True]
    assert runs == [1]


async def test_moves_accepted_events_to_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REDIS_URL", raising=False)
    settings, home = StoreSettings(buckets=2), Home(tmp_path)
    store = await open_store(settings, home)
    try:
        event = check_event(now_ms=NOW, user="anna", kind="click", item="a", at=NOW)
        await store.append([event], NOW)
        log_drain(settings, home, None).run(1)
        assert log_status(home.log).rows == 1
    finally:
        await store.close()
