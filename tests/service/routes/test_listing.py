"""What lists share: limits, formats, and files that stay of one sweep or break off."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from domain.errors import BadField, StoreUnavailable
from feature_store.sweeps.shelf import clear_old
from service.http import Request
from service.routes import listing
from service.routes.listing import MAX_FILE, MAX_PAGE, PAGE, format_of, limit_of
from tests.feature_store.sweeps.making import put
from tests.service.routes.test_churn_pages import N, download, everybody
from tests.service.serving import App, app_in_memory


@pytest.fixture
def swept(tmp_path: Path) -> Iterator[App]:
    put(tmp_path / "sweeps" / "churn", 1, everybody())
    with app_in_memory(tmp_path) as app:
        yield app


def test_a_limit_is_a_whole_number_within_bounds() -> None:
    assert limit_of({}) == limit_of({"limit": ""}) == PAGE
    assert limit_of({"limit": str(MAX_PAGE)}) == MAX_PAGE
    assert limit_of({"limit": "501"}, MAX_FILE, MAX_FILE) == 501
    for text in ("0", "-1", "1.5", "501", "x", "\u0661", "9" * 12):
        with pytest.raises(BadField, match="from 1 to 500"):
            limit_of({"limit": text})


def test_who_refuses_after_the_sweep_is_listed_no_more(swept: App) -> None:
    first = swept.send("GET", "/v1/churn?limit=2")[1]["users"]
    swept.send("PUT", "/v1/segments/all", {"where": "churn.probability >= 0"})
    gone, stays = (one["user"] for one in first)
    swept.send("PATCH", f"/v1/users/{gone}", {"consent": {"analytics": False}})
    for path in ("/v1/churn", "/v1/segments/all/users"):
        told = swept.send("GET", path + "?limit=2")[1]
        assert [one["user"] for one in told["users"]] == [stays]
        # The sweep is as it was: places in it, and so cursors, do not move.
        assert told["matched"] == N
        after = swept.send("GET", f"{path}?limit=2&cursor={told['cursor']}")[1]
        assert len(after["users"]) == 2
        lines = download(swept, path + "?format=ndjson").body.splitlines()
        users = {json.loads(line)["user"] for line in lines}
        assert (len(users), gone in users) == (N - 1, False)


def test_consent_that_cannot_be_looked_at_is_none(
    swept: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(users: object) -> Any:
        raise StoreUnavailable("down")

    monkeypatch.setattr(swept.store, "read_profiles", silent)
    status, reply = swept.send("GET", "/v1/churn?limit=2")
    assert (status, "users" in reply) == (503, False)


def asking(accept: bytes) -> Request:
    return Request("GET", "/", b"", [(b"accept", accept)], b"", "")


def test_the_query_counts_for_more_than_the_header() -> None:
    assert format_of({}, asking(b"*/*")) == "json"
    assert format_of({}, asking(b"text/csv;q=0.9")) == "csv"
    assert format_of({"format": "json"}, asking(b"text/csv")) == "json"
    for query, field in (({"format": "xml"}, "format"), ({"cursor": "abc"}, "cursor")):
        with pytest.raises(BadField) as caught:
            format_of(query, asking(b"text/csv"))
        assert caught.value.field == field


def test_a_file_that_fails_half_way_is_broken_off_and_counted(swept: App, monkeypatch) -> None:
    good = listing.users_out
    calls: list[int] = []

    def failing(sweep: Any, rows: Any) -> Any:
        calls.append(len(rows))
        if len(calls) > 1:
            raise RuntimeError("the disk is gone")
        return good(sweep, rows)

    monkeypatch.setattr(listing, "users_out", failing)
    with pytest.raises(AssertionError, match="more_body"):
        download(swept, "/v1/churn?format=ndjson")
    assert len(calls) == 2
    counted = swept.ask("GET", "/metrics").body.decode()
    (line,) = [
        line
        for line in counted.splitlines()
        if "unexpected" in line and 'route="/v1/churn"' in line and not line.startswith("#")
        and "created" not in line
    ]  # fmt: skip
    assert float(line.split()[-1]) == 1.0
    assert "the disk is gone" not in counted


def test_a_file_is_of_one_sweep_though_another_comes_in(swept: App, tmp_path: Path) -> None:
    root = tmp_path / "sweeps" / "churn"
    good, made = listing.users_out, list[int]()

    def slow(sweep: Any, rows: Any) -> Any:
        if not made:
            for number in (2, 3, 4, 5):
                put(root, number, everybody(10, seed=number))
            clear_old(root, keep=1)
        made.append(len(rows))
        return good(sweep, rows)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(listing, "users_out", slow)
        answer = download(swept, "/v1/churn?format=ndjson")
    assert len({json.loads(line)["user"] for line in answer.body.splitlines()}) == N
    assert swept.send("GET", "/v1/churn")[1]["matched"] == 10
