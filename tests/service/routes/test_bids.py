"""POST /v1/openrtb2/bid over HTTP: golden files, both encodings, and whatever may be sent."""

import gzip
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.routes.bids import MAX_BODY, PATH
from tests.service.openrtb.making import imp, request
from tests.service.serving import Answer, App, app_in_memory

FOLDER = Path(__file__).resolve().parents[2] / "golden" / "bids"
FILES = sorted(FOLDER.glob("*.json"))
TEA = json.loads((FOLDER / "banner.json").read_text())["campaigns"]["tea"]
RELAXED = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def launch(app: App, name: str, body: dict[str, Any]) -> None:
    status, told = app.send("PUT", f"/v1/campaigns/{name}", body)
    assert status == 200, told
    app.runner.run(app.context.money.purses.turn())
    app.runner.run(app.context.campaigns.look())


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """An app with one campaign that has money; patient, for the machine may be busy."""
    with app_in_memory(tmp_path_factory.mktemp("home")) as app:
        patient(app)
        launch(app, "tea", TEA)
        yield app


def patient(app: App) -> None:
    """Let real time stand still for deadlines."""
    app.context.bids.monotonic = lambda: 7.0


def post(app: App, body: bytes | dict[str, Any], query: str = "", **headers: str) -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {"content-type": "application/json", "x-sanderling-why": "1"}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    pairs = [(name.encode(), value.encode()) for name, value in named.items()]
    # Leases run on real time, and this loop runs only while somebody asks.
    app.runner.run(app.context.money.purses.turn())
    return app.ask("POST", PATH + query, content, pairs)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_step_is_answered_as_written(file: Path, tmp_path: Path) -> None:
    golden: dict[str, Any] = json.loads(file.read_text())
    assert golden["about"]
    with app_in_memory(tmp_path) as app:
        patient(app)
        for name, body in golden["campaigns"].items():
            launch(app, name, body)
        for step in golden["steps"]:
            answer, wanted = post(app, step["request"]["body"]), step["reply"]
            assert answer.status == wanted["status"], answer
            assert answer.headers.get("x-sanderling-why") == wanted.get("why")
            assert (json.loads(nameless(answer.body)) if answer.body else None) == wanted["body"]


def nameless(body: bytes) -> str:
    """Put words in the place of what is new in every answer."""
    text = re.sub(r"token=[A-Za-z0-9_-]+", "token=<token>", body.decode())
    return re.sub(r'(?<=id":")[A-Za-z0-9_-]{22}(?=")|(?<=id=\\")[A-Za-z0-9_-]{22}', "<bid>", text)


def test_there_are_golden_files() -> None:
    assert len(FILES) >= 2


def test_headers(shop: App) -> None:
    answer = post(shop, request(), x_openrtb_version="2.5")
    assert (answer.status, answer.headers["x-openrtb-version"]) == (200, "2.6")
    assert answer.headers["content-type"] == "application/json"
    nothing = post(shop, request(imp(bidfloor=9)))
    assert (nothing.status, nothing.body) == (204, b"")
    assert not {"content-length", "content-type"} & set(nothing.headers)
    assert nothing.headers["x-sanderling-why"] == "nbr=0; cause=cap"
    plain = shop.ask("POST", PATH, json.dumps(request(imp(bidfloor=9))).encode())
    assert (plain.status, "x-sanderling-why" in plain.headers) == (204, False)


@pytest.mark.parametrize(
    ("kind", "status"),
    [("application/json; charset=utf-8", 200), ("", 200), ("text/plain", 200),
     ("application/x-protobuf", 400), ("avro/binary", 400)],
)  # fmt: skip
def test_a_missing_type_is_json_and_another_is_refused(shop: App, kind: str, status: int) -> None:
    assert post(shop, request(), content_type=kind).status == status


@pytest.mark.parametrize(
    ("accepted", "zipped"),
    [("gzip", True), ("br, gzip;q=0.5", True), ("*", True), ("identity", False), ("br", False),
     ("gzip;q=0", False), ("GZIP; q=0.0", False)],
)  # fmt: skip
def test_gzip_in_the_answer(shop: App, accepted: str, zipped: bool) -> None:
    answer = post(shop, request(), accept_encoding=accepted)
    assert (answer.headers.get("content-encoding") == "gzip") == zipped
    body = gzip.decompress(answer.body) if zipped else answer.body
    assert json.loads(body)["id"] == "r1"


def test_gzip_in_the_request(shop: App) -> None:
    packed = gzip.compress(json.dumps(request()).encode())
    assert post(shop, packed, content_encoding="gzip").status == 200
    bomb = gzip.compress(b" " * (MAX_BODY + 1))
    for body, encoding in ((bomb, "gzip"), (b"junk", "gzip"), (packed[:-9], "gzip"), (packed, ""),
                           (packed, "br"), (b"x" * (MAX_BODY + 1), "")):  # fmt: skip
        answer = post(shop, body, content_encoding=encoding)
        assert (answer.status, answer.body) == (400, b"")


def test_what_cannot_be_read_is_400_and_empty(shop: App) -> None:
    before = count(shop, "sanderling_rejects_total", route=PATH)
    bodies = [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"id":1}', b'{"id":"a"}', b"[" * 90_000,
              json.dumps(request()).replace("300", "NaN").encode(),
              json.dumps(request()).replace('"r1"', '""').encode()]  # fmt: skip
    for body in bodies:
        assert post(shop, body)[:2] == (400, b""), body[:20]
    assert count(shop, "sanderling_rejects_total", route=PATH) == before + len(bodies)


