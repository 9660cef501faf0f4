"""The table from errors to status codes covers the whole tree."""

import json

import pytest

import domain.errors as tree
from domain.errors import BadBody, BadField, CallerError, NotFound, SanderlingError, Unavailable
from service.errors import STATUS_BY_CODE, STATUS_BY_TYPE, error_reply, internal_error, reply_for

KINDS = [
    kind
    for kind in vars(tree).values()
    if isinstance(kind, type) and issubclass(kind, SanderlingError)
]


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_has_a_status(kind: type[SanderlingError]) -> None:
    reply = reply_for(kind("a message"))
    error = json.loads(reply.body)["error"]
    assert set(error) == {"code", "field", "message"}
    assert (error["message"] == "a message") == issubclass(kind, CallerError)
    assert 400 <= reply.status <= 503
    if issubclass(kind, CallerError):
        assert reply.status < 500
    if issubclass(kind, Unavailable):
        assert dict(reply.headers)[b"retry-after"].isdigit()


@pytest.mark.parametrize(("code", "status"), STATUS_BY_CODE.items())
def test_some_codes_have_a_status_of_their_own(code: str, status: int) -> None:
    assert reply_for(BadBody("x", code=code)).status == status


def test_the_usual_ones() -> None:
    assert reply_for(BadField("x", field="f")).status == 400
    assert reply_for(NotFound("x")).status == 404
    assert internal_error().status == 500
    assert STATUS_BY_TYPE[-1][0] is SanderlingError


def test_the_shape() -> None:
    reply = error_reply(418, "teapot", 'a "quoted" reason', "pot", ((b"x", b"y"),))
    assert json.loads(reply.body) == {
        "error": {"code": "teapot", "field": "pot", "message": 'a "quoted" reason'}
    }
    assert (reply.status, reply.headers) == (418, ((b"x", b"y"),))
