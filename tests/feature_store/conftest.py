"""The store in every shape it comes in: one suite of checks runs against all of them."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from feature_store.memory import MemoryStore
from feature_store.opening import open_store
from feature_store.redis.embedded import Embedded
from feature_store.redis.streams import Streams
from feature_store.settings import Home
from feature_store.store import Store, StoreSettings, StreamEntry
from tests.feature_store.servers import (
    PASSWORD,
    REDIS,
    RunningServer,
    serving,
    serving_cluster,
    serving_tls,
)

SHAPES = ["memory", "embedded", "valkey", "redis", "password", "tls", "cluster"]


@dataclass(slots=True)
class Backend:
    """One shape of store, emptied for each test."""

    shape: str
    url: str | None = None
    home: Home | None = None
    _memory: dict[StoreSettings, MemoryStore] = field(default_factory=dict)

    async def open(self, settings: StoreSettings) -> Store:
        """Open the store; a second one sees what the first wrote."""
        if self.shape == "memory":
            return self._memory.setdefault(settings, MemoryStore(settings))
        if self.home is not None:
            return await open_store(settings, self.home)
        return await open_store(settings, url=self.url)

    def entries(self, store: Store) -> list[StreamEntry]:
        """Answer what is on the intake streams."""
        buckets = range(store.settings.buckets)
        if isinstance(store, MemoryStore):
            return [entry for bucket in buckets for entry in store.streams[bucket]]
        assert self.url is not None
        streams = Streams(self.url, store.settings)
        try:
            return [entry for bucket in buckets for entry in streams.read(bucket, "", 100_000)]
        finally:
            streams.close()


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], RunningServer]]:
    """Answer a function that starts a server of a shape, once for the whole run."""
    running: dict[str, RunningServer] = {}
    with contextlib.ExitStack() as stack:

        def start(shape: str) -> RunningServer:
            if shape not in running:
                folder = tmp_path_factory.mktemp(shape)
                if shape == "valkey":
                    made = serving(folder)
                elif shape == "password":
                    url = f"redis://:{PASSWORD.replace('/', '%2F').replace('@', '%40')}"
                    made = serving(
                        folder, "--requirepass", PASSWORD, tcp=True, url=url + "@127.0.0.1:{port}/3"
                    )
                elif shape == "tls":
                    made = serving_tls(folder)
                elif shape == "cluster":
                    made = serving_cluster(folder)
                else:
                    if REDIS is None:
                        pytest.skip("redis-server is not installed")
                    made = serving(folder, binary=REDIS)
                running[shape] = stack.enter_context(made)
            return running[shape]

        yield start


@pytest.fixture(params=SHAPES)
def backend(
    request: pytest.FixtureRequest,
    servers: Callable[[str], RunningServer],
    tmp_path: Path,
) -> Iterator[Backend]:
    shape = request.param
    if shape == "memory":
        yield Backend(shape)
    elif shape == "embedded":
        home = Home(tmp_path / "home")
        joined = Embedded(home.valkey)
        yield Backend(shape, joined.url, home)
        joined.close()
    else:
        server = servers(shape)
        server.empty()
        yield Backend(shape, server.url)


OpenStore = Callable[[StoreSettings], Awaitable[Store]]


@pytest.fixture
async def opening(backend: Backend) -> AsyncIterator[OpenStore]:
    """Answer a function that opens the backend's store; all are closed at the end."""
    opened: list[Store] = []

    async def open_it(settings: StoreSettings) -> Store:
        store = await backend.open(settings)
        opened.append(store)
        return store

    yield open_it
    for store in opened:
        await store.close()


@pytest.fixture
async def store(opening: OpenStore) -> Store:
    return await opening(StoreSettings(buckets=8))
