"""Metrics: counted, timed, exposed; over several processes when there are several."""

import json
import os
import subprocess
import sys
from pathlib import Path

from service.metrics import Metrics
from tests.service.serving import ROOT


def test_answers_are_counted_and_timed() -> None:
    metrics = Metrics()
    for status in (200, 200, 503):
        metrics.observe("/v1/x", "GET", status, 0.003)
    text = metrics.exposition().decode()
    assert 'sanderling_requests_total{method="GET",route="/v1/x",status="200"} 2.0' in text
    assert 'sanderling_requests_total{method="GET",route="/v1/x",status="503"} 1.0' in text
    assert 'sanderling_request_seconds_bucket{le="0.002",route="/v1/x"} 0.0' in text
    assert 'sanderling_request_seconds_bucket{le="0.005",route="/v1/x"} 3.0' in text


def test_events_are_counted_by_outcome() -> None:
    metrics = Metrics()
    metrics.count_events(5, 2, 1)
    metrics.count_events(1, 0, 0)
    text = metrics.exposition().decode()
    for outcome, count in (("accepted", 6), ("duplicate", 2), ("rejected", 1)):
        assert f'sanderling_events_total{{outcome="{outcome}"}} {count}.0' in text


def test_two_sets_do_not_mix() -> None:
    one, other = Metrics(), Metrics()
    one.count_events(5, 0, 0)
    assert 'outcome="accepted"} 0.0' in other.exposition().decode()


WORKER = """
import json, sys
from service.metrics import Metrics
metrics = Metrics()
metrics.count_events(3, 0, 0)
metrics.store_up.set(1)
print(json.dumps(metrics.exposition().decode()), flush=True)
sys.stdin.read()
"""


def test_any_worker_answers_for_all(tmp_path: Path) -> None:
    env = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    workers: list[subprocess.Popen[bytes]] = []
    try:
        texts: list[str] = []
        for _ in range(2):
            worker = subprocess.Popen(
                [sys.executable, "-c", WORKER],
                env=env, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            )  # fmt: skip
            workers.append(worker)
            assert worker.stdout is not None
            texts.append(json.loads(worker.stdout.readline()))
    finally:
        for worker in workers:
            worker.communicate()
    assert 'sanderling_events_total{outcome="accepted"} 3.0' in texts[0]
    assert 'sanderling_events_total{outcome="accepted"} 6.0' in texts[1]
    assert "sanderling_store_up 1.0" in texts[1]


def test_the_gauges_of_a_dead_worker_are_let_go(tmp_path: Path) -> None:
    env = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    for _ in range(2):
        text = json.loads(
            subprocess.run(
                [sys.executable, "-c", WORKER],
                env=env, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, check=True,
            ).stdout
        )  # fmt: skip
    # Each kind of gauge has a file of its own; all that are left are of one worker.
    left = {file.stem.rpartition("_")[2] for file in tmp_path.glob("gauge_live*.db")}
    assert len(left) == 1
    assert 'sanderling_events_total{outcome="accepted"} 6.0' in text
