"""Signatures: a known answer, and everything that must not pass."""

import re
import subprocess
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.architecture.sources import ROOT
from training.notify.signature import DELIVERY, SIGNATURE, TIMESTAMP, sign, signed_headers, verify

SECRET = b"a secret of many letters"
BODY = b'{"events": []}'
AT = 1_717_200_000


def test_the_signature_is_what_openssl_computes() -> None:
    message = f"{AT}.d1.".encode() + BODY
    command = ["openssl", "dgst", "-sha256", "-hmac", SECRET.decode(), "-hex"]
    try:
        done = subprocess.run(command, input=message, capture_output=True, check=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    assert sign(SECRET, "d1", AT, BODY) == "v1=" + done.stdout.decode().split()[-1]


def test_a_known_answer() -> None:
    assert sign(b"key", "x", 0, b"") == (
        "v1=76efe6d8922b768421dfbca7b9ef949cb51aeca3200152fb82af8a555c33ec61"
    )


def test_what_we_sign_is_verified() -> None:
    headers = signed_headers(SECRET, "d1", AT, BODY)
    assert verify(SECRET, headers, BODY, AT + 299)


@pytest.mark.parametrize(
    "change",
    [
        {SIGNATURE: "v1=" + "0" * 64},
        {SIGNATURE: "v1=ä"},
        {TIMESTAMP: str(AT + 1)},
        {TIMESTAMP: "soon"},
        {DELIVERY: "d2"},
    ],
)
def test_what_was_changed_is_refused(change: dict[str, str]) -> None:
    headers = signed_headers(SECRET, "d1", AT, BODY)
    assert not verify(SECRET, headers | change, BODY, AT)


def test_another_body_key_or_time_is_refused() -> None:
    headers = signed_headers(SECRET, "d1", AT, BODY)
    assert not verify(SECRET, headers, BODY + b" ", AT)
    assert not verify(SECRET + b"x", headers, BODY, AT)
    assert not verify(SECRET, headers, BODY, AT + 301)
    assert not verify(SECRET, {}, BODY, AT)


@given(st.binary(), st.text(alphabet="abcdef0123456789"), st.integers(0, 2**40))
def test_every_body_can_be_signed(body: bytes, delivery: str, at: int) -> None:
    assert verify(SECRET, signed_headers(SECRET, delivery, at, body), body, at)


def test_the_documented_receiver_takes_what_we_sign() -> None:
    page = (ROOT / "docs" / "webhook.md").read_text()
    (code,) = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(code, "webhook.md", "exec"), names)
    headers = signed_headers(SECRET, "d1", int(time.time()), BODY)
    assert names["genuine"](SECRET, headers, BODY)
    assert not names["genuine"](SECRET, headers, BODY + b" ")
    old = signed_headers(SECRET, "d1", int(time.time()) - 400, BODY)
    assert not names["genuine"](SECRET, old, BODY)
