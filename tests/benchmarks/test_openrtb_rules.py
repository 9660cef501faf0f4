"""The second opinion can tell: a good answer breaks nothing, a bad one what it was made to."""

import copy
import json
from typing import Any

import pytest

from benchmarks.openrtb_rules import broken_rules
from domain.currencies import REFERENCE

CREATIVE: dict[str, Any] = {"creative": "cr", "mime": "image/png", "kind": 2, "secure": True}
CLIP: dict[str, Any] = {
    "creative": "cr",
    "mime": "video/mp4",
    "duration_ms": 15_000,
    "bitrate": 900,
}
REQUEST: dict[str, Any] = {
    "id": "r", "imp": [{"id": "1", "bidfloor": 1, "banner": {"w": 300, "h": 250}}],
}  # fmt: skip
VIDEO: dict[str, Any] = {"mimes": ["video/mp4"], "w": 640, "h": 360, "protocols": [2]}


def answer(**changes: Any) -> dict[str, Any]:
    bid = {
        "id": "b", "impid": "1", "price": 1.5, "nurl": "n", "burl": "b", "lurl": "l", "adm": "<b>",
        "adomain": ["shop.example"], "cid": "c", "crid": "cr", "mtype": 1, "cat": ["IAB22"],
        "attr": [], "exp": 60, "w": 300, "h": 250, "language": "en", **changes,
    }  # fmt: skip
    return {"id": "r", "cur": "USD", "seatbid": [{"seat": "s", "bid": [bid]}]}


def clip(**changes: Any) -> dict[str, Any]:
    return answer(**{"mtype": 2, "dur": 15, "protocol": 2, "w": 640, "h": 360, **changes})


def judged(request: dict[str, Any], response: dict[str, Any], creative: Any = None) -> list[str]:
    return broken_rules(request, response, {"cr": creative or CREATIVE}, REFERENCE.per_euro)


def offered(**parts: Any) -> dict[str, Any]:
    """Answer the plain request with parts of its impression changed."""
    request = copy.deepcopy(REQUEST)
    request["imp"][0].update(parts)
    return request


def test_a_good_answer_breaks_nothing() -> None:
    assert judged(REQUEST, answer()) == []
    assert judged(offered(video=VIDEO), clip(), CLIP) == []


@pytest.mark.parametrize(
    ("parts", "changes", "what"),
    [
        ({"badv": ["example"]}, {}, "advertiser"),
        ({"bcat": ["IAB22"]}, {"cat": ["IAB22-1"]}, "blocked category"),
        ({"bcat": ["IAB1"]}, {"cat": []}, "cannot be compared"),
        ({"bcat": ["IAB1"], "cattax": 2}, {}, "cannot be compared"),
        ({"acat": ["IAB1"]}, {}, "not allowed"),
        ({"wlang": ["de"]}, {}, "language"),
        ({"wlangb": ["en-GB"]}, {}, "language tag"),
        ({"wseat": ["t"]}, {}, "seat"),
        ({"bseat": ["s"]}, {}, "seat"),
        ({"bapp": ["com.g"]}, {"bundle": "com.g"}, "app"),
        ({"cur": ["EUR"]}, {}, "currency"),
        ({}, {"price": 0.999999}, "below the floor"),
        ({}, {"price": 0}, "nothing"),
        ({}, {"impid": "2"}, "unknown impression"),
        ({}, {"dealid": "d"}, "not offered"),
        ({}, {"adm": ""}, "empty markup"),
        ({}, {"w": 299}, "none of the sizes"),
        ({}, {"mtype": 2}, "not offered"),
        ({}, {"apis": [5]}, "interface"),
    ],
)
def test_each_rule_of_the_request(parts: Any, changes: Any, what: str) -> None:
    found = judged({**REQUEST, **parts}, answer(**changes))
    assert any(what in line for line in found), found


def test_what_an_answer_lacks() -> None:
    for name in ("id", "impid", "price", "crid", "mtype", "burl"):
        response = answer()
        del response["seatbid"][0]["bid"][0][name]
        assert any(name in line for line in judged(REQUEST, response)), name
    assert judged(REQUEST, {**answer(), "id": "other"}) == [
        "response: another id than the request's"
    ]
    assert judged(REQUEST, {"id": "r", "seatbid": []}) == ["response: no seatbid"]
    twice = answer()
    twice["seatbid"] *= 2
    assert any("two bids" in line for line in judged(REQUEST, twice))


