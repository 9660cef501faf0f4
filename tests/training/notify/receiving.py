"""A real HTTP target on this machine that behaves as it is told."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from training.notify.target import Target, target_of

SECRET = "a secret of many letters"


class Arrived(NamedTuple):
    """What a request brought; header names in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes


class Receiver:
    """`manner` is a status, or "hang", "drip", "close", "redirect"; arrived: what came in."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/hook?x=1"
        self.manner: Any = 200
        self.arrived: list[Arrived] = []
        self.followed = 0
        self.over = threading.Event()

    @property
    def target(self) -> Target:
        return target_of(self.url, SECRET, private=True)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        length = int(request.headers["content-length"])
        body = request.rfile.read(length)
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.arrived.append(Arrived(request.path, headers, body))
        manner = self.manner(self.arrived[-1]) if callable(self.manner) else self.manner
        if manner == "hang":
            self.over.wait(30)
        elif manner == "drip":
            request.wfile.write(b"HTTP/1.1 200 OK\r\n")
            while not self.over.is_set():
                request.wfile.write(b"x: y\r\n")
                time.sleep(0.02)
        elif manner == "close":
            request.close_connection = True
        elif manner == "redirect":
            request.send_response(307)
            request.send_header("location", f"{self.url}&followed=1")
            request.send_header("content-length", "0")
            request.end_headers()
        else:
            request.send_response(manner)
            request.send_header("content-length", "2")
            request.end_headers()
            request.wfile.write(b"ok")


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Run a target for a while."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            try:
                receiver.answer(self)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver = Receiver(server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield receiver
    finally:
        receiver.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
