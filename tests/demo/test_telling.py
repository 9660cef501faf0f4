"""The transcript: commands that can be pasted, JSON cut but honest about it, aligned tables."""

import io
import json
import shlex

from demo.telling import LISTED, Teller, folded, trimmed


def test_a_curl_command_is_the_call(teller: Teller, out: io.StringIO) -> None:
    body = {"user": "o'hara", "k": 2}
    teller.curl("POST", "http://h:1/v1/x?a=1&b=2", body)
    words = shlex.split(out.getvalue().strip().removeprefix("$ "))
    assert words[:5] == ["curl", "-s", "-X", "POST", "http://h:1/v1/x?a=1&b=2"]
    assert json.loads(words[words.index("-d") + 1]) == body


def test_a_get_is_short(teller: Teller, out: io.StringIO) -> None:
    teller.curl("GET", "http://h:1/metrics")
    assert out.getvalue().strip() == "$ curl -s http://h:1/metrics"


def test_lists_are_cut_and_counted() -> None:
    found = trimmed({"items": list(range(LISTED + 4)), "score": 0.123456, "few": [1]})
    assert found == {"items": [0, 1, 2, "… 4 more"], "score": 0.1235, "few": [1]}


def test_what_fits_stays_on_a_line() -> None:
    value = {"items": [{"item": "x" * 40, "score": n} for n in range(3)], "model": None, "none": []}
    lines = folded(value)
    assert json.loads("".join(lines)) == value
    assert max(map(len, lines)) <= 96
    assert lines[2].strip() == json.dumps(value["items"][0]) + ","


def test_parts_tables_and_claims(teller: Teller, out: io.StringIO) -> None:
    teller.part("First")
    teller.part("Second")
    teller.table([["a", "bb"], ["ccc", "d"]])
    teller.holds("it holds")
    teller.reply(200, {"ok": True}, 1.234)
    text = out.getvalue()
    assert "1. First\n────────\n" in text
    assert "2. Second" in text
    assert "    a    bb\n    ccc  d\n" in text
    assert "✓ it holds" in text
    assert 'HTTP 200, 1.2 ms\n    {"ok": true}' in text
