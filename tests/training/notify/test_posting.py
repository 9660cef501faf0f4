"""One attempt at a real target, however it behaves."""

import shutil
import ssl
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.training.notify.receiving import SECRET, Receiver
from training.notify.posting import Result, of_status, post
from training.notify.target import target_of

BODY = b'{"events": []}'


def test_a_body_arrives_with_its_headers(receiver: Receiver) -> None:
    assert post(receiver.target, {"x-own": "1"}, BODY) == Result("delivered", delivered=True)
    (arrived,) = receiver.arrived
    assert arrived.path == "/hook?x=1"
    assert arrived.body == BODY
    assert arrived.headers["x-own"] == "1"


@pytest.mark.parametrize("manner", ["hang", "drip"])
def test_a_target_that_never_ends_is_left_at_the_deadline(receiver: Receiver, manner: str) -> None:
    receiver.manner = manner
    begun = time.monotonic()
    assert post(receiver.target, {}, BODY, deadline_s=0.3).word == "timeout"
    assert time.monotonic() - begun < 5


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.manner = "redirect"
    assert post(receiver.target, {}, BODY) == Result("redirect")
    assert len(receiver.arrived) == 1


def test_a_closed_door_is_a_failure(receiver: Receiver) -> None:
    receiver.manner = "close"
    assert post(receiver.target, {}, BODY).word == "connection"
    nobody = target_of("http://127.0.0.1:9/", SECRET, private=True)
    assert post(nobody, {}, BODY).word == "connection"


def test_a_private_address_is_not_connected_to(receiver: Receiver) -> None:
    target = target_of(receiver.url.replace("http", "https"), SECRET)
    assert post(target, {}, BODY) == Result("private_address")
    rebound = target_of("https://hooks.example/", SECRET)
    assert post(rebound, {}, BODY, lookup=lambda host, port: ["10.0.0.1"]).word == "private_address"
    assert not receiver.arrived


def test_a_name_that_leads_nowhere_is_a_failure() -> None:
    def lookup(host: str, port: int) -> list[str]:
        raise OSError("no such name")

    assert post(target_of("https://hooks.example/", SECRET), {}, BODY, lookup=lookup).word == "name"


@pytest.mark.parametrize(
    ("status", "delivered", "hopeless"),
    [(200, True, False), (204, True, False), (301, False, False), (400, False, True),
     (401, False, False), (404, False, False), (422, False, True), (429, False, False),
     (500, False, False), (503, False, False)],
)  # fmt: skip
def test_what_a_status_means(status: int, delivered: bool, hopeless: bool) -> None:
    assert of_status(status)[1:] == (delivered, hopeless)


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    key, made = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(
        [*command, "-keyout", str(key), "-out", str(made)], check=True, capture_output=True
    )
    return key, made


def test_tls_is_checked_against_the_name(certificate: tuple[Path, Path]) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            return None

    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.load_cert_chain(certificate[1], certificate[0])
    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda request, address: None  # type: ignore[method-assign]
    server.socket = own.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()

    def here(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    try:
        port = server.server_port
        target = target_of(f"https://localhost:{port}/", SECRET, private=True)
        trusted = ssl.create_default_context(cafile=str(certificate[1]))
        assert post(target, {}, BODY, lookup=here, context=trusted).delivered
        assert post(target, {}, BODY, lookup=here).word == "tls"
        other = target_of(f"https://elsewhere.example:{port}/", SECRET, private=True)
        assert post(other, {}, BODY, lookup=here, context=trusted).word == "tls"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