def count(app: App, name: str, **labels: str) -> float:
    """Add up a counter over the labels that were not named."""
    return sum(
        sample.value
        for metric in app.context.metrics.registry.collect()
        for sample in metric.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def test_no_bids_are_counted_by_reason(shop: App) -> None:
    def late() -> float:
        return count(shop, "sanderling_no_bids_total", nbr="15", cause="late")

    before = late()
    assert post(shop, request(tmax=1)).headers["x-sanderling-why"] == "nbr=15; cause=late"
    assert late() == before + 1
    bids = count(shop, "sanderling_bids_total")
    assert post(shop, request()).status == 200
    assert count(shop, "sanderling_bids_total") == bids + 1


def test_too_many_at_once_are_turned_away(shop: App) -> None:
    gate = shop.context.bid_gate
    gate.inside = gate.room
    try:
        answer = post(shop, b"not even read")
        assert (answer.status, answer.headers["x-sanderling-why"]) == (204, "nbr=1; cause=shed")
    finally:
        gate.inside = 0
    assert post(shop, request()).status == 200
    assert gate.inside == 0


def test_our_own_faults_are_no_bids(shop: App, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("user-4711 must not show")

    monkeypatch.setattr(shop.context.bids.market, "matching", broken)
    answer = post(shop, request())
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["x-sanderling-why"] == "nbr=1; cause=error"
    assert shop.context.bid_gate.inside == 0
    assert count(shop, "sanderling_unexpected_errors_total", route=PATH) >= 1


def test_an_exchange_is_named_in_the_address(shop: App) -> None:
    seen: list[str] = []
    door = shop.context.bids
    plain = door.market.matching

    def watch(traits: Any, now: int, known: Any) -> Any:
        seen.extend(traits.exchanges or ("",))
        return plain(traits, now, known)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(door.market, "matching", watch)
        for query in ("?exchange=AdX", "?exchange=%00", "?exchange=", "?other=1", "?exchange=%ff"):
            assert post(shop, request(), query).status == 200
    assert seen == ["adx", "", "", "", ""]


HOSTILE: dict[str, Any] = {
    "huge": request(*(imp(str(n)) for n in range(5_000))),
    "duplicates": request(imp(), imp()),
    "negative floor": request(imp(bidfloor=-1e9)),
    "absurd floor": request(imp(bidfloor=1e300)),
    "absurd quantity": request(imp(qty={"multiplier": 1e300})),
    "negative quantity": request(imp(qty={"multiplier": -1})),
    "absurd numbers": request(
        imp(banner={"w": 10**30, "h": -(10**30)}, exp=-5), at=-(10**30), tmax=10**30
    ),
    "endless time": request(tmax=10**400),
    "time long past": request(tmax=-(10**400)),
    "endless screen": request(
        imp(instl=1, banner={}), device={"w": 10**400, "h": 10**400, "pxratio": 1e-300}
    ),
    "endless durations": request(
        imp(
            video={
                "mimes": ["video/mp4"],
                "maxduration": 10**400,
                "poddur": 10**400,
                "maxseq": 10**400,
                "durfloors": [{"mindur": -(10**400), "bidfloor": 1e308}],
            }
        )
    ),
    "nested": request(ext=[[[]]]),
    "odd text": request(imp("\x00\u202e"), site={"page": "://:@?#", "domain": "."}),
    "odd addresses": request(device={"ip": "999.999.999.999", "ipv6": ":" * 500}),
    "long consent": request(regs={"gdpr": 1}, user={"consent": "C" * 100_000}),
    "odd platform": request(regs={"gpp": "D" * 10_000 + "~" * 10_000, "gpp_sid": [10**30, -5]}),
    "odd native": request(imp(native={"request": '{"assets": [{"id": 1e99}]}'})),
    "deep native": request(imp(native={"request": "[" * 90_000})),
    "agents": request(device={"ua": "bot" * 100_000}),
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_hostile_requests_are_answered_and_cost_nothing(shop: App, name: str) -> None:
    before = shop.context.money.ledger("tea")
    answer = post(shop, HOSTILE[name])
    assert answer.status in (200, 204, 400), answer
    assert count(shop, "sanderling_unexpected_errors_total", route=PATH) == faults_so_far(shop)
    assert shop.context.money.ledger("tea").spent == before.spent == 0
    assert shop.context.bid_gate.inside == 0


def faults_so_far(app: App) -> float:
    """Faults that a test provoked on purpose: the one of our own making."""
    return min(1.0, count(app, "sanderling_unexpected_errors_total", route=PATH))


@RELAXED
@given(body=st.binary(max_size=200))
def test_any_bytes_are_answered(shop: App, body: bytes) -> None:
    assert post(shop, body).status in (200, 204, 400)
    assert post(shop, zlib.compress(body), content_encoding="gzip").status == 400


def test_a_rehearsal_moves_no_money(shop: App) -> None:
    assert post(shop, request()).status == 200
    purse = shop.context.money.purses.by_name["tea"]
    before = purse.left
    answer = shop.ask("POST", PATH, json.dumps(request(test=1)).encode())
    assert (answer.status, purse.left) == (200, before)
    assert shop.ask("POST", PATH, json.dumps(request()).encode()).status == 200
    assert purse.left == before - 1_500
    token = re.search(r"token=([A-Za-z0-9_-]+)", answer.body.decode())
    assert token is not None
    told = shop.ask("GET", f"/v1/openrtb2/bill?token={token[1]}&price=1")
    assert (told.status, told.headers["x-sanderling-notice"]) == (204, "test")
