"""Rows from bytes: one, many, lines; a bad row beside good ones; any bytes at all."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import BadBody, BadField, CallerError
from service.codec import MAX_ROWS, OneDecoder, RowsDecoder, depth_within


class Row(msgspec.Struct, forbid_unknown_fields=True):
    n: int
    text: str = ""
    tags: list[str] = []


rows = RowsDecoder(Row)
one = OneDecoder(Row)


def naive(parts: list[bytes]) -> tuple[list[tuple[int, int]], list[int]]:
    """Answer (place, n) of the good rows and the places of the others, one by one."""
    good: list[tuple[int, int]] = []
    bad: list[int] = []
    for place, part in enumerate(parts):
        try:
            good.append((place, msgspec.json.decode(part, type=Row).n))
        except (msgspec.MsgspecError, UnicodeDecodeError):
            bad.append(place)
    return good, bad


PARTS = st.lists(
    st.sampled_from(
        [b'{"n":1}', b'{"n": 2, "text": "a,]\\n\\" b"}', b'{"n":"x"}', b'{"m":1}', b"3", b"null",
         b"[1,2]", b'"{"', b'{"n":NaN}', b'{"n":1,"text":"\\ud800"}', b'{"n":1,"text":"\xff"}',
         b'{"n":1,"tags":["a",1]}', b'{"n":99999999999999999999}', b"{}", b'{"n":7,"n":8}']
    ),
    min_size=1, max_size=8,
)  # fmt: skip


@given(PARTS)
def test_an_array_is_read_as_its_rows_one_by_one(parts: list[bytes]) -> None:
    good, bad = naive(parts)
    body = b"[" + b" , ".join(parts) + b"]"
    try:
        found = rows(body)
    except BadBody:
        assert not good
        return
    assert list(zip(found.places, (row.n for row in found.rows), strict=True)) == good
    assert sorted(rejected.index for rejected in found.rejected) == bad
    assert not found.single


@given(PARTS)
def test_lines_are_read_as_their_rows_one_by_one(parts: list[bytes]) -> None:
    good, bad = naive(parts)
    body = b"\n \n".join(parts) + b"\n"
    try:
        found = rows(body, b"application/x-ndjson; charset=utf-8")
    except BadBody:
        assert not good
        return
    assert list(zip(found.places, (row.n for row in found.rows), strict=True)) == good
    assert sorted(rejected.index for rejected in found.rejected) == bad


@given(st.binary(max_size=100) | st.text(max_size=100).map(str.encode))
def test_any_bytes_are_rows_or_refused(body: bytes) -> None:
    for content_type in (b"", b"application/x-ndjson"):
        try:
            found = rows(body, content_type)
        except CallerError as error:
            assert error.code and error.message  # noqa: PT017, PT018
        else:
            assert len(found.rows) == len(found.places)


def test_one_bare_object_is_single() -> None:
    assert rows(b' {"n":1} ').single
    assert not rows(b'{"n":1}', b"application/jsonl").single
    assert not rows(b'{"n":1}\n{"n":2}').single


def test_a_broken_bare_object_is_refused_whole() -> None:
    with pytest.raises(BadBody):
        rows(b'{"n":1')
    with pytest.raises(BadField) as caught:
        rows(b'{"n":\n"x"}')
    assert caught.value.field == "n"


def test_too_many_rows() -> None:
    many = [b'{"n":1}'] * (MAX_ROWS + 1)
    assert len(rows(b"[" + b",".join(many[1:]) + b"]").rows) == MAX_ROWS
    for body in (b"[" + b",".join(many) + b"]", b"\n".join(many), b"[0," + b",".join(many) + b"]"):
        with pytest.raises(BadBody) as caught:
            rows(body)
        assert caught.value.code == "too_many_rows"


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        (b"{}", "n", "missing"),
        (b'{"n":1,"x":2}', "x", "unknown_field"),
        (b'{"n":1,"' + b"x" * 500 + b'":2}', "x" * 64, "unknown_field"),
        (b'{"n":1,"a`b":2}', "a`b", "unknown_field"),
        (b'{"n":"1"}', "n", "bad_type"),
        (b'{"n":1,"tags":[1]}', "tags[0]", "bad_type"),
        (b"[]", "", "bad_type"),
        (b"{", "body", "bad_json"),
        (b"", "body", "empty"),
        (b"\xff", "body", "bad_json"),
        (b'{"n":1,"text":"\xff"}', "body", "bad_json"),
        (b'{"n":1,"tags":' + b"[" * 5_000, "tags[0]", "bad_type"),
    ],
)
def test_what_is_wrong_is_said(body: bytes, field: str, code: str) -> None:
    with pytest.raises(CallerError) as caught:
        one(body)
    assert (caught.value.field, caught.value.code) == (field, code)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner),
)


def naive_depth(text: str) -> int:
    depth = deepest = 0
    for letter in text:
        depth += (letter in "[{") - (letter in "]}")
        deepest = max(deepest, depth)
    return deepest


@given(JSON, st.integers(0, 4))
def test_depth(value: object, levels: int) -> None:
    text = json.dumps(value)
    if not any(letter in text for letter in '"\\'):
        assert depth_within(value, levels) == (naive_depth(text) <= levels)
