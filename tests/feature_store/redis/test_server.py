import pytest

from domain.errors import StoreUnavailable
from feature_store.redis.address import parse_address
from feature_store.redis.connection import Connection
from feature_store.redis.script_files import COMPARE_AND_SET
from feature_store.redis.server import Single
from tests.feature_store.servers import RunningServer


async def test_scripts_are_brought_along_when_the_server_lost_them(server: RunningServer) -> None:
    connection = Connection(parse_address(server.url))
    await connection.start()
    single = Single(connection)
    for round_ in range(2):
        calls = [([f"k{round_}{n}"], [b"", b"v", 60_000]) for n in range(5)]
        assert await single.run(COMPARE_AND_SET, calls) == [b""] * 5
        assert await single.mget([f"k{round_}{n}" for n in range(6)]) == [b"v"] * 5 + [None]
        await single.call("SCRIPT", "FLUSH")
    await single.close()


async def test_commands_together(server: RunningServer) -> None:
    connection = Connection(parse_address(server.url))
    await connection.start()
    single = Single(connection)
    assert await single.call_all([("SET", "a", "1"), ("GET", "a")]) == [b"OK", b"1"]
    with pytest.raises(StoreUnavailable):
        await single.call_all([("GET", "a"), ("NOSUCHCOMMAND",)])
    assert b"redis_version" in (await single.infos())[0]
    await single.close()
