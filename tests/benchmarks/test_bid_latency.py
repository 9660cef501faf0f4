"""What the benchmark of latency is made of; the servers themselves are started by the benchmark."""

from typing import Any

import pytest

from benchmarks import __main__ as command
from benchmarks import bid_latency
from benchmarks.bid_home import VENDOR
from benchmarks.bid_latency import LINES, PATIENT, SETTINGS, run
from service.bid_settings import bid_settings_from_env


def test_it_is_in_the_table() -> None:
    assert command.BENCHMARKS["bid-latency"] is run
    assert LINES == (200, 5_000)


def test_settings_are_ones_the_service_reads() -> None:
    patient, plain = bid_settings_from_env(PATIENT), bid_settings_from_env(SETTINGS)
    assert patient.vendor == plain.vendor == VENDOR
    assert patient.cap_ms > plain.cap_ms
    assert patient.in_flight > 32


def test_without_bids_there_is_nothing_to_measure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bid_latency, "_send", lambda server, path, body, method: 204)
    nobody: Any = None
    assert bid_latency.share_of_bids(nobody, lambda number: b"head\r\n\r\nbody", 10) == 0.0
    monkeypatch.setattr(bid_latency, "_send", lambda *_: 200)
    assert bid_latency.share_of_bids(nobody, lambda number: b"head\r\n\r\nbody", 10) == 1.0
