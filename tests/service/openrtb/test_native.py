"""Native: every required asset is served or nothing is, and the answer has the request's ids."""

import json
from typing import Any

import pytest

from service.openrtb.native import MAX_ASSETS, matched, native_markup, read_markup, read_request

MARKUP = json.dumps(
    {
        "assets": [
            {"title": {"text": "Fresh tea"}},
            {"img": {"type": 3, "url": "https://c/i.png", "w": 300, "h": 250,
                     "mime": "image/png"}},
            {"img": {"type": 1, "url": "https://c/s.png", "w": 80, "h": 80}},
            {"data": {"type": 2, "value": "Order today"}},
        ],
        "link": {"url": "https://shop.example/"},
    }
)  # fmt: skip


def asked(*assets: dict[str, Any], **parts: Any) -> str:
    return json.dumps({"ver": "1.2", "assets": list(assets), **parts})


def answer(*assets: dict[str, Any], markup: str = MARKUP, **parts: Any) -> Any:
    read = read_request(asked(*assets, **parts))
    assert read is not None
    made = native_markup(read.assets, markup, read.version)
    return None if made is None else json.loads(made)


def test_assets_are_matched_by_kind_type_and_room() -> None:
    made = answer(
        {"id": 5, "required": 1, "title": {"len": 90}},
        {"id": 6, "required": 1, "img": {"type": 3, "wmin": 100, "hmin": 100}},
        {"id": 7, "data": {"type": 2, "len": 20}},
        {"id": 8, "data": {"type": 1}},
    )
    assert made["ver"] == "1.2"
    assert made["link"] == {"url": "https://shop.example/"}
    assert made["assets"] == [
        {"id": 5, "title": {"text": "Fresh tea"}},
        {"id": 6, "img": {"url": "https://c/i.png", "w": 300, "h": 250}},
        {"id": 7, "data": {"value": "Order today"}},
    ]


@pytest.mark.parametrize(
    "want",
    [
        {"title": {"len": 3}}, {"img": {"type": 2}}, {"img": {"type": 3, "wmin": 301}},
        {"img": {"type": 3, "w": 299, "h": 250}}, {"img": {"type": 3, "mimes": ["image/gif"]}},
        {"img": {"type": 1, "mimes": ["image/png"]}}, {"data": {"type": 2, "len": 5}},
        {"data": {"type": 12}}, {"video": {"mimes": ["video/mp4"]}}, {},
    ],
)  # fmt: skip
def test_a_required_asset_that_is_not_there_is_no_answer(want: dict[str, Any]) -> None:
    assert answer({"id": 1, "required": 1, **want}) is None
    # Not required, and nothing else is served: an empty advertisement is none either.
    assert answer({"id": 1, **want}) is None


def test_an_asset_serves_once_and_the_required_choose_first() -> None:
    made = answer({"id": 1, "title": {}}, {"id": 2, "required": 1, "title": {}})
    assert [asset["id"] for asset in made["assets"]] == [2]


def test_exact_sizes() -> None:
    made = answer({"id": 1, "required": 1, "img": {"w": 80, "h": 80}})
    assert made["assets"][0]["img"]["url"] == "https://c/s.png"


def test_version_1_has_a_root() -> None:
    inner = {"ver": "1.0", "assets": [{"id": 1, "required": 1, "title": {"len": 25}}]}
    read = read_request(json.dumps({"native": inner}))
    assert read is not None
    made = json.loads(native_markup(read.assets, MARKUP, read.version) or "")
    assert list(made) == ["native"]
    assert made["native"]["assets"] == [{"id": 1, "title": {"text": "Fresh tea"}}]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", asked(), '{"assets": [{"title": {}}]}', '{"assets": 3}', '"\\ud800"',
     asked(*({"id": n, "title": {}} for n in range(MAX_ASSETS + 1))), "[" * 5_000],
)  # fmt: skip
def test_requests_that_cannot_be_read_ask_nothing(text: str) -> None:
    assert read_request(text) is None


@pytest.mark.parametrize("markup", ["", "<a>", "{}", '{"assets": [], "link": {}}', "[]"])
def test_markup_that_cannot_be_read_serves_nothing(markup: str) -> None:
    assert read_markup(markup) is None
    read = read_request(asked({"id": 1, "title": {}}))
    assert read is not None
    assert matched(read.assets, markup) is None
    assert native_markup(read.assets, markup, "1.2") is None
