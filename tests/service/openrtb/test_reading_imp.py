"""Reading an impression: sizes, durations, pods, floors and deals, and what contradicts itself."""

from typing import Any

import pytest

from domain.campaigns import Media
from domain.opportunities import AuctionType, DurationFloor, Floors, Size
from tests.service.openrtb.making import VIDEO, auction, imp, opportunity


def banner_sizes(**banner: Any) -> tuple[Size, ...]:
    return opportunity(banner=banner).spots[0].sizes


def test_sizes() -> None:
    assert banner_sizes(w=300, h=250) == (Size(300, 250),)
    assert banner_sizes(w=1, h=2, format=[{"w": 300, "h": 250}]) == (Size(300, 250),)
    flexible = {"wratio": 16, "hratio": 9, "wmin": 320}
    assert banner_sizes(format=[flexible]) == (Size(0, 0, 16, 9, 320),)


@pytest.mark.parametrize(
    "banner",
    [
        {}, {"h": 300}, {"w": -1, "h": 50}, {"format": []}, {"format": [{"w": 30, "h": 0}]},
        {"format": [{"w": 30, "wratio": 23}]}, {"format": [{"w": 50, "h": -1}]},
        {"format": [{"wratio": 1, "hratio": 1, "wmin": -1}]},
        {"w": 300, "h": 250, "format": [{"w": 1}]},
    ],
)  # fmt: skip
def test_what_is_no_size_is_none(banner: dict[str, Any]) -> None:
    assert banner_sizes(**banner) == ()


def test_an_interstitial_without_a_size_is_bounded_by_the_screen() -> None:
    screen = {"w": 1170, "h": 2532, "pxratio": 3.0}
    whole = auction(imp(instl=1, banner={}), device=screen).opportunities[0].spots[0]
    assert (whole.sizes, whole.bounded) == ((Size(390, 844),), True)
    plain = auction(imp(banner={}), device=screen).opportunities[0].spots[0]
    assert (plain.sizes, plain.bounded) == ((), False)
    blind = auction(imp(instl=1, banner={})).opportunities[0].spots[0]
    assert blind.sizes == ()


def test_every_way_to_fill_an_impression_is_a_spot() -> None:
    native = {"request": '{"ver": "1.2", "assets": [{"id": 1, "title": {"len": 9}}]}'}
    one = opportunity(banner={"w": 1, "h": 1}, video=VIDEO, audio={"mimes": ["a"]}, native=native)
    assert [spot.media for spot in one.spots] == [
        Media.banner, Media.video, Media.audio, Media.native
    ]  # fmt: skip
    assert one.spots[3].native_version == "1.2"
    assert opportunity(native={"request": "no JSON"}).spots == ()


def test_video_defaults() -> None:
    spot = opportunity(video=VIDEO).spots[0]
    assert (spot.low, spot.high, spot.exact, spot.linearity) == (0, None, (), 0)
    assert (spot.skippable, spot.boxing, spot.pod, spot.pod_count) == (None, True, "", 1)
    assert spot.floors is None


def test_video_limits_are_milliseconds() -> None:
    spot = opportunity(
        video={**VIDEO, "minduration": 5, "maxduration": 30, "rqddurs": [6], "skip": 0,
               "skipmin": 10, "w": 640, "h": 360, "boxingallowed": 0, "linearity": 2}
    ).spots[0]  # fmt: skip
    assert (spot.low, spot.high, spot.exact, spot.skip_above) == (5_000, 30_000, (6_000,), 10_000)
    assert (spot.skippable, spot.boxing, spot.linearity) == (False, False, 2)
    assert spot.sizes == (Size(640, 360),)


@pytest.mark.parametrize(
    "name", ["minduration", "maxduration", "poddur", "maxseq", "minbitrate", "maxbitrate", "w"]
)
def test_what_is_below_zero_is_not_offered(name: str) -> None:
    assert opportunity(video={**VIDEO, name: -1}).spots == ()


def test_pods() -> None:
    slot = opportunity(video={**VIDEO, "podid": "p", "slotinpod": 1}).spots[0]
    assert (slot.pod, slot.pod_count, slot.pod_length) == ("p", 1, 0)
    part = opportunity(video={**VIDEO, "podid": "p", "poddur": 60, "maxseq": 4}).spots[0]
    assert (part.pod, part.pod_count, part.pod_length) == ("p", 4, 60_000)
    nameless = opportunity(video={**VIDEO, "poddur": 30}).spots[0]
    assert (nameless.pod, nameless.pod_count) == ("1", 0)


def test_the_floors_of_video_are_in_the_impressions_currency() -> None:
    spans = [{"mindur": 1, "maxdur": 15, "bidfloor": 5}, {"mindur": 16}]
    one = opportunity(
        bidfloor=2.5, bidfloorcur="EUR", video={**VIDEO, "mincpmpersec": 0.1, "durfloors": spans}
    )
    assert one.floors == Floors("EUR", 2_500_000)
    assert one.spots[0].floors == Floors(
        "EUR", None, 100_000,
        (DurationFloor(1_000, 15_000, 5_000_000), DurationFloor(16_000, None, 0)),
    )  # fmt: skip


def test_a_deals_currency_does_not_inherit_and_its_type_does() -> None:
    deals = [{"id": "a"}, {"id": "b", "at": 3, "bidfloor": 4, "bidfloorcur": "GBP", "guar": 1,
                           "wseat": ["s"], "wadomain": ["Shop.example"]},
             {"id": "c", "at": 1}, {"id": "d", "at": 501}]  # fmt: skip
    one = auction(imp(bidfloorcur="EUR", pmp={"private_auction": 1, "deals": deals}), at=2)
    first, fixed, open_, special = one.opportunities[0].deals
    assert one.opportunities[0].private
    assert (first.at, first.floors) == (2, Floors("USD", None))
    assert (fixed.at, fixed.floors) == (AuctionType.fixed, Floors("GBP", 4_000_000))
    assert (fixed.guaranteed, fixed.seats, fixed.domains) == (True, ("s",), ("shop.example",))
    assert (open_.at, open_.guaranteed, special.at) == (1, False, AuctionType.first)
