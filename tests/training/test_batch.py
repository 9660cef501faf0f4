"""`python -m training recommend`: the service's answers, for many users at once."""

import argparse
import asyncio
import json
import os
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest

from domain.clock import DAY_MS, FixedClock
from domain.errors import ScientistError
from domain.events import check_event
from domain.items import Item
from domain.users import Profile
from feature_store import segment_trends, segments
from feature_store.memory import MemoryStore
from feature_store.settings import Home
from feature_store.trends import BLOB_NAME, Trends, pack
from models.bundle import Draft, write_bundle
from models.bundle_pointers import point
from models.recommend.ask import Ask
from service.app import serve_context
from service.asking import AskIn, ask_of
from service.http import Request
from service.recommend_settings import RecommendSettings
from service.routes.recommendations import post_recommendations
from service.settings import ServiceSettings
from tests.golden.shop import ITEMS, NOW, shop_desk, shop_model
from training import batch
from training.batch import Batch, add_parser, open_desk, read_users, write_slates

PASTS = {
    "baker": ("bread",),
    "breakfast": ("coffee", "bread", "butter"),
    "fresh": ("honey",),
    "refuser": ("bread",),
    "hasty": ("tea",),
}
ONLY_THE_BEST = ServiceSettings(recommend=RecommendSettings(share=0.0))
"""The batch job learns nothing from its answers, so it fills no place to learn."""
USERS = [*PASTS, "stranger"]


async def filled_store() -> MemoryStore:
    store = MemoryStore()
    await store.put_items(ITEMS)
    for user, past in PASTS.items():
        ahead = 60_000 if user == "hasty" else 0  # its clock runs a minute fast
        events = [
            check_event(now_ms=NOW, kind="purchase", user=user, item=item, at=NOW - place + ahead)
            for place, item in zip(range(len(past), 0, -1), past, strict=True)
        ]
        await store.append(events, NOW)
    await store.put_profile("refuser", Profile(consent={"personalisation": False}))
    return store


@pytest.fixture
def home(tmp_path: Path) -> Home:
    model = shop_model()
    bundle = write_bundle(
        tmp_path / "bundles", Draft("recommend", NOW, model.arrays(), model.params())
    )
    point(tmp_path / "bundles" / "recommend", bundle.version, NOW)
    return Home(tmp_path)


async def test_every_row_is_what_the_service_answers(home: Home, tmp_path: Path) -> None:
    store, clock, out = await filled_store(), FixedClock(NOW), tmp_path / "slates.parquet"
    job = Batch(home, Ask(k=5), clock=clock)
    told: list[int] = []
    desk = await open_desk(store, home)
    rows = await write_slates(job, store, desk, USERS, out, told.append)
    frame = pl.read_parquet(out)
    assert frame.height == rows == 5 * len(USERS)
    assert sum(told) == len(USERS)
    assert "slates.parquet.tmp" not in os.listdir(tmp_path)
    async with serve_context(store, home, ONLY_THE_BEST, clock) as context:
        for user in USERS:
            body = b'{"user":"%s","k":5}' % user.encode()
            reply = pl.read_json(
                (await post_recommendations(context, Request("POST", "", body=body))).body
            ).row(0, named=True)
            own = frame.filter(pl.col("user") == user)
            assert own["rank"].to_list() == [1, 2, 3, 4, 5]
            assert own["item"].to_list() == [place["item"] for place in reply["items"]]
            assert own["score"].to_list() == [place["score"] for place in reply["items"]]
            assert own["fallback"].to_list() == [place.get("fallback") for place in reply["items"]]
            assert set(own["model"]) == {reply["model"]}
            for told, place in zip(own["sources"].to_list(), reply["items"], strict=True):
                assert told == [{**one, "because": None, "text": None} for one in place["sources"]]
            assert set(own["as_of"]) == {reply["as_of"]}
    assert frame.filter(pl.col("user") == "hasty")["as_of"][0] == NOW + 60_000
    assert frame.filter(pl.col("user") == "refuser")["fallback"][0] == "popular"


