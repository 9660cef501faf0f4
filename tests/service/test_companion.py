"""The companion process: started, started again, ended with its service."""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from service.companion import LOG_WRITER, Companion

WAITS = "import sys, time; open(sys.argv[1], 'a').write('x'); time.sleep(60)"
DEAF = "import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + WAITS


def until(holds: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def starts(file: Path) -> int:
    return len(file.read_text()) if file.exists() else 0


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_it_comes_back_when_it_is_killed(tmp_path: Path) -> None:
    file = tmp_path / "starts"
    companion = Companion((sys.executable, "-c", WAITS, str(file)), first_wait_s=0.01)
    companion.start()
    try:
        until(lambda: starts(file) == 1)
        first = companion.pid
        os.kill(first, signal.SIGKILL)
        until(lambda: starts(file) == 2)
        assert companion.pid not in (0, first)
    finally:
        pid = companion.pid
        companion.stop()
    assert gone(pid)
    assert companion.pid == 0
    assert starts(file) == 2


def test_one_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    file = tmp_path / "starts"
    companion = Companion((sys.executable, "-c", DEAF, str(file)))
    companion.start()
    until(lambda: starts(file) == 1)
    pid = companion.pid
    companion.stop(patience_s=0.1)
    assert gone(pid)


def test_stopping_ends_the_wait_for_the_next_start() -> None:
    companion = Companion((sys.executable, "-c", "pass"), first_wait_s=1_000)
    companion.start()
    until(lambda: companion.pid == 0)
    started = time.monotonic()
    companion.stop()
    assert time.monotonic() - started < 20


def test_by_default_it_is_the_log_writer() -> None:
    assert LOG_WRITER[1:] == ("-m", "feature_store.log", "run")
