"""The start-up check: names what is wrong with a server and what to do about it.

Run before a store is handed out. Repeats no password and no id.
"""

import logging
from typing import Any

from domain.errors import StoreMisconfigured, StoreUnavailable
from feature_store import keys
from feature_store.records import FORMAT_VERSION
from feature_store.redis import script_files as scripts
from feature_store.redis.server import Server
from feature_store.store import StoreSettings

OLDEST_REDIS = 7
"""Redis 7.0 is the first whose scripts may write what they read at random times."""

logger = logging.getLogger(__name__)

Info = dict[str, str]


def parse_info(text: bytes) -> Info:
    """Read the reply of INFO into names and values."""
    lines = text.decode("utf-8", "replace").splitlines()
    pairs = (line.split(":", 1) for line in lines if ":" in line and not line.startswith("#"))
    return {name: value.strip() for name, value in pairs}


def check_info(info: Info) -> list[str]:
    """Judge a server by its INFO; answer warnings, raise StoreMisconfigured for faults."""
    if "valkey_version" not in info:
        version = info.get("redis_version", "0")
        major = version.split(".", 1)[0]
        if not major.isdigit() or int(major) < OLDEST_REDIS:
            raise StoreMisconfigured(
                f"the server of REDIS_URL is Redis {version[:20]}: upgrade it to Redis 7.0 or "
                "newer, or to any Valkey"
            )
    policy = info.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        raise StoreMisconfigured(
            f"the server's maxmemory-policy is {policy[:20]}, which drops user state when memory "
            "runs short: set maxmemory-policy to noeviction (CONFIG SET maxmemory-policy "
            "noeviction, and in its configuration file)"
        )
    if info.get("role") == "slave" or info.get("role") == "replica":
        raise StoreMisconfigured(
            "the server of REDIS_URL is a read-only replica: point REDIS_URL at the primary"
        )
    if info.get("aof_enabled", "0") != "1":
        return [
            "the server's append-only file is off: events acknowledged since the last snapshot "
            "are lost when it dies; set appendonly to yes"
        ]
    return []


async def check_server(server: Server, settings: StoreSettings) -> list[str]:
    """Check a server and fix the store's layout on first use; answer (and log) warnings.

    Raises StoreMisconfigured naming the setting and the remedy, or StoreUnavailable.
    """
    warnings: list[str] = []
    for text in await server.infos():
        warnings += [each for each in check_info(parse_info(text)) if each not in warnings]
    await _check_rights(server)
    await _check_layout(server, settings)
    for warning in warnings:
        logger.warning("%s", warning)
    return warnings


async def _check_rights(server: Server) -> None:
    """Write, run and delete what the store will, on keys of its own."""
    probe = keys.blob("probe")
    try:
        await server.run(scripts.COMPARE_AND_SET, [([probe], [b"", b"1", 1_000])])
        await server.call("XADD", keys.blob("probe-stream"), "*", "a", "1")
        await server.call("DEL", keys.blob("probe-stream"))
        await server.mget([probe])
    except StoreUnavailable as error:
        if "READONLY" in str(error):
            raise StoreMisconfigured(
                "the server of REDIS_URL is read-only: point REDIS_URL at the primary"
            ) from error
        raise


async def _check_layout(server: Server, settings: StoreSettings) -> None:
    """Remember the format and the buckets at the first use; refuse another later."""
    wanted = f"format={FORMAT_VERSION} buckets={settings.buckets}".encode()
    await server.call("SET", keys.FORMAT, wanted, "NX")
    held: Any = await server.call("GET", keys.FORMAT)
    if held == wanted:
        return
    text = held.decode("ascii", "replace")[:60] if isinstance(held, bytes) else ""
    buckets = text.partition("buckets=")[2]
    if text.startswith(f"format={FORMAT_VERSION} ") and buckets.isdigit():
        raise StoreMisconfigured(
            f"the store was filled with {buckets} buckets and SANDERLING_BUCKETS now asks for "
            f"{settings.buckets}: set SANDERLING_BUCKETS to {buckets}, or point REDIS_URL (or "
            "SANDERLING_HOME) at an empty store and import the log again"
        )
    raise StoreMisconfigured(
        "the store was filled by another release: point REDIS_URL (or SANDERLING_HOME) at an "
        "empty store and import the log again"
    )
