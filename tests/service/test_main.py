"""The command line, and a real server: load, hot swap, kill, restart, stop."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from models.bundle import Draft, Golden, point, write_bundle
from service.__main__ import main, parser
from tests.golden.shop import ITEMS, shop_model
from tests.service.serving import NOW, ROOT, Server, serving


def test_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["--help"])
    text = capsys.readouterr().out
    for word in ("--workers", "--uds", "REDIS_URL", "SANDERLING_CONSENT", "/docs", "SIGTERM"):
        assert word in text


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [("SANDERLING_CONSENT", "perhaps", "SANDERLING_CONSENT"),
     ("SANDERLING_CURRENCY", "euro", "SANDERLING_CURRENCY"),
     ("REDIS_URL", "redis://127.0.0.1:1", "cannot start")],
)  # fmt: skip
def test_wrong_settings_are_named(tmp_path: Path, variable: str, value: str, said: str) -> None:
    env = {**os.environ, "SANDERLING_HOME": str(tmp_path), variable: value}
    done = subprocess.run(
        [sys.executable, "-m", "service", "--no-log-writer", "--port", "0"],
        cwd=ROOT, env=env, capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_there_is_at_least_one_worker() -> None:
    with pytest.raises(SystemExit):
        main(["--workers", "0"])


def event(n: int) -> bytes:
    return json.dumps(
        {"event_id": f"e{n}", "user": f"u{n % 7}", "kind": "click", "item": "bread"}
    ).encode()


class Load:
    """Events and questions without pause on threads of their own, until told to stop."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.failed: list[str] = []
        self.models: set[str | None] = set()
        self.answered = 0
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(n,)) for n in range(3)]

    def _run(self, thread: int) -> None:
        n = thread
        while not self._stop.is_set():
            n += 3
            for path, body, wanted in (
                ("/v1/events", event(n), 202),
                ("/v1/recommendations", b'{"user":"u%d","k":3}' % (n % 7), 200),
            ):
                status, reply, _ = self.server.request("POST", path, body)
                if status != wanted:
                    self.failed.append(f"{path} {status} {reply[:200]!r}")
                elif wanted == 200:
                    self.models.add(json.loads(reply)["model"])
                self.answered += 1

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


def release(home: Path, at: int, promised: bool = True) -> str:
    """Write and release a bundle of the corner shop's model; answer its version."""
    model = shop_model()
    row = {"items": ["bread"], "kinds": [5], "ats": [at - 1_000], "as_of": at, "k": 3}
    output = model.answer(row) if promised else {"items": [], "scores": []}
    draft = Draft(
        "recommend", at, model.arrays(), model.params(),
        golden=Golden([{"input": row, "output": output}], 1e-6),
    )  # fmt: skip
    bundle = write_bundle(home / "bundles", draft)
    point(home / "bundles" / "recommend", bundle.version, at)
    return f"recommend/{bundle.version}"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


def test_models_swap_under_load_and_nothing_fails(home: Path) -> None:
    with serving(home) as server:
        for item in ITEMS:
            body = json.dumps({"title": item.title}).encode()
            assert server.request("PUT", f"/v1/items/{item.item}", body)[0] == 200
        with Load(server) as load:
            server.until(lambda: None in load.models)
            first = release(home, NOW)
            server.until(lambda: first in load.models)
            release(home, NOW + 1, promised=False)
            refused = b'sanderling_bundle_refusals_total{family="recommend"} 1.0'
            server.until(lambda: refused in server.get("/metrics")[1])
            assert json.loads(server.get("/readyz")[1])["models"] == {
                "recommend": first.partition("/")[2]
            }
            second = release(home, NOW + 2)
            server.until(lambda: second in load.models)
        assert load.failed == []
        assert load.models == {None, first, second}
        assert load.answered > 20
        [model] = json.loads(server.get("/v1/models")[1])
        assert f"recommend/{model['version']}" == second
        assert server.stop() == 0
    log = server.log.read_text()
    assert "Traceback" not in log
    assert '"u1"' not in log
    assert "/v1/events" not in log


def test_what_was_acknowledged_survives_a_kill(home: Path, tmp_path: Path) -> None:
    own = tmp_path / "home"
    server = Server(own)
    server.start()
    acknowledged = 0
    try:
        for n in range(200):
            acknowledged += server.request("POST", "/v1/events", event(n))[0] == 202
    finally:
        assert server.process is not None
        server.process.kill()
        server.process.wait()
    assert acknowledged == 200
    with serving(own) as again:
        counts = 0
        for n in range(7):
            user = json.loads(again.get(f"/v1/users/u{n}")[1])
            counts += user["events"]["click"]
        assert counts == 200
        status, reply, _ = again.request("POST", "/v1/events", event(1))
        assert (status, json.loads(reply)["duplicates"]) == (202, 1)


def test_two_workers_share_the_socket_the_store_and_the_figures(tmp_path: Path) -> None:
    with serving(tmp_path / "home", "--workers", "2", "--no-log-writer") as server:
        for n in range(40):
            assert server.request("POST", "/v1/events", event(n))[0] == 202
        text = server.get("/metrics")[1].decode()
        assert 'sanderling_events_total{outcome="accepted"} 40.0' in text
        assert json.loads(server.get("/v1/users/u1")[1])["events"]["click"] == 6
        assert server.stop() == 0


def test_a_unix_socket_and_an_interrupt(tmp_path: Path) -> None:
    path = tmp_path / "s"
    env = {**os.environ, "SANDERLING_HOME": str(tmp_path / "home")}
    env.pop("REDIS_URL", None)
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "service", "--uds", str(path), "--no-log-writer"],
            cwd=ROOT, env=env, stderr=log,
        )  # fmt: skip
    deadline = time.monotonic() + 60
    while not path.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    assert "Traceback" not in (tmp_path / "log").read_text()
