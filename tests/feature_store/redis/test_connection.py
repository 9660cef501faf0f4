import asyncio
import contextlib
import time
from collections.abc import Callable

import pytest
import uvloop

from domain.errors import StoreMisconfigured, StoreUnavailable
from feature_store.redis.address import parse_address
from feature_store.redis.connection import Connection, Limits
from service.settings import ServiceSettings
from tests.feature_store.servers import DEADLINE_SECONDS, RunningServer


@contextlib.asynccontextmanager
async def connected(server: RunningServer, limits: Limits | None = None):
    connection = Connection(parse_address(server.url), limits)
    await connection.start()
    try:
        yield connection
    finally:
        await connection.close()


async def until_answers(connection: Connection) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            try:
                await connection.call("PING")
                return
            except StoreUnavailable:
                await asyncio.sleep(0.01)


async def test_replies_come_to_their_commands(server: RunningServer) -> None:
    async with connected(server) as connection:
        answers = await asyncio.gather(*[connection.call("ECHO", str(n)) for n in range(2_000)])
        assert answers == [str(n).encode() for n in range(2_000)]


async def test_commands_of_a_turn_are_written_together(server: RunningServer) -> None:
    async with connected(server) as connection:
        before = parse(await connection.call("INFO", "stats"))
        await asyncio.gather(*[connection.call("ECHO", "x") for _ in range(100)])
        after = parse(await connection.call("INFO", "stats"))
    reads = int(after["total_reads_processed"]) - int(before["total_reads_processed"])
    # One read for the hundred, one for the INFO; the rest is slack for a slow machine.
    assert reads <= 10


def parse(info: bytes) -> dict[str, str]:
    lines = [line for line in info.decode().splitlines() if ":" in line]
    return dict(line.split(":", 1) for line in lines)


async def test_an_error_reply_fails_its_command_alone(server: RunningServer) -> None:
    async with connected(server) as connection:
        await connection.call("SET", "text", "x")
        results = await asyncio.gather(
            connection.call("INCR", "text"), connection.call("GET", "text"), return_exceptions=True
        )
        assert isinstance(results[0], StoreUnavailable)
        assert results[1] == b"x"


async def test_a_cancelled_command_does_not_shift_replies(server: RunningServer) -> None:
    async with connected(server) as connection:
        task = asyncio.ensure_future(connection.call("ECHO", "a"))
        await asyncio.sleep(0)
        task.cancel()
        assert await connection.call("ECHO", "b") == b"b"


async def test_a_broken_connection_fails_what_waits_and_heals(server: RunningServer) -> None:
    async with connected(server) as connection:
        server.pause()
        waiting = [asyncio.ensure_future(connection.call("PING")) for _ in range(5)]
        await asyncio.sleep(0.05)
        server.kill()
        for result in await asyncio.gather(*waiting, return_exceptions=True):
            assert isinstance(result, StoreUnavailable)
        with pytest.raises(StoreUnavailable):
            await connection.call("PING")
        await asyncio.to_thread(server.start)
        await until_answers(connection)


async def test_a_silent_server_is_given_up(server: RunningServer) -> None:
    async with connected(server, Limits(reply=0.2)) as connection:
        server.pause()
        with pytest.raises(StoreUnavailable):
            async with asyncio.timeout(DEADLINE_SECONDS):
                await connection.call("PING")
        server.resume()
        await until_answers(connection)


async def test_callers_of_a_silent_server_are_sent_away_in_time(server: RunningServer) -> None:
    async with connected(server, Limits(patience=0.3)) as connection:
        await connection.call("SET", "n", "0")
        server.pause()
        started = time.monotonic()
        waiting = [asyncio.ensure_future(connection.call("INCR", "n")) for _ in range(3)]
        await asyncio.sleep(0.1)
        waiting.append(asyncio.ensure_future(connection.call("ECHO", "late")))
        for result in await asyncio.gather(*waiting, return_exceptions=True):
            assert isinstance(result, StoreUnavailable)
        assert 0.3 < time.monotonic() - started < 0.9
        # Who comes later need not find out again.
        started = time.monotonic()
        with pytest.raises(StoreUnavailable, match="does not answer"):
            await connection.call("PING")
        assert time.monotonic() - started < 0.05
        server.resume()
        await until_answers(connection)
        # The connection is the same: what was sent was done, and no reply was taken for another.
        assert await asyncio.gather(connection.call("GET", "n"), connection.call("ECHO", "x")) == [
            b"3",
            b"x",
        ]


BUSY = "local till = os.clock() + 0.1 repeat until os.clock() > till return ARGV[1]"
"""Keeps the server busy for 100 ms of its processor's time."""


async def test_a_slow_server_that_answers_is_waited_for(server: RunningServer) -> None:
    async with connected(server, Limits(patience=1.0)) as connection:
        # As large as appends are: the server answers small ones of a turn all at once.
        much = b"x" * 100_000
        started = time.monotonic()
        answers = await asyncio.gather(
            *[connection.call("EVAL", BUSY, 0, str(n), much) for n in range(16)]
        )
        assert answers == [str(n).encode() for n in range(16)]
        assert time.monotonic() - started > 1.0


@pytest.mark.parametrize("factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_busy_event_loop_is_not_taken_for_a_silent_server(
    server: RunningServer, factory: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    async def block() -> None:
        async with connected(server, Limits(patience=0.1)) as connection:
            for _ in range(5):
                reply = asyncio.ensure_future(connection.call("ECHO", "x"))
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                time.sleep(0.3)  # noqa: ASYNC251
                assert await reply == b"x"

    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(block())


def test_the_services_patience_ends_within_a_second() -> None:
    patience = ServiceSettings().patience_s
    assert patience + 1.25 * Limits(patience=patience).look < 0.9


async def test_the_queue_is_bounded(server: RunningServer) -> None:
    async with connected(server, Limits(commands=10)) as connection:
        futures = [connection.send("PING") for _ in range(10)]
        with pytest.raises(StoreUnavailable, match="too slow"):
            connection.send("PING")
        for future in futures:
            assert await connection.finish(future) == b"PONG"
        assert await connection.call("PING") == b"PONG"


async def test_unsent_bytes_are_bounded(server: RunningServer) -> None:
    async with connected(server, Limits(unsent=1_000_000)) as connection:
        server.pause()
        for _ in range(10):
            connection.send("SET", "k", b"x" * 100_000)
        with pytest.raises(StoreUnavailable, match="too slow"):
            connection.send("SET", "k", b"x")
        server.resume()
        await until_answers(connection)


async def test_nobody_listens() -> None:
    connection = Connection(parse_address("unix:///no/such/socket"))
    with pytest.raises(StoreUnavailable):
        await connection.start()
    with pytest.raises(StoreUnavailable):
        connection.send("PING")
    await connection.close()


async def test_what_comes_before_dialling_runs_every_time(server: RunningServer) -> None:
    dialled = []

    async def note() -> None:
        dialled.append(1)

    connection = Connection(parse_address(server.url), before_dial=note)
    await connection.start()
    server.kill()
    await asyncio.to_thread(server.start)
    await until_answers(connection)
    await connection.close()
    assert len(dialled) >= 2


async def test_a_wrong_database_is_the_operators_business(server: RunningServer) -> None:
    connection = Connection(parse_address(server.url + "?db=99"))
    with pytest.raises((StoreMisconfigured, StoreUnavailable)):
        await connection.start()
    await connection.close()
