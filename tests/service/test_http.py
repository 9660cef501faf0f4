"""Requests, replies and query strings."""

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import BadField
from service.http import MAX_QUERY_FIELDS, Reply, Request, header, json_reply, query_of

ALLOWED = frozenset({"a", "b"})


def query(text: bytes) -> dict[str, str]:
    return query_of(Request("GET", "/", text), ALLOWED)


@given(st.dictionaries(st.sampled_from("ab"), st.text(st.characters(exclude_categories=["Cs"]))))
def test_a_query_is_read_as_it_was_written(values: dict[str, str]) -> None:
    assert query(urlencode(values).encode()) == values


@pytest.mark.parametrize(
    ("text", "field"),
    [(b"c=1", "query"), (b"a=1&a=2", "a"), (b"a=%ff", "query"), (b"a=\xff", "query"),
     (b"&".join([b"a=1"] * (MAX_QUERY_FIELDS + 1)), "query")],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(text: bytes, field: str) -> None:
    with pytest.raises(BadField) as caught:
        query(text)
    assert caught.value.field == field


def test_headers_are_found_by_name() -> None:
    request = Request("GET", "/", headers=[(b"x", b"1"), (b"x", b"2")])
    assert header(request, b"x") == b"1"
    assert header(request, b"y") == b""


def test_json_replies() -> None:
    assert json_reply({"a": [1]}, 201) == Reply(201, b'{"a":[1]}', (), b"application/json")