async def test_who_has_no_history_is_answered_by_their_segment_as_by_the_service(
    home: Home, tmp_path: Path
) -> None:
    store, clock, out = await filled_store(), FixedClock(NOW), tmp_path / "slates.parquet"
    await store.put_profile("stranger", Profile(attributes={"job": "smith"}))
    saved = await segments.put(store, "smiths", 'attributes.job = "smith"', NOW)
    loudest = np.zeros((3, 3)) + (NOW / np.array([DAY_MS, 7 * DAY_MS, np.inf]))[:, None]
    parts = []
    for people in (np.array([90.0, 60.0, 30.0]), np.array([1.0, 1.0, 25.0])):
        both = np.stack([people, people])
        items = ("tea", "milk", "jam")
        parts.append(Trends(NOW, items, both, people, {}, None, people, loudest))
    whole, smiths = parts
    await store.put_blob(BLOB_NAME, pack(whole))
    by_segment = segment_trends.pack({f"smiths@{saved.version}": smiths})
    await store.put_blob(segment_trends.BLOB_NAME, by_segment)
    desk = await open_desk(store, home)
    job = Batch(home, Ask(k=3, explain=True), clock=clock)
    await write_slates(job, store, desk, ["stranger", "refuser"], out, id)
    frame = pl.read_parquet(out)
    async with serve_context(store, home, ONLY_THE_BEST, clock) as context:
        for user in ("stranger", "refuser"):
            body = b'{"user":"%s","k":3,"explain":true}' % user.encode()
            reply = json.loads(
                (await post_recommendations(context, Request("POST", "", body=body))).body
            )
            own = frame.filter(pl.col("user") == user)
            assert own["item"].to_list() == [place["item"] for place in reply["items"]]
            assert own["score"].to_list() == [place["score"] for place in reply["items"]]
            assert own["fallback"].to_list() == [place["fallback"] for place in reply["items"]]
    mine = frame.filter(pl.col("user") == "stranger")
    assert (mine["item"][0], mine["fallback"][0]) == ("jam", "segment")
    assert mine["sources"][0][0]["text"] == "Popular with smiths"
    assert frame.filter(pl.col("user") == "refuser")["fallback"][0] == "trending"


async def test_reasons_are_those_of_the_service(home: Home, tmp_path: Path) -> None:
    store, clock, out = await filled_store(), FixedClock(NOW), tmp_path / "why.parquet"
    desk = await open_desk(store, home)
    await write_slates(
        Batch(home, Ask(k=5, explain=True), clock=clock), store, desk, USERS, out, id
    )
    frame = pl.read_parquet(out)
    async with serve_context(store, home, ONLY_THE_BEST, clock) as context:
        for user in USERS:
            body = b'{"user":"%s","k":5,"explain":true}' % user.encode()
            reply = json.loads(
                (await post_recommendations(context, Request("POST", "", body=body))).body
            )
            own = frame.filter(pl.col("user") == user)["sources"].to_list()
            assert own == [place["sources"] for place in reply["items"]]
    first = frame.filter(pl.col("user") == "baker")["sources"][0].to_list()[0]
    assert (first["because"], first["text"]) == (["bread"], "Because you bought Bread")


@pytest.mark.parametrize(
    "asked",
    [
        {"objective": "margin", "caps": [{"field": "category", "most": 1}]},
        {"pinned": [{"item": "cocoa", "place": 2}], "repeats": {"after_days": 7}},
        {"items": ["soap", "jam", "nowhere", "butter", "honey"], "freshness": 0.5},
        {"task": "basket", "context": {"items": ["tea"]}, "diversity": "calibrated"},
    ],
)
async def test_controls_mean_what_they_mean_to_the_service(
    home: Home, tmp_path: Path, asked: dict[str, Any]
) -> None:
    store, clock, out = await filled_store(), FixedClock(NOW), tmp_path / "slates.parquet"
    desk = await open_desk(store, home)
    ask = ask_of(msgspec.convert(asked, AskIn))
    await write_slates(Batch(home, ask, clock=clock), store, desk, USERS, out, id)
    frame = pl.read_parquet(out)
    async with serve_context(store, home, ONLY_THE_BEST, clock) as context:
        for user in USERS:
            body = json.dumps({"user": user, **asked}).encode()
            reply = json.loads(
                (await post_recommendations(context, Request("POST", "", body=body))).body
            )
            own = frame.filter(pl.col("user") == user)
            assert own["item"].to_list() == [place["item"] for place in reply["items"]]
            assert own["score"].to_list() == [place["score"] for place in reply["items"]]
            notes = [
                place.get("unranked") or ("pinned" if place.get("pinned") else None)
                for place in reply["items"]
            ]
            assert own["note"].to_list() == notes


