"""Opens the store a deployment asks for: a server by URL, a cluster, or the embedded default.

The one place where the choice is made; everything else speaks the store protocol.
"""

import asyncio
from dataclasses import replace

from domain.clock import Clock, system_clock
from feature_store.redis.address import parse_address
from feature_store.redis.check import check_server
from feature_store.redis.cluster import Cluster
from feature_store.redis.connection import Connection, Limits
from feature_store.redis.embedded import Embedded
from feature_store.redis.server import Server, Single
from feature_store.redis.store import RedisStore
from feature_store.redis.streams import Streams
from feature_store.settings import Home, fsync_from_env, settings_from_env
from feature_store.store import Store, StoreSettings


async def open_store(
    settings: StoreSettings | None = None,
    home: Home | None = None,
    url: str | None = None,
    clock: Clock = system_clock,
    limits: Limits | None = None,
    *,
    patience: float | None = None,
) -> Store:
    """Open the store at `url`, or the embedded one under `home` when there is no URL.

    What is not given comes from the environment; REDIS_URL counts only when neither `home`
    nor `url` is given. `patience`: seconds of silence after which a caller is told to come
    back (see Limits). Raises StoreUnavailable when it cannot be reached and
    StoreMisconfigured when it must not be used as it stands.
    """
    env_settings, env_home, env_url = settings_from_env()
    settings = settings or env_settings
    if url is None and home is None:
        url = env_url
    # Starting a server that has much to load takes longer than reaching one that runs.
    limits = limits or (Limits(dial=40.0) if url is None else Limits())
    if patience is not None:
        limits = replace(limits, patience=patience, reply=max(limits.reply, patience))
    if url is not None:
        return await _open_url(url, settings, clock, limits)
    embedded = await asyncio.to_thread(Embedded, (home or env_home).valkey, fsync_from_env())

    async def start() -> None:
        await asyncio.to_thread(embedded.ensure_running)

    async def let_go() -> None:
        embedded.close()

    connection = Connection(parse_address(embedded.url), limits, start)
    server = Single(connection)
    try:
        await connection.start()
        await check_server(server, settings)
    except BaseException:
        await server.close()
        embedded.close()
        raise
    return RedisStore(server, settings, clock, let_go)


async def _open_url(url: str, settings: StoreSettings, clock: Clock, limits: Limits) -> Store:
    connection = Connection(parse_address(url), limits)
    server: Server = Single(connection)
    try:
        await connection.start()
        if b"cluster_enabled:1" in await connection.call("INFO", "cluster"):
            await connection.close()
            cluster = Cluster(url, limits.reply, limits.patience)
            server = cluster
            await cluster.start()
        await check_server(server, settings)
    except BaseException:
        await server.close()
        raise
    return RedisStore(server, settings, clock)


def open_streams(
    settings: StoreSettings | None = None, home: Home | None = None, url: str | None = None
) -> Streams:
    """Open the streams of the same store as `open_store`, for the log writer.

    Raises StoreMisconfigured for a URL that cannot be read; everything else fails, and heals,
    at the first use.
    """
    env_settings, env_home, env_url = settings_from_env()
    settings = settings or env_settings
    if url is None and home is None:
        url = env_url
    if url is not None:
        return Streams(url, settings)
    embedded = Embedded((home or env_home).valkey, fsync_from_env())
    return Streams(embedded.url, settings, embedded.ensure_running, embedded.close)
