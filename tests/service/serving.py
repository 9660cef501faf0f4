"""What the service's tests share: an app over a store in memory, and a real server process."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from starlette.types import ASGIApp, Message, Scope

from domain.clock import FixedClock
from domain.decisions import Decision
from domain.errors import StoreUnavailable
from domain.events import Event
from domain.items import Item
from domain.users import Profile
from feature_store.memory import MemoryStore
from feature_store.settings import Home
from feature_store.store import Appended, Read
from service.app import create_app, serve_context
from service.context import Context
from service.dispatch import Dispatcher
from service.http import Headers
from service.recommend_settings import RecommendSettings
from service.settings import ServiceSettings

ROOT = Path(__file__).resolve().parents[2]
NOW = 1_760_000_000_000


class SwitchedStore(MemoryStore):
    """A store in memory that can be out of reach (`down`) or broken (`broken`)."""

    down = False
    broken = False

    def _reach(self) -> None:
        if self.down:
            raise StoreUnavailable("out of reach")
        if self.broken:
            raise RuntimeError("user-4711 must not show")

    async def append(self, events: Sequence[Event], now_ms: int) -> list[Appended]:
        self._reach()
        return await super().append(events, now_ms)

    async def read(self, entities: Sequence[str], within_s: float | None = None) -> Read:
        self._reach()
        return await super().read(entities, within_s)

    async def put_profile(self, user: str, profile: Profile) -> None:
        self._reach()
        await super().put_profile(user, profile)

    async def put_items(self, items: Sequence[Item]) -> int:
        self._reach()
        return await super().put_items(items)

    async def get_items(self, item_ids: Sequence[str]) -> list[Item | None]:
        self._reach()
        return await super().get_items(item_ids)

    async def log_decisions(self, decisions: Sequence[Decision]) -> None:
        self._reach()
        await super().log_decisions(decisions)

    async def ping(self) -> None:
        self._reach()


class Answer(NamedTuple):
    """What came back; header names are lower case."""

    status: int
    body: bytes
    headers: dict[str, str]


def scope_of(method: str, target: str, headers: Headers = ()) -> Scope:
    """Answer the ASGI scope of a request, as a server makes it from `target`."""
    raw, _, query = target.encode().partition(b"?")
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(raw.decode()),
        "raw_path": raw,
        "query_string": query,
        "root_path": "",
        "headers": list(headers),
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }


async def ask(
    app: ASGIApp,
    method: str,
    target: str,
    chunks: Sequence[bytes | None] = (b"",),
    headers: Headers = (),
) -> Answer | None:
    """Send one request whose body comes in `chunks`; a None chunk is a caller who hangs up."""
    waiting = list(chunks)
    sent: list[Message] = []

    async def receive() -> Message:
        if not waiting:
            return {"type": "http.disconnect"}
        chunk = waiting.pop(0)
        if chunk is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": chunk, "more_body": bool(waiting)}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope_of(method, target, headers), receive, send)
    if not sent:
        return None
    body = b"".join(message.get("body", b"") for message in sent[1:])
    names = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], body, names)


class App:
    """An app in this process and the doors behind it; it lives while a request runs."""

    def __init__(
        self, runner: asyncio.Runner, dispatcher: Dispatcher, store: SwitchedStore,
        clock: FixedClock,
    ) -> None:  # fmt: skip
        assert dispatcher.context is not None
        self.runner, self.dispatcher, self.store, self.clock = runner, dispatcher, store, clock
        self.context: Context = dispatcher.context

    def ask(self, method: str, target: str, body: bytes = b"", headers: Headers = ()) -> Answer:
        """Send bytes and answer what came back."""
        answer = self.runner.run(ask(self.dispatcher, method, target, (body,), headers))
        assert answer is not None
        return answer

    def send(self, method: str, target: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Send JSON (or bytes as they are) and answer the status and the JSON that came back."""
        content = body if isinstance(body, bytes) else b"" if body is None else _json(body)
        named = {"content-type": "application/json", "content-length": str(len(content))}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        pairs = [(name.encode(), value.encode()) for name, value in named.items()]
        answer = self.ask(method, target, content, pairs)
        return answer.status, json.loads(answer.body) if answer.body else None


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