async def test_an_earlier_time_comes_from_the_log(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from feature_store.history import History

    events = [
        check_event(now_ms=NOW, kind="purchase", user="baker", item="coffee", at=NOW - 10),
        check_event(now_ms=NOW, kind="purchase", user="baker", item="bread", at=NOW - 5),
    ]
    monkeypatch.setattr(
        batch.History, "load", lambda log, until, **_: History.from_events(
            [event for event in events if event.at < until]
        ),
    )  # fmt: skip
    store, out = await filled_store(), tmp_path / "then.parquet"
    desk = shop_desk(shop_model())
    for as_of, first in ((NOW - 5, "milk"), (NOW - 4, "butter"), (NOW - 10, "bread")):
        job = Batch(home, Ask(k=1), as_of)
        await write_slates(job, store, desk, ["baker", "refuser", "stranger"], out, id)
        frame = pl.read_parquet(out)
        assert frame["item"].to_list() == [first, "bread", "bread"]
        assert set(frame["as_of"]) == {as_of}


async def test_a_job_that_fails_leaves_what_was_there(home: Home, tmp_path: Path) -> None:
    out = tmp_path / "slates.parquet"
    out.write_bytes(b"before")

    class Failing(MemoryStore):
        async def read(self, entities, within_s=None):
            raise ConnectionError

    with pytest.raises(ConnectionError):
        await write_slates(Batch(home, Ask()), Failing(), shop_desk(), USERS, out, id)
    assert out.read_bytes() == b"before"
    assert "slates.parquet.tmp" not in os.listdir(tmp_path)


async def test_a_desk_without_a_release_still_answers(tmp_path: Path) -> None:
    store = await filled_store()
    await store.delete_items(["tea"])
    desk = await open_desk(store, Home(tmp_path))
    assert (desk.model, desk.name) == (None, "")
    out = tmp_path / "new.parquet"
    await write_slates(Batch(Home(tmp_path), Ask(k=2)), store, desk, ["stranger"], out, id)
    frame = pl.read_parquet(out)
    assert frame["item"].to_list() == ["cocoa", "honey"]
    assert frame["model"].to_list() == [None, None]


async def test_a_desk_shows_nothing_that_was_deleted_however_long_ago(home: Home) -> None:
    store = await filled_store()
    await store.delete_items(["tea", "bread"])
    for start in range(0, 9_000, 1_000):
        await store.put_items([Item(f"x{n}", hidden=True) for n in range(start, start + 1_000)])
    catalogue = (await open_desk(store, home)).catalogue
    shown = {catalogue.ids[row] for row in np.flatnonzero(catalogue.live(NOW))}
    assert {"tea", "bread"}.isdisjoint(shown)
    assert "milk" in shown


def test_reads_users_from_every_kind_of_file(tmp_path: Path) -> None:
    text, csv, other, parquet = (
        tmp_path / name for name in ("u.txt", "u.csv", "v.csv", "u.parquet")
    )
    text.write_text("b\n\n a \nb\n")
    csv.write_text("x,user\n1,b\n2,a\n3,b\n")
    other.write_text("customer\n007\n\n8\n")
    pl.DataFrame({"user": ["b", None, "a", "bad\u0000id"]}).write_parquet(parquet)
    assert read_users(text) == (["b", "a"], 0)
    assert read_users(csv) == (["b", "a"], 0)
    assert read_users(other)[0] == ["007", "8"]
    assert read_users(parquet) == (["b", "a"], 2)


@pytest.mark.parametrize(
    ("name", "content"), [("u.txt", b"\n \n"), ("u.parquet", b"no"), ("u.txt", b"\xff\xfe\x00")]
)
def test_files_without_users_are_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ScientistError, match=name):
        read_users(tmp_path / name)
    with pytest.raises(ScientistError):
        read_users(tmp_path / "absent.txt")


def test_the_command_runs_over_the_embedded_store(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store = asyncio.run(filled_store())

    async def opened() -> MemoryStore:
        return store

    monkeypatch.setattr(batch, "open_store", opened)
    monkeypatch.setenv("SANDERLING_HOME", str(home.root))
    users = tmp_path / "users.txt"
    users.write_text("baker\nstranger\n")
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    asked = ["recommend", "--users", str(users), "--out", str(tmp_path / "o" / "out.parquet")]
    args = parser.parse_args([*asked, "--k", "3", "--no-exclude-seen", "--explain"])
    assert args.run(args) == 0
    frame = pl.read_parquet(tmp_path / "o" / "out.parquet")
    assert frame.height == 6
    assert all(source["text"] for sources in frame["sources"].to_list() for source in sources)
    assert "6 rows for 2 users" in capsys.readouterr().err
    for wrong in (["--k", "0"], ["--diversity", "2"], ["--as-of", "yesterday"]):
        bad = parser.parse_args([*asked, *wrong])
        with pytest.raises(ScientistError, match=wrong[0]):
            bad.run(bad)
    monkeypatch.setattr(batch, "everybody", lambda log, until: ["baker"])
    every = parser.parse_args(
        ["recommend", "--everybody", "--out", str(tmp_path / "all.parquet"), "--pin", "tea=1"]
    )
    assert every.run(every) == 0
    assert pl.read_parquet(tmp_path / "all.parquet")["item"][0] == "tea"
    with pytest.raises(SystemExit):
        parser.parse_args(["recommend", "--everybody", *asked[1:]])
    monkeypatch.setenv("SANDERLING_CONSENT", "perhaps")
    with pytest.raises(ScientistError, match="SANDERLING_CONSENT"):
        args.run(args)