@pytest.mark.parametrize(
    ("banner", "creative", "changes", "what"),
    [
        ({"battr": [3]}, {}, {"attr": [3]}, "attribute"),
        ({"btype": [2]}, {}, {}, "type of banner"),
        ({"btype": [4]}, {"kind": 0}, {}, "type of banner"),
        ({"mimes": ["image/gif"]}, {}, {}, "mime"),
        ({}, {"expands": True}, {}, "expands"),
        ({}, {"skippable": True}, {}, "skipped"),
        ({"format": [{"w": 1, "h": 1}]}, {}, {}, "sizes"),
        ({"format": [{"wratio": 6, "hratio": 5}]}, {}, {}, "sizes"),
    ],
)
def test_each_rule_of_banners(banner: Any, creative: Any, changes: Any, what: str) -> None:
    request = offered(banner={"w": 300, "h": 250, **banner})
    found = judged(request, answer(**changes), {**CREATIVE, **creative})
    assert any(what in line for line in found), found


def test_a_ratio_that_is_said_and_kept() -> None:
    request = offered(banner={"format": [{"wratio": 6, "hratio": 5, "wmin": 300}]})
    assert judged(request, answer(wratio=6, hratio=5)) == []


@pytest.mark.parametrize(
    ("video", "creative", "changes", "what"),
    [
        ({"maxduration": 14}, {}, {}, "too long"), ({"minduration": 16}, {}, {}, "too short"),
        ({"rqddurs": [14]}, {}, {}, "required"), ({"protocols": [3]}, {}, {}, "protocol"),
        ({"maxbitrate": 800}, {}, {}, "bit rate"), ({"linearity": 2}, {}, {}, "linearity"),
        ({"skip": 0}, {"skippable": True}, {"attr": [16]}, "skipped"),
        ({}, {}, {"w": 641}, "player"),
        ({"boxingallowed": 0}, {}, {"h": 300}, "shape"), ({}, {}, {"dur": 14}, "duration"),
        ({"poddur": 10}, {}, {}, "pod"), ({"mincpmpersec": 1}, {}, {}, "below the floor"),
        ({"durfloors": [{"mindur": 15, "bidfloor": 2}]}, {}, {}, "below the floor"),
        ({"maxbitrate": -1}, {}, {}, "contradicts"),
    ],
)  # fmt: skip
def test_each_rule_of_video(video: Any, creative: Any, changes: Any, what: str) -> None:
    found = judged(offered(video={**VIDEO, **video}), clip(**changes), {**CLIP, **creative})
    assert any(what in line for line in found), found


def test_security_and_rewards() -> None:
    secure = offered(secure=1)
    assert judged(secure, answer(), {**CREATIVE, "secure": False})
    assert judged(secure, answer(adm="<img src='http://x'>"))
    assert judged(offered(rwdd=1), answer(attr=[16]), {**CREATIVE, "skippable": True})


def test_deals() -> None:
    deal = {"id": "d", "at": 3, "bidfloor": 2.5, "wseat": ["s"], "wadomain": ["example"]}
    request = offered(pmp={"private_auction": 1, "deals": [deal]})
    assert judged(request, answer(dealid="d", price=2.5)) == []
    assert any("agreed" in line for line in judged(request, answer(dealid="d", price=2.6)))
    assert any("private" in line for line in judged(request, answer()))
    for name, value in (("wseat", ["t"]), ("wadomain", ["x.test"])):
        other = offered(pmp={"deals": [{**deal, name: value}]})
        assert any(
            "deal does not allow" in line for line in judged(other, answer(dealid="d", price=2.5))
        )


def test_pods() -> None:
    slots = {**REQUEST, "imp": [{"id": n, "video": {**VIDEO, "podid": "p"}} for n in ("1", "2")]}
    both = clip()
    both["seatbid"][0]["bid"].append({**both["seatbid"][0]["bid"][0], "id": "b2", "impid": "2"})
    assert any("two slots" in line for line in judged(slots, both, CLIP))


def test_native() -> None:
    want = [{"id": 1, "required": 1, "title": {"len": 5}}, {"id": 2, "img": {"wmin": 10}},
            {"id": 3, "data": {"type": 2, "len": 3}}]  # fmt: skip
    request = offered(native={"request": json.dumps({"assets": want})})

    def made(*assets: Any, **parts: Any) -> list[str]:
        native = {"assets": list(assets), "link": {"url": "u"}, **parts}
        return judged(request, answer(mtype=4, adm=json.dumps(native)))

    title = {"id": 1, "title": {"text": "Tea"}}
    assert made(title) == []
    assert made() != []
    assert made(title, link={}) != []
    assert made({"id": 1, "title": {"text": "Longer"}}) != []
    assert made(title, {"id": 2, "img": {"url": "u", "w": 9}}) != []
    assert made(title, {"id": 3, "data": {"value": "long"}}) != []
    assert made(title, {"id": 9, "title": {"text": "x"}}) != []
