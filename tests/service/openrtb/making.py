"""Requests, creatives, lines and auctions in few words, for the tests of the bid door."""

import json
from collections.abc import Callable
from typing import Any

import msgspec

from domain.campaigns import Campaign, Creative, LineItem, Media
from domain.opportunities import Auction, Opportunity, Privacy
from service.openrtb.candidates import ReadyLine, ready_lines
from service.openrtb.creatives import ReadyCreative, make_ready
from service.openrtb.reading import Reading, read_auction
from service.openrtb.wire import BidRequest

Json = dict[str, Any]
PERSONAL = Privacy(True)
_decode = msgspec.json.Decoder(BidRequest).decode
BANNER: Json = {"w": 300, "h": 250}
VIDEO: Json = {"mimes": ["video/mp4"]}


def imp(name: str = "1", **parts: Any) -> Json:
    """Answer an impression; a banner of 300x250 unless it is told what it is."""
    kinds = ("banner", "video", "audio", "native")
    return {"id": name, **({} if any(k in parts for k in kinds) else {"banner": BANNER}), **parts}


def request(*imps: Json, **parts: Any) -> Json:
    """Answer a request for impressions, one plain banner by default."""
    return {"id": "r1", "imp": list(imps) or [imp()], **parts}


def wire(document: Json) -> BidRequest:
    """Decode a request as the door does."""
    return _decode(json.dumps(document))


def auction(*imps: Json, privacy: Privacy = PERSONAL, reading: Reading | None = None,
            **parts: Any) -> Auction:  # fmt: skip
    """Read a request's auction."""
    return read_auction(wire(request(*imps, **parts)), privacy, reading or Reading())


def opportunity(**parts: Any) -> Opportunity:
    """Read one impression."""
    return auction(imp(**parts)).opportunities[0]


def creative(**changes: Any) -> Creative:
    """Answer a banner of 300x250 that breaks no rule there is, with changes."""
    plain: Json = {
        "creative": "cr-1", "width": 300, "height": 250, "mime": "image/png", "kind": 2,
        "domains": ("shop.example",), "categories": ("IAB22-1",), "language": "en",
        "click": "https://shop.example/?a=1", "markup": "<b>${CLICK_URL}</b>",
    }  # fmt: skip
    return Creative(**{**plain, **changes})


def video(**changes: Any) -> Creative:
    """Answer a video of 15 seconds."""
    plain: Json = {
        "creative": "v-1", "media": Media.video, "width": 640, "height": 360, "mime": "video/mp4",
        "duration_ms": 15_000, "protocol": 2, "bitrate": 900, "markup": "<VAST/>", "kind": 0,
    }  # fmt: skip
    return creative(**{**plain, **changes})


def ready(one: Creative | None = None, seat: str = "", **changes: Any) -> ReadyCreative:
    """Make a creative ready."""
    return make_ready(one or creative(**changes), seat)


def campaign(*creatives: Creative, line: Json | None = None, **parts: Any) -> Campaign:
    """Answer a campaign of one line: standard bid 2, cap 5."""
    one = LineItem(**{"line": "l-1", "bid": 2_000_000, **(line or {})})
    plain: Json = {"campaign": "c-1", "max_bid": 5_000_000, "lines": (one,)}
    return Campaign(**{**plain, "creatives": creatives or (creative(),), **parts})


def line_of(*creatives: Creative, line: Json | None = None, **parts: Any) -> ReadyLine:
    """Answer the ready line of a campaign of one line."""
    return ready_lines(campaign(*creatives, line=line, **parts))[0]


def always() -> bool:
    """There is time."""
    return True


def counting(most: int) -> Callable[[], bool]:
    """Answer a clock that says yes so often and then no more."""
    left = [most]

    def in_time() -> bool:
        left[0] -= 1
        return left[0] >= 0

    return in_time
