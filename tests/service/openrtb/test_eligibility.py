"""Every rule of a request, each with a creative that keeps it and one that breaks it."""

import json
from typing import Any

import pytest

from domain.campaigns import Creative, Media
from service.openrtb.eligibility import Fit, fit, refused_by_auction, refused_by_deal
from tests.service.openrtb.making import VIDEO, auction, creative, imp, opportunity, ready, video

PLAYER = {**VIDEO, "w": 640, "h": 360}


@pytest.mark.parametrize(
    ("rules", "kept", "broken", "why"),
    [
        ({"badv": ["ford.com"]}, {}, {"domains": ("ford.com",)}, "advertiser_blocked"),
        ({"badv": ["Shop.example"]}, {"domains": ("notshop.example",)},
         {"domains": ("www.shop.example",)}, "advertiser_blocked"),
        ({"bcat": ["IAB25"]}, {}, {"categories": ("IAB22", "IAB25-3")}, "category_blocked"),
        ({"bcat": ["IAB7-39"]}, {"categories": ("IAB7",)}, {"categories": ("IAB7-39",)},
         "category_blocked"),
        ({"bcat": ["IAB25"]}, {}, {"categories": ()}, "category_unknown"),
        ({"bcat": ["IAB25"]}, {}, {"taxonomy": 2}, "category_unknown"),
        ({"bcat": ["53"], "cattax": 2}, {"categories": ("54",), "taxonomy": 2}, {},
         "category_unknown"),
        ({"acat": ["IAB22"]}, {}, {"categories": ("IAB22-1", "IAB3")}, "category_blocked"),
        ({"bapp": ["com.game"]}, {"bundle": "com.other"}, {"bundle": "com.game"}, "app_blocked"),
        ({"wlang": ["EN", "de"]}, {}, {"language": "fr"}, "language"),
        ({"wlang": ["en"]}, {"language": "en-GB"}, {"language": ""}, "language"),
        ({"wlangb": ["en"]}, {"language": "en-GB"}, {"language": "eng"}, "language"),
        ({"wlangb": ["en-GB"]}, {"language": "en-gb"}, {"language": "en"}, "language"),
        ({}, {}, {"domains": ()}, "no_domain"),
        ({}, {}, {"markup": ""}, "no_markup"),
    ],
)  # fmt: skip
def test_rules_of_the_whole_request(
    rules: dict[str, Any], kept: dict[str, Any], broken: dict[str, Any], why: str
) -> None:
    blocks = auction(**rules).blocks
    assert refused_by_auction(ready(**kept), blocks) == ""
    assert refused_by_auction(ready(**broken), blocks) == why


def test_seats() -> None:
    allowed, blocked = {"wseat": ["a"]}, {"bseat": ["b"]}
    for rules, right, wrong in ((allowed, "a", ""), (allowed, "a", "b"),
                                (blocked, "a", "b"), (blocked, "", "b")):  # fmt: skip
        blocks = auction(**rules).blocks
        assert refused_by_auction(ready(seat=right), blocks) == ""
        assert refused_by_auction(ready(seat=wrong), blocks) == "seat"


def test_deals_name_seats_and_advertisers() -> None:
    deals = [{"id": "d", "wseat": ["a"]}, {"id": "e", "wadomain": ["Shop.example", "x.test"]}]
    seats, advertisers = opportunity(pmp={"deals": deals}).deals
    assert refused_by_deal(ready(seat="a"), seats) == ""
    assert refused_by_deal(ready(seat="b"), seats) == "deal_seat"
    assert refused_by_deal(ready(domains=("www.shop.example",)), advertisers) == ""
    both = ready(domains=("shop.example", "other.example"))
    assert refused_by_deal(both, advertisers) == "deal_advertiser"


def banner(**rules: Any) -> dict[str, Any]:
    return {"banner": {"w": 300, "h": 250, **rules}}


@pytest.mark.parametrize(
    ("offered", "kept", "broken", "why"),
    [
        ({"secure": 1}, {}, {"secure": False}, "insecure"),
        ({"secure": 0}, {"secure": False}, {"width": 301}, "size"),
        ({"qty": {"multiplier": 0.5}}, {}, {"height": 0}, "size"),
        (banner(battr=[3, 13]), {"attributes": (1,)}, {"attributes": (1, 13)}, "attribute_blocked"),
        (banner(btype=[4]), {"kind": 3}, {"kind": 4}, "kind_blocked"),
        (banner(btype=[4]), {"kind": 3}, {"kind": 0}, "kind_blocked"),
        (banner(api=[5, 6]), {"apis": (5,)}, {"apis": (5, 7)}, "api"),
        (banner(), {}, {"apis": (5,)}, "api"),
        (banner(mimes=["image/png"]), {}, {"mime": "text/html"}, "mime"),
        (banner(mimes=["image/png"]), {}, {"mime": ""}, "mime"),
        (banner(expdir=[2]), {"expands": True}, {"width": 250, "height": 300}, "size"),
        (banner(), {}, {"expands": True}, "expands"),
        ({"rwdd": 1}, {}, {"skippable": True}, "rewarded"),
        ({"instl": 1}, {}, {"width": 0}, "size"),
    ],
)
def test_rules_of_banners(
    offered: dict[str, Any], kept: dict[str, Any], broken: dict[str, Any], why: str
) -> None:
    assert isinstance(fit(ready(**kept), opportunity(**offered)), Fit)
    assert fit(ready(**broken), opportunity(**offered)) == why


