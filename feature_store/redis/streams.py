"""The intake and decision streams as the log writer reads them: synchronous, at its own pace.

Works on one server and on a cluster. Knows nothing of files.
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import redis
from redis.exceptions import RedisClusterException, RedisError, ResponseError

from domain.errors import StoreUnavailable
from feature_store import keys
from feature_store.redis.address import parse_address
from feature_store.redis.codec import decisions_from_json
from feature_store.redis.reading import state_of
from feature_store.redis.replies import error_of
from feature_store.store import DecisionEntry, EntityState, StoreSettings, StreamEntry

_TIMEOUT_SECONDS = 10.0

Rows = list[tuple[bytes, dict[bytes, bytes]]]
"""Entries of one stream as they come: the id, and the fields by name."""
_New = dict[int, Rows]
"""What is new, by bucket."""


def split_payloads(joined: bytes) -> list[bytes]:
    """Split payloads that travel behind their lengths (uint32, little-endian)."""
    payloads: list[bytes] = []
    at = 0
    while at < len(joined):
        (length,) = struct.unpack_from("<I", joined, at)
        payloads.append(joined[at + 4 : at + 4 + length])
        at += 4 + length
    return payloads


def after(stream_id: str) -> str:
    """Answer the smallest stream id greater than `stream_id`."""
    ms, _, place = stream_id.partition("-")
    return f"{ms}-{int(place or 0) + 1}"


def close_client(client: Any) -> None:
    """Close a client; of a cluster's, every node's connections, which its own close leaves."""
    if isinstance(client, redis.RedisCluster):
        manager: Any = client.nodes_manager
        for node in (*manager.nodes_cache.values(), *manager.startup_nodes.values()):
            if node.redis_connection is not None:
                node.redis_connection.connection_pool.disconnect()
    client.close()


def _events(rows: Rows) -> list[StreamEntry]:
    return [
        StreamEntry(stream_id.decode(), fields[b"r"], split_payloads(fields[b"p"]))
        for stream_id, fields in rows
    ]


def _decisions(rows: Rows) -> list[DecisionEntry]:
    return [
        DecisionEntry(stream_id.decode(), decisions_from_json(fields[b"d"]))
        for stream_id, fields in rows
    ]


def _at_once(client: Any, names: dict[str, int], after_ids: Mapping[int, str], count: int) -> _New:
    """Read streams of one server with one command; `names` are keys and their buckets."""
    ids = [after_ids[bucket] or "0" for bucket in names.values()]
    reply: Any = client.execute_command("XREAD", "COUNT", count, "STREAMS", *names, *ids)
    pairs = cast(list[tuple[bytes, Rows]], reply or [])
    return {names[name.decode()]: rows for name, rows in pairs}


def _by_node(client: Any, names: dict[str, int], after_ids: Mapping[int, str], count: int) -> _New:
    """Read streams of a cluster: no command may name keys of two slots, so one each, together."""
    pipeline: Any = client.pipeline()
    for name, bucket in names.items():
        start = after(after_ids[bucket]) if after_ids[bucket] else "-"
        pipeline.execute_command("XRANGE", name, start, "+", "COUNT", count)
    replies: Any = pipeline.execute()
    return {bucket: rows for bucket, rows in zip(names.values(), replies, strict=True) if rows}


def _pipeline(client: Any) -> Any:
    """Answer a pipeline that is no transaction; of a cluster, each node gets its part."""
    make: Callable[..., Any] = client.pipeline
    return make() if isinstance(client, redis.RedisCluster) else make(transaction=False)


class Streams:
    """Reads and trims a deployment's streams; safe to keep for long, heals by itself.

    Every method raises StoreUnavailable when the server cannot be reached.
    """

    def __init__(
        self,
        url: str,
        settings: StoreSettings,
        revive: Callable[[], None] | None = None,
        on_close: Callable[[], None] | None = None,
    ) -> None:
        """`revive` runs after a failure, before the next attempt (the embedded server)."""
        parse_address(url)
        self.settings = settings
        self._url = url
        self._revive = revive
        self._on_close = on_close
        self._client: Any = None

    def _connected(self) -> Any:
        if self._client is None:
            if self._revive is not None:
                self._revive()
            connect = cast(Callable[..., Any], redis.Redis.from_url)  # pyright: ignore[reportUnknownMemberType]
            client = connect(
                self._url,
                socket_timeout=_TIMEOUT_SECONDS,
                socket_connect_timeout=_TIMEOUT_SECONDS,
            )
            if client.info("cluster").get("cluster_enabled"):
                client.close()
                client = redis.RedisCluster.from_url(self._url, socket_timeout=_TIMEOUT_SECONDS)
            self._client = client
        return self._client

    def _call(self, *command: str | bytes | int) -> Any:
        return self._do(lambda client: client.execute_command(*command))

    def _do(self, work: Callable[[Any], Any]) -> Any:
        """Do something with the client; its errors become the house's."""
        try:
            return work(self._connected())
        except ResponseError as error:
            raise error_of(str(error)) from error
        except (RedisError, RedisClusterException, OSError) as error:
            self._drop()
            raise StoreUnavailable("the store's streams cannot be reached just now") from error

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            close_client(client)

    def _range(self, key: str, after_id: str, count: int) -> Rows:
        start = after(after_id) if after_id else "-"
        return self._call("XRANGE", key, start, "+", "COUNT", count) or []

    def _new(self, name: Callable[[int], str], after_ids: Mapping[int, str], count: int) -> _New:
        """Read every bucket's stream in one round trip (of a cluster: one a node)."""
        if not after_ids:
            return {}
        return self._do(
            lambda client: (_by_node if isinstance(client, redis.RedisCluster) else _at_once)(
                client, {name(bucket): bucket for bucket in after_ids}, after_ids, count
            )
        )

    def _trim(self, key: str, up_to_id: str) -> int:
        return int(self._call("XTRIM", key, "MINID", "=", after(up_to_id)))

    def read(self, bucket: int, after_id: str, count: int) -> list[StreamEntry]:
        """Answer at most `count` entries after `after_id` ("" starts) in order."""
        return _events(self._range(keys.intake(bucket), after_id, count))

    def read_new(self, after_ids: Mapping[int, str], count: int) -> dict[int, list[StreamEntry]]:
        """Answer at most `count` entries of each bucket after its id, where there are any."""
        found = self._new(keys.intake, after_ids, count)
        return {bucket: _events(rows) for bucket, rows in found.items()}

    def trim(self, bucket: int, up_to_id: str) -> int:
        """Drop the entries up to and with `up_to_id`; answer how many there were."""
        return self._trim(keys.intake(bucket), up_to_id)

    def length(self, bucket: int) -> int:
        """Answer how many entries wait on a bucket's stream."""
        return int(self._call("XLEN", keys.intake(bucket)))

    def read_decisions(self, bucket: int, after_id: str, count: int) -> list[DecisionEntry]:
        """Answer at most `count` entries of decisions after `after_id` ("" starts) in order."""
        return _decisions(self._range(keys.decisions(bucket), after_id, count))

    def read_new_decisions(
        self, after_ids: Mapping[int, str], count: int
    ) -> dict[int, list[DecisionEntry]]:
        """Answer at most `count` entries of decisions of each bucket after its id."""
        found = self._new(keys.decisions, after_ids, count)
        return {bucket: _decisions(rows) for bucket, rows in found.items()}

    def trim_decisions(self, bucket: int, up_to_id: str) -> int:
        """Drop the decisions up to and with `up_to_id`; answer how many entries there were."""
        return self._trim(keys.decisions(bucket), up_to_id)

    def get_blob(self, name: str) -> bytes | None:
        """Answer a small named value shared by all processes."""
        return self._call("GET", keys.blob(name))

    def read_states(self, users: Sequence[str], histories: bool) -> list[EntityState]:
        """Answer what is held of users' entities, in order; without `histories` no history."""

        def work(client: Any) -> list[bytes | None]:
            pipeline = _pipeline(client)
            for user in users:
                bucket = keys.bucket(user, self.settings.buckets)
                for name in (keys.profile, keys.scores, *([keys.history] * histories)):
                    pipeline.get(name(bucket, user))
            return pipeline.execute()

        held: list[bytes | None] = self._do(work) if users else []
        step = 3 if histories else 2
        rows = [held[place : place + step] for place in range(0, len(held), step)]
        return [state_of(row[2] if histories else None, row[0], row[1]) for row in rows]

    def put_blob(self, name: str, value: bytes) -> None:
        """Replace a small named value."""
        self._call("SET", keys.blob(name), value)

    def close(self) -> None:
        """Let go of the connection (and of the embedded server, when it is ours)."""
        self._drop()
        if self._on_close is not None:
            self._on_close()
            self._on_close = None
