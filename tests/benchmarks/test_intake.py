"""Intake and the servers it starts: a real service, killed once each way, counted from the log."""

import json
import sys
from pathlib import Path

import polars as pl
import pytest

from benchmarks import intake
from benchmarks.beauty import Beauty, refuse_empty
from benchmarks.embedded import held_server, kill_server, server_info
from benchmarks.servers import Server, cores, environment, free_port, our_service
from domain.errors import ScientistError, TooLittleData


def test_a_batch_is_a_hundred_events_and_always_the_same() -> None:
    events = json.loads(intake.batch_body("x", 3))
    assert len(events) == intake.BATCH
    assert intake.batch_body("x", 3) == intake.batch_body("x", 3)
    ids = {event["event_id"] for number in range(5) for event in _batch(number)}
    assert len(ids) == 5 * intake.BATCH


def _batch(number: int) -> list[dict[str, str]]:
    return json.loads(intake.batch_body("x", number))


def test_lost_and_doubled_events_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    held = pl.DataFrame({"event_id": ["run1-1", "run1-2", "run1-2", "run10-1", "other-1"]})
    monkeypatch.setattr(intake, "read_log", lambda *_: held)
    assert intake.count_log(Path(), "run1", 4) == (2, 1)


def test_one_run_with_every_kill_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "CHAOS_BATCHES", 10)
    with held_server(tmp_path, None) as valkey, our_service(tmp_path, None) as service:
        command = [sys.executable, "-m", "feature_store.log", "run", "--seconds", "0.2"]
        writer = Server(command, 0, None, environment(tmp_path))
        try:
            chaos = intake.Chaos(tmp_path, service, writer, valkey)
            assert chaos.run("probe", 1) == (0, 0)
            assert chaos.kills == 3
        finally:
            writer.stop()


def test_a_service_without_model_and_store_is_not_worth_measuring(tmp_path: Path) -> None:
    beauty = Beauty(tmp_path, {"u1": ["a"]}, ["u1"])
    with our_service(tmp_path, None) as service, pytest.raises(TooLittleData, match="no model"):
        refuse_empty(service, beauty)


def test_the_embedded_server_is_found_killed_and_comes_back(tmp_path: Path) -> None:
    with held_server(tmp_path, cores()[1]) as valkey:
        first = server_info(valkey, "server")["process_id"]
        assert server_info(valkey, "persistence")["aof_enabled"] == "1"
        kill_server(valkey)
        valkey.ensure_running()
        assert server_info(valkey, "server")["process_id"] != first


def test_a_server_that_ends_at_once_is_named(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks", "--no-such-option"]
    server = Server(command, free_port(), None, environment(tmp_path))
    with pytest.raises(ScientistError, match="benchmarks ended with 2"):
        server.wait_ready("/")