@contextmanager
def app_in_memory(home: Path, now_ms: int = NOW) -> Iterator[App]:
    """Serve over a store in memory and a clock that stands still, with every real part."""
    clock = FixedClock(now_ms)
    store = SwitchedStore(clock=clock)

    @asynccontextmanager
    async def opening() -> AsyncGenerator[Context, None]:
        settings = ServiceSettings(recommend=RecommendSettings(share=0.0))
        async with serve_context(store, Home(home), settings, clock) as context:
            yield context

    dispatcher = create_app(opening)
    with living(dispatcher) as runner:
        yield App(runner, dispatcher, store, clock)


@contextmanager
def living(dispatcher: Dispatcher) -> Iterator[asyncio.Runner]:
    """Let an app live, from its start to its stop, in the loop that is answered."""
    with asyncio.Runner() as runner:
        told: list[Message] = []

        async def start() -> tuple[asyncio.Task[None], asyncio.Queue[Message]]:
            heard: asyncio.Queue[Message] = asyncio.Queue()
            answered = asyncio.Event()

            async def send(message: Message) -> None:
                told.append(message)
                answered.set()

            await heard.put({"type": "lifespan.startup"})
            life = asyncio.create_task(
                dispatcher({"type": "lifespan", "asgi": {"version": "3.0"}}, heard.get, send)
            )
            await answered.wait()
            return life, heard

        async def stop(life: asyncio.Task[None], heard: asyncio.Queue[Message]) -> None:
            await heard.put({"type": "lifespan.shutdown"})
            await life

        life, heard = runner.run(start())
        assert told[0]["type"] == "lifespan.startup.complete", told
        try:
            yield runner
        finally:
            runner.run(stop(life, heard))
        assert told[1]["type"] == "lifespan.shutdown.complete", told


async def until(holds: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait until `holds()` is true; fails after `seconds`."""
    async with asyncio.timeout(seconds):
        for _ in iter(holds, True):
            await asyncio.sleep(0.005)


def free_port() -> int:
    """Answer a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """`python -m service` as a process of its own, over the embedded store under `home`."""

    def __init__(self, home: Path, *arguments: str, **env: str) -> None:
        self.home = home
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = home / "service.stderr"
        self._arguments = arguments
        self._env = env
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it is ready."""
        self.home.mkdir(parents=True, exist_ok=True)
        home = {"SANDERLING_HOME": str(self.home), "SANDERLING_EXPLORE": "0"}
        env = {**os.environ, **home, **self._env}
        env.pop("REDIS_URL", None)
        env |= self._env
        with self.log.open("ab") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "service", "--port", str(self.port), *self._arguments],
                cwd=ROOT,
                env=env,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
            )
        self.until(lambda: self.get("/readyz")[0] == 200)

    def until(self, holds: Any, seconds: float = 90.0) -> None:
        """Wait until `holds()` is true; fails after `seconds` or when the server has ended."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                if holds():
                    return
            except OSError:
                pass
            assert self.process is not None
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            assert time.monotonic() < deadline, f"not within {seconds} s"
            time.sleep(0.05)

    def request(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, bytes, dict[str, str]]:
        """Send one request; answer status, body and headers (lower-case names)."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent.setdefault("content-type", "application/json")
        request = urllib.request.Request(self.url + path, body, sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:
                return reply.status, reply.read(), _lower(reply.headers)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read(), _lower(error.headers)

    def get(self, path: str) -> tuple[int, bytes]:
        """GET a path; answer status and body."""
        return self.request("GET", path)[:2]

    def stop(self) -> int:
        """Ask it to stop and wait; answer its exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


def _lower(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


@contextmanager
def serving(home: Path, *arguments: str, **env: str) -> Iterator[Server]:
    """Run a server process for a while."""
    server = Server(home, *arguments, **env)
    try:
        server.start()
        yield server
    finally:
        if server.process is not None and server.process.poll() is None:
            server.stop()