def sized(w: int, h: int, **rules: Any) -> Fit | str:
    return fit(ready(width=w, height=h), opportunity(banner=rules))


def test_sizes_and_ratios() -> None:
    formats = [{"w": 300, "h": 600}, {"wratio": 16, "hratio": 9, "wmin": 320}]
    found = sized(640, 360, format=formats)
    assert isinstance(found, Fit)
    assert (found.w, found.h, found.ratio) == (640, 360, (16, 9))
    exact = sized(300, 600, format=formats)
    assert isinstance(exact, Fit)
    assert exact.ratio == (0, 0)
    assert sized(160, 90, format=formats) == "size"
    assert sized(640, 361, format=formats) == "size"
    # Where formats are given the banner's own size is none of them.
    both = opportunity(banner={"w": 300, "h": 250, "format": formats})
    assert fit(ready(), both) == "size"
    assert sized(300, 250) == "size"


def test_an_interstitial_is_no_larger_than_the_screen() -> None:
    whole = auction(imp(instl=1, banner={}), device={"w": 320, "h": 480}).opportunities[0]
    assert isinstance(fit(ready(width=300, height=250), whole), Fit)
    assert fit(ready(width=321, height=250), whole) == "size"


def test_a_quantity_of_nothing_is_not_bought() -> None:
    assert fit(ready(), opportunity(qty={"multiplier": 0})) == "quantity"


@pytest.mark.parametrize(
    ("rules", "kept", "broken", "why"),
    [
        ({}, {}, {"mime": "video/webm"}, "mime"),
        ({"minduration": 10}, {}, {"duration_ms": 9_999}, "duration"),
        ({"maxduration": 15}, {}, {"duration_ms": 15_001}, "duration"),
        ({"maxduration": 15}, {}, {"duration_ms": 0}, "duration"),
        ({"rqddurs": [6, 15]}, {}, {"duration_ms": 14_999}, "duration"),
        ({"poddur": 15}, {}, {"duration_ms": 15_001}, "pod"),
        ({"protocols": [2, 3]}, {}, {"protocol": 6}, "protocol"),
        ({"protocols": [2, 3]}, {}, {"protocol": 0}, "protocol"),
        ({"linearity": 1}, {}, {"linear": False}, "linearity"),
        ({"linearity": 2}, {"linear": False}, {}, "linearity"),
        ({"linearity": 9}, {"linear": False}, {"mime": "x"}, "mime"),
        ({"skip": 0}, {}, {"skippable": True}, "skip"),
        ({"skip": 1, "skipmin": 14}, {"skippable": True},
         {"skippable": True, "duration_ms": 14_000}, "skip"),
        ({"battr": [16]}, {}, {"skippable": True}, "attribute_blocked"),
        ({"minbitrate": 300}, {}, {"bitrate": 299}, "bitrate"),
        ({"maxbitrate": 900}, {}, {"bitrate": 901}, "bitrate"),
        ({"maxbitrate": 900}, {}, {"bitrate": 0}, "bitrate"),
        ({"boxingallowed": 0}, {}, {"height": 480}, "boxing"),
        ({}, {}, {"width": 0}, "size"),
    ],
)  # fmt: skip
def test_rules_of_video(
    rules: dict[str, Any], kept: dict[str, Any], broken: dict[str, Any], why: str
) -> None:
    offered = opportunity(video={**PLAYER, **rules})
    assert isinstance(fit(ready(video(**kept)), offered), Fit)
    assert fit(ready(video(**broken)), offered) == why


@pytest.mark.parametrize(
    ("w", "h", "shown"),
    [(640, 360, (640, 360)), (320, 180, (320, 180)), (1280, 720, (640, 360)),
     (640, 480, (480, 360)), (1000, 100, (640, 64)), (4_000, 1, (640, 1)), (1, 4_000, (1, 360))],
)  # fmt: skip
def test_a_video_is_shown_no_larger_than_its_player(w: int, h: int, shown: tuple[int, int]) -> None:
    found = fit(ready(video(width=w, height=h)), opportunity(video=PLAYER))
    assert isinstance(found, Fit)
    assert (found.w, found.h) == shown


def test_audio_has_no_size() -> None:
    sound = creative(media=Media.audio, mime="audio/mp4", duration_ms=10_000, width=0, height=0)
    found = fit(ready(sound), opportunity(audio={"mimes": ["audio/mp4"], "maxduration": 10}))
    assert isinstance(found, Fit)
    assert (found.w, found.h) == (0, 0)


def test_native_is_made_for_its_request() -> None:
    markup = {"assets": [{"title": {"text": "Tea"}}], "link": {"url": "https://s/"}}
    one: Creative = creative(media=Media.native, markup=json.dumps(markup), mime="")
    asked = {"request": json.dumps({"assets": [{"id": 3, "required": 1, "title": {"len": 9}}]})}
    found = fit(ready(one), opportunity(native=asked))
    assert isinstance(found, Fit)
    assert json.loads(found.markup or "")["assets"] == [{"id": 3, "title": {"text": "Tea"}}]
    short = {"request": asked["request"].replace("9", "2")}
    assert fit(ready(one), opportunity(native=short)) == "assets"


def test_another_kind_is_not_offered() -> None:
    assert fit(ready(video()), opportunity()) == "media"
    assert fit(ready(), opportunity(video=VIDEO)) == "media"
