import fcntl
import os
import socket
import threading
from pathlib import Path

from feature_store.redis import keeper
from feature_store.redis.keeper import Keeper
from tests.feature_store.servers import RunningServer, wait_for


def test_a_lock_is_held_until_closed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    held = keeper.lock(path, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert held is not None
    assert keeper.lock(path, fcntl.LOCK_EX | fcntl.LOCK_NB) is None
    assert keeper.lock(path, fcntl.LOCK_SH | fcntl.LOCK_NB) is None
    os.close(held)
    shared = [keeper.lock(path, fcntl.LOCK_SH | fcntl.LOCK_NB) for _ in range(2)]
    assert None not in shared
    for descriptor in shared:
        assert descriptor is not None
        os.close(descriptor)


def test_answers(server: RunningServer) -> None:
    path = server.url.removeprefix("unix://")
    assert keeper.answers(path) == b"+PONG\r\n"
    server.kill()
    assert keeper.answers(path) == b""
    assert keeper.answers("/no/such/socket") == b""


def test_a_second_keeper_goes_home(tmp_path: Path) -> None:
    held = keeper.lock(tmp_path / keeper.KEEPER, fcntl.LOCK_EX)
    assert held is not None
    assert Keeper(tmp_path, str(tmp_path / "s"), ["false"]).run() == 0
    os.close(held)


def test_an_orphaned_server_is_taken_over_and_stopped(tmp_path: Path) -> None:
    """What an earlier keeper left running is asked to stop when the last user is gone."""
    path = str(tmp_path / "s")
    held = keeper.lock(tmp_path / keeper.SERVER, fcntl.LOCK_EX)
    assert held is not None
    asked: list[bytes] = []

    def orphan(descriptor: int) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.bind(path)
            line.listen()
            connected, _ = line.accept()
            with connected:
                asked.append(connected.recv(100))
            os.close(descriptor)

    thread = threading.Thread(target=orphan, args=(held,))
    thread.start()
    wait_for(lambda: os.path.exists(path))
    keeping = Keeper(tmp_path, path, ["false"])
    keeping._stop()
    thread.join()
    assert asked == [b"SHUTDOWN NOSAVE\r\n"]
    assert not os.path.exists(path)
