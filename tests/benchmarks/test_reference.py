"""The reference endpoint: its shape is fixed, its body padded to the size asked for."""

import json
import urllib.error
import urllib.request

import pytest

from benchmarks import reference
from benchmarks.servers import Server, reference_server

LEAST = len(reference.body(0))


@pytest.mark.parametrize("size", [LEAST, LEAST + 1, 480, 1_000])
def test_a_body_has_the_size_asked_for(size: int) -> None:
    assert len(reference.body(size)) == size


def test_a_body_is_never_less_than_its_fields_need() -> None:
    assert len(reference.body(10)) == LEAST


def test_a_body_holds_the_promised_fields() -> None:
    question = json.loads(reference.body(480))
    assert set(question) == {"id", "first", "second", "floats", "strings"}
    assert len(question["floats"]) == 40
    assert all(isinstance(number, float) for number in question["floats"])
    assert len(question["strings"]) == 10


def _post(server: Server, body: bytes) -> bytes:
    request = urllib.request.Request(
        server.url("/reference"), body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read()


def test_it_validates_and_answers() -> None:
    with reference_server(None) as server:
        answer = json.loads(_post(server, reference.body(480)))
        assert answer == {"id": 12345, "text": "first"}
        with pytest.raises(urllib.error.HTTPError, match="422"):
            _post(server, b'{"id": "many"}')


def test_there_is_no_middleware() -> None:
    assert reference.app.user_middleware == []
