"""Replies: every attribute an exchange checks, exact prices, notices with the exchange's macros."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain.campaigns import Creative, Media
from domain.money import to_micros
from domain.opportunities import Bid
from service.openrtb.replying import Replies
from tests.service.openrtb.making import creative, video

REPLIES = Replies("https://bid.example/")


def bid(one: Creative | None = None, **changes: Any) -> Bid:
    plain = Bid("b-1", "1", "c-1", "l-1", one or creative(), "seat", 1_234_567, w=300, h=250,
                expires_in=900, token="T0-_k", markup="<b>${BID_ID}</b>")  # fmt: skip
    return plain._replace(**changes)


def told(*bids: Bid) -> Any:
    return json.loads(REPLIES.encode("r1", "USD", bids))


def test_a_banner() -> None:
    document = told(bid())
    assert (document["id"], document["cur"], document["bidid"]) == ("r1", "USD", "b-1")
    (seat,) = document["seatbid"]
    assert seat["seat"] == "seat"
    (one,) = seat["bid"]
    base = "https://bid.example/v1/openrtb2"
    assert one == {
        "id": "b-1", "impid": "1", "price": 1.234567, "adm": "<b>b-1</b>", "adid": "cr-1",
        "adomain": ["shop.example"], "cid": "c-1", "crid": "cr-1", "mtype": 1, "attr": [],
        "cat": ["IAB22-1"], "language": "en", "w": 300, "h": 250, "exp": 900,
        "nurl": f"{base}/win?token=T0-_k&price=${{AUCTION_PRICE}}&currency=${{AUCTION_CURRENCY}}"
                "&min_to_win=${AUCTION_MIN_TO_WIN}",
        "burl": f"{base}/bill?token=T0-_k&price=${{AUCTION_PRICE}}&currency=${{AUCTION_CURRENCY}}"
                "&multiplier=${AUCTION_MULTIPLIER}",
        "lurl": f"{base}/loss?token=T0-_k&price=${{AUCTION_PRICE}}&currency=${{AUCTION_CURRENCY}}"
                "&min_to_win=${AUCTION_MIN_TO_WIN}&loss=${AUCTION_LOSS}",
    }  # fmt: skip


def test_a_video_in_a_deal() -> None:
    clip = video(skippable=True, duration_ms=14_100, apis=(7,), language="en-GB", bundle="com.g",
                 image="https://c/i.png", taxonomy=2)  # fmt: skip
    one = told(bid(clip, deal="d-1", ratio=(16, 9)))["seatbid"][0]["bid"][0]
    assert (one["mtype"], one["dur"], one["protocol"], one["dealid"]) == (2, 15, 2, "d-1")
    assert (one["attr"], one["apis"], one["langb"], one["cattax"]) == ([16], [7], "en-GB", 2)
    assert (one["wratio"], one["hratio"], one["iurl"]) == (16, 9, "https://c/i.png")
    assert one["bundle"] == "com.g"
    assert "language" not in one
    both = told(bid(video(attributes=(16,), skippable=True)))["seatbid"][0]["bid"][0]
    assert both["attr"] == [16]


def test_what_a_banner_has_not_is_not_told() -> None:
    one = told(bid(creative(protocol=3, duration_ms=9)))["seatbid"][0]["bid"][0]
    assert not {"protocol", "dur", "dealid", "wratio", "bundle"} & set(one)
    audio = told(bid(creative(media=Media.audio, protocol=9), w=0, h=0))["seatbid"][0]["bid"][0]
    assert (audio["mtype"], audio["protocol"]) == (3, 9)
    assert "w" not in audio


def test_bids_are_grouped_by_seat() -> None:
    document = told(bid(), bid(id="b-2", seat=""), bid(id="b-3"))
    ids = [[one["id"] for one in seat["bid"]] for seat in document["seatbid"]]
    assert ids == [["b-1", "b-3"], ["b-2"]]
    assert "seat" not in document["seatbid"][1]


@given(st.integers(1, 10**11))
def test_prices_lose_nothing_on_the_way(micros: int) -> None:
    assert to_micros(told(bid(price=micros))["seatbid"][0]["bid"][0]["price"]) == micros
